#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# find_package(homolog) with components that are there, are not, or do not exist, required and optional,
# and with versions. Each answer is one sentence or homolog_<component>_FOUND.
#   components.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 work=$3
rm -rf "$work"
mkdir -p "$work/app" "$work/fake_torch"
# An installation of core, datasets and homolog for a LibTorch that is only a name; one without homolog.
echo 'add_library(torch INTERFACE IMPORTED)' >"$work/fake_torch/TorchConfig.cmake"
echo 'set(PACKAGE_VERSION 2.13.0)' >"$work/fake_torch/TorchConfigVersion.cmake"
install_with() {  # NAME CMAKE_ARGUMENT...
  local name=$1
  shift
  "$CMAKE" -S "$source" -B "$work/$name.build" -DCMAKE_CXX_COMPILER="$CXX" -DHOMOLOG_BUILD_TESTS=OFF \
    -DHOMOLOG_BUILD_EXAMPLES=OFF -DHOMOLOG_BUILD_BENCHMARKS=OFF -DHOMOLOG_BUILD_DOCS=OFF \
    -DHOMOLOG_WITH_MATLAB=OFF -DHOMOLOG_WITH_TRAIN=OFF "$@" >/dev/null
  "$CMAKE" --install "$work/$name.build" --prefix "$work/$name" --component Devel >/dev/null
}
install_with with_torch -DTorch_DIR="$work/fake_torch"
install_with without_torch -DHOMOLOG_WITH_TORCH=OFF

cat >"$work/app/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.24)
project(app LANGUAGES CXX)
find_package(homolog ${ASK})
set(answer "")
foreach(component core datasets homolog train cores)
  if(DEFINED homolog_${component}_FOUND)
    string(APPEND answer " ${component} ${homolog_${component}_FOUND}")
  endif()
  if(TARGET homolog::${component})
    string(APPEND answer " target")
  endif()
endforeach()
message(STATUS "answer: homolog ${homolog_FOUND}${answer};")
CMAKE

# says PREFIX ASK SENTENCE [CMAKE_ARGUMENT...]: the sentence is in what find_package(homolog ASK) says.
says() {
  local prefix=$1 ask=$2 sentence=$3
  shift 3
  rm -f "$work/app.build/CMakeCache.txt"
  "$CMAKE" -S "$work/app" -B "$work/app.build" -DCMAKE_CXX_COMPILER="$CXX" \
    -DCMAKE_PREFIX_PATH="$work/$prefix" -DASK="${ask// /;}" "$@" >"$work/log" 2>&1 || true
  tr -s ' \n' ' ' <"$work/log" >"$work/line"  # CMake wraps sentences
  if ! grep -qF -e "$sentence" "$work/line"; then
    cat "$work/log"
    echo "expected of find_package(homolog $ask) $*: $sentence"
    exit 1
  fi
  echo "ok: $ask $*: $sentence"
}
no_json=-DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
no_torch=-DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON
installed="is installed here without its component"
all="core, cuda, datasets, matlab, homolog, train, distributed, compiled"

# Not installed.
says without_torch "COMPONENTS core OPTIONAL_COMPONENTS homolog" \
  "answer: homolog 1 core TRUE target homolog FALSE;" $no_torch $no_json
says without_torch "REQUIRED COMPONENTS core homolog" "homolog $installed 'homolog', with core, datasets alone"
says without_torch "REQUIRED COMPONENTS train" "homolog $installed 'train', with core, datasets alone"
says without_torch "COMPONENTS train" "answer: homolog 0 core TRUE target"
# Does not exist.
says without_torch "REQUIRED COMPONENTS cores" \
  "homolog has no component 'cores': there are $all, of which core, datasets are installed here"
says without_torch "COMPONENTS core OPTIONAL_COMPONENTS cores" "homolog has no component 'cores': there are $all"
says without_torch "COMPONENTS core OPTIONAL_COMPONENTS cores" \
  "answer: homolog 1 core TRUE target cores FALSE;"
# Installed, but what it needs is not there; nobody else's needs are looked for.
says with_torch "COMPONENTS datasets OPTIONAL_COMPONENTS homolog" \
  "answer: homolog 1 core TRUE target datasets TRUE target homolog FALSE;" $no_torch
says with_torch "REQUIRED COMPONENTS core" "answer: homolog 1 core TRUE target;" $no_torch $no_json
says with_torch "REQUIRED COMPONENTS homolog" \
  "for homolog's component 'homolog' Torch was not found. Give its folder in CMAKE_PREFIX_PATH" $no_torch
says with_torch "REQUIRED" "for homolog's component 'homolog' Torch was not found" $no_torch
says with_torch "REQUIRED COMPONENTS homolog" "for homolog's component 'datasets' nlohmann_json was not found" \
  $no_json -DTorch_DIR="$work/fake_torch"
says with_torch "REQUIRED" "answer: homolog 1 core TRUE target datasets TRUE target homolog TRUE target;" \
  -DTorch_DIR="$work/fake_torch"
# Versions: before 1.0 the second number has to be the same.
version=$(sed -n 's/#define HOMOLOG_VERSION "\(.*\)"/\1/p' "$source/include/homolog/version.hpp")
same=${version%.*} next=${version%%.*}.$((${same#*.} + 1))
says without_torch "$same REQUIRED" "answer: homolog 1"
says without_torch "$next REQUIRED" "that is compatible with requested version \"$next\""
says without_torch "${version%%.*}.0 REQUIRED" "that is compatible with requested version \"${version%%.*}.0\""
# A project in an older standard is told what CMake does.
for ask in "REQUIRED COMPONENTS core" "$same"; do
  says without_torch "$ask" "CMAKE_CXX_STANDARD is 17; what links homolog is compiled as C++20 all the same" \
    -DCMAKE_CXX_STANDARD=17
done
