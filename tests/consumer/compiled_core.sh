#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# homolog::core installed as a static library, and homolog::cuda where nvcc is: the project in core/ on
# it compiles no body of ours, and a plain C++ program calls the decoders that nvcc compiled.
#   compiled_core.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 work=$3
rm -rf "$work"
cuda=OFF
if command -v "${CUDACXX:-nvcc}" >/dev/null; then cuda=ON; fi
"$CMAKE" -S "$source" -B "$work/homolog" -DCMAKE_CXX_COMPILER="$CXX" -DHOMOLOG_COMPILED=ON \
  -DHOMOLOG_WITH_CUDA="$cuda" -DHOMOLOG_WITH_DATASETS=OFF -DHOMOLOG_BUILD_TESTS=OFF \
  -DHOMOLOG_BUILD_EXAMPLES=OFF -DHOMOLOG_BUILD_BENCHMARKS=OFF -DHOMOLOG_BUILD_DOCS=OFF >/dev/null
"$CMAKE" --build "$work/homolog"
"$CMAKE" --install "$work/homolog" --prefix "$work/prefix" --component Devel >/dev/null
consumer=("$CMAKE" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$CXX")
"${consumer[@]}" -S "$(dirname "$0")/core" -B "$work/core" -DWAY=find_package -DCMAKE_BUILD_TYPE=Debug
"$CMAKE" --build "$work/core"
"$work/core/consumer"
"$work/core/laws"
object=$work/core/CMakeFiles/consumer.dir/main.cpp.o
for body in 'find_peak(' 'decode_image('; do
  if nm -C "$object" | grep -E " [TW] homolog::v[0-9_]+::" | grep -F "::$body"; then
    echo "a user's source has compiled the body of $body"
    exit 1
  fi
done
if [ "$cuda" = OFF ]; then
  echo "nvcc was not found: homolog::cuda is not tried"
  exit 0
fi
mkdir "$work/cuda_app"
cat >"$work/cuda_app/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.24)
project(cuda_app LANGUAGES CXX)
find_package(homolog REQUIRED COMPONENTS cuda)
add_executable(app app.cpp)
target_link_libraries(app PRIVATE homolog::cuda)
CMAKE
cat >"$work/cuda_app/app.cpp" <<'CPP'
#include <cstdio>
#include <homolog/kernels/cuda/decode.hpp>

int main() {
  try {
    homolog::cuda::decode(nullptr, 1, {4, 5, 0, 0, 6, 4}, {}, nullptr, nullptr);
  } catch (const homolog::ShapeError& error) {
    std::puts(error.what());
    return 0;
  }
  return 1;
}
CPP
"${consumer[@]}" -S "$work/cuda_app" -B "$work/cuda_app/build"
"$CMAKE" --build "$work/cuda_app/build"
"$work/cuda_app/build/app"
