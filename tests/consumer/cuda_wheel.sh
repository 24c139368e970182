#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A project that uses homolog next to a CUDA build of LibTorch, without CUDA's toolkit: installed and
# by add_subdirectory, with all of the wheel's CUDA libraries, with none, and with too few. The wheel
# is the one here in the shape of a CUDA build of a CUDA that no machine has: its CMake files say so,
# and small libraries stand for the CUDA ones.
#   cuda_wheel.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 prefix=$2 work=$3
real=$(cd "$TORCH_PREFIX/../.." && pwd)
[ -f "$real/lib/libtorch_cpu.so" ] || { echo "[skipped] the LibTorch here is not a wheel's"; exit 0; }
rm -rf "$work"
site=$work/venv/lib/site-packages
wheel=$site/torch
mkdir -p "$wheel/lib" "$site/nvidia/cu99/lib" "$site/torch-9.dist-info" "$work/app"

cp -r "$real/share" "$wheel"
sed -i -e 's/set(CAFFE2_USE_CUDA 0)/set(CAFFE2_USE_CUDA 1)/; s/if( AND NOT CAFFE2_USE_CUDA)/if(1 AND NOT CAFFE2_USE_CUDA)/' \
  -e '/^if(0)$/{N;/public\/cuda.cmake/s/if(0)/if(1)/}' "$wheel/share/cmake/Caffe2/Caffe2Config.cmake"
touch "$wheel/__init__.py"
ln -s "$real/include" "$wheel/include"
ln -s "$real"/lib/*.so* "$wheel/lib"
for folder in "$real"/../nvidia/*/; do [ -d "$folder" ] && ln -s "$folder" "$site/nvidia"; done
rm -f "$wheel"/lib/lib{torch,torch_cuda,c10_cuda}.so
echo "Requires-Dist: nvidia-cuda-cupti-cu99 (==99.1) ; platform_system == \"Linux\"" \
  >"$site/torch-9.dist-info/METADATA"
library() {  # FOLDER NAME SONAME NEEDED...: of the folder's libraries, or of the wheel's CUDA ones
  local folder=$1 name=$2 soname=$3 needed=()
  shift 3
  for file in "$@"; do needed+=("$folder/$file"); done
  echo "int homolog_test_${name//[^a-z0-9]/_}() { return 0; }" | "$CXX" -x c++ -shared -fPIC - -x none \
    -o "$folder/$soname" -Wl,-soname,"$soname" -Wl,--no-as-needed -Wl,--disable-new-dtags \
    -Wl,-rpath,'$ORIGIN:$ORIGIN/../../nvidia/cu99/lib' "${needed[@]}" -Wl,--allow-shlib-undefined
}
cuda=../../nvidia/cu99/lib
library "$site/nvidia/cu99/lib" cudart libcudart.so.99
library "$site/nvidia/cu99/lib" cublas libcublas.so.99
library "$wheel/lib" c10_cuda libc10_cuda.so $cuda/libcudart.so.99
library "$wheel/lib" torch_cuda libtorch_cuda.so libc10_cuda.so $cuda/libcublas.so.99
library "$wheel/lib" torch libtorch.so libtorch_cpu.so libtorch_cuda.so

cat >"$work/app/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.24)
project(app LANGUAGES CXX)
if(SOURCE)
  add_subdirectory(${SOURCE} homolog)
else()
  find_package(homolog REQUIRED COMPONENTS homolog)
endif()
add_executable(app app.cpp)
target_link_libraries(app PRIVATE homolog::homolog)
CMAKE
cat >"$work/app/app.cpp" <<'CPP'
#include <c10/core/Device.h>
#ifdef CALLS_CUDA  // as NCCL's part of homolog::distributed does
int homolog_test_torch_cuda();
int main() { return c10::Device("cuda:1").index() - 1 + homolog_test_torch_cuda(); }
#else
int main() { return c10::Device("cuda:1").index() - 1; }
#endif
CPP
# As on a machine without the toolkit, whatever is here.
configure() {  # FOLDER CMAKE_ARGUMENT...
  local folder=$work/$1
  shift
  "$CMAKE" -S "$work/app" -B "$folder" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_DISABLE_FIND_PACKAGE_CUDA=ON "$@" >"$folder.log" 2>&1
}
says() {  # FOLDER SENTENCE
  tr -s ' \n' ' ' <"$work/$1.log" >"$work/line"  # CMake wraps sentences
  grep -qF "$2" "$work/line" || { cat "$work/$1.log"; echo "expected: $2"; exit 1; }
  echo "ok: $1: $2"
}
builds() {  # FOLDER: the program runs; prints which libraries of LibTorch it loads by itself
  "$CMAKE" --build "$work/$1" >>"$work/$1.log" 2>&1 || { tail -n 30 "$work/$1.log"; exit 1; }
  "$work/$1/app" || { echo "the program of $1 does not run"; exit 1; }
  loads=$(ldd "$work/$1/app")
}

# LibTorch's own CMake files stop here, so each way below does without them.
mkdir -p "$work/plain"
printf '%s\n' 'cmake_minimum_required(VERSION 3.24)' 'project(plain LANGUAGES CXX)' \
  'find_package(Torch REQUIRED)' >"$work/plain/CMakeLists.txt"
if "$CMAKE" -S "$work/plain" -B "$work/plain/build" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_PREFIX_PATH="$wheel" \
  -DCMAKE_DISABLE_FIND_PACKAGE_CUDA=ON >"$work/plain.log" 2>&1; then
  echo "find_package(Torch) takes the made wheel without a toolkit: it has not the shape of a CUDA build"
  exit 1
fi
says plain "Your installed Caffe2 version uses CUDA but I cannot find the CUDA libraries"

configure installed -DCMAKE_PREFIX_PATH="$prefix;$wheel/share/cmake" || { cat "$work/installed.log"; exit 1; }
says installed "for the CPU and CUDA 99, without a CUDA toolkit"
builds installed
grep -q libtorch_cuda.so <<<"$loads" || { echo "libtorch_cuda was dropped: $loads"; exit 1; }
"$CMAKE" -DCMAKE_CXX_FLAGS=-DCALLS_CUDA "$work/installed" >"$work/installed.log" 2>&1
builds installed

# A newcomer's virtual environment, by its Python alone; the wheel given as CMake takes it.
mkdir -p "$work/venv/bin"
printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "$@"\n' "$site" \
  "$(python3 -c 'import sys; print(sys.executable)')" >"$work/venv/bin/python3"
chmod +x "$work/venv/bin/python3"
VIRTUAL_ENV=$work/venv configure by_python -DCMAKE_PREFIX_PATH="$prefix" || { cat "$work/by_python.log"; exit 1; }
says by_python "of $wheel, for the CPU and CUDA 99"
for given in CMAKE_PREFIX_PATH="$site" CMAKE_PREFIX_PATH="$wheel" Torch_DIR="$wheel/share/cmake/Torch"; do
  configure given -DSOURCE="$source" -D"$given" || { cat "$work/given.log"; exit 1; }
  says given "of $wheel, for the CPU and CUDA 99"
  rm -r "$work/given"
done

# Half a toolkit: an nvcc of this CUDA, but nothing that LibTorch's CMake files would find.
mkdir -p "$work/toolkit/bin"
printf '#!/bin/sh\necho "Cuda compilation tools, release 99.0, V99.0.1"\n' >"$work/toolkit/bin/nvcc"
chmod +x "$work/toolkit/bin/nvcc"
CUDA_HOME=$work/toolkit configure half -DSOURCE="$source" -DCMAKE_PREFIX_PATH="$wheel" ||
  { cat "$work/half.log"; exit 1; }
says half "of $wheel, for the CPU and CUDA 99, without a CUDA toolkit"

rm "$site/nvidia/cu99/lib/libcublas.so.99"
configure cpu -DSOURCE="$source" -DCMAKE_PREFIX_PATH="$wheel" || { cat "$work/cpu.log"; exit 1; }
says cpu "for the CPU alone, as libcublas.so.99 of its CUDA libraries is not here"
builds cpu
grep -q libtorch_cpu.so <<<"$loads" || { echo "no libtorch_cpu: $loads"; exit 1; }
if grep -q libtorch_cuda.so <<<"$loads"; then echo "libtorch_cuda is loaded: $loads"; exit 1; fi

# What the CPU side needs too is named, with what to type.
rm "$wheel/lib/libtorch_cpu.so"
library "$site/nvidia/cu99/lib" cupti libcupti.so.99
library "$wheel/lib" torch_cpu libtorch_cpu.so $cuda/libcupti.so.99
rm "$site/nvidia/cu99/lib/libcupti.so.99"
if configure none -DSOURCE="$source" -DCMAKE_PREFIX_PATH="$wheel"; then
  echo "configured without libcupti, which the program would not start without"
  exit 1
fi
says none "of $wheel needs libcupti.so.99 on the CPU too, which was not found. It comes by: pip install nvidia-cuda-cupti-cu99==99.1"
if configure none_installed -DCMAKE_PREFIX_PATH="$prefix;$wheel"; then
  echo "find_package(homolog) takes a LibTorch that cannot be loaded"
  exit 1
fi
says none_installed "needs libcupti.so.99 on the CPU too, which was not found"
