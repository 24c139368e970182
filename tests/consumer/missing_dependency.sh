#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What homolog cannot do without stops its own build, that of a project which adds it, and
# find_package(homolog), each with the name of what was not found.
#   missing_dependency.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 prefix=$2 work=$3
rm -rf "$work"
mkdir -p "$work"

# fails SENTENCE CMAKE_ARGUMENT...
fails() {
  local sentence=$1
  shift
  rm -rf "$work/build"
  if "$CMAKE" -B "$work/build" -DCMAKE_CXX_COMPILER="$CXX" "$@" >"$work/log" 2>&1; then
    echo "configured although it cannot be built: $*"
    exit 1
  fi
  tr -s ' \n' ' ' <"$work/log" >"$work/line"  # CMake wraps sentences
  if ! grep -qF "$sentence" "$work/line"; then
    cat "$work/log"
    exit 1
  fi
  echo "ok: $sentence"
}

for package in Eigen3 nlohmann_json Torch; do
  fails "homolog: $package was not found. Give its folder in CMAKE_PREFIX_PATH" -S "$source" \
    -DCMAKE_DISABLE_FIND_PACKAGE_$package=ON
done
fails "homolog: stb_image.h was not found. Give its folder in HOMOLOG_STB_INCLUDE_DIR" -S "$source" \
  -DCMAKE_IGNORE_PATH="$(sed -n 's/^HOMOLOG_STB_INCLUDE_DIR:[A-Z]*=//p' "$BUILD/CMakeCache.txt")"
mkdir "$work/eigen"
echo 'add_library(Eigen3::Eigen INTERFACE IMPORTED)' >"$work/eigen/Eigen3Config.cmake"
echo 'set(PACKAGE_VERSION 3.3.9)' >"$work/eigen/Eigen3ConfigVersion.cmake"
fails "homolog: Eigen 3.3.9 was found, and 3.4 or newer is needed" -S "$source" -DEigen3_DIR="$work/eigen"
core=$(dirname "$0")/core
fails "homolog: Eigen3 was not found. Give its folder in CMAKE_PREFIX_PATH" -S "$core" \
  -DWAY=add_subdirectory -DHOMOLOG_SOURCE="$source" -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON
fails "for homolog's component 'core' Eigen3 was not found. Give its folder in CMAKE_PREFIX_PATH" -S "$core" -DWAY=find_package \
  -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON
