#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The headers are file sets that CMake verifies: with CMAKE_VERIFY_INTERFACE_HEADER_SETS each compiles
# alone, with what its component links. Here those of the smallest component, and a header that does not
# compile is noticed; the target all_verify_interface_header_sets verifies all, as tests/gates/headers.py does.
#   header_sets.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 work=$3
grep -q '^HOMOLOG_WITH_MATLAB:BOOL=ON' "$BUILD/CMakeCache.txt" || { echo "[skipped] no homolog::matlab here"; exit 0; }
rm -rf "$work"
mkdir -p "$work/copy"
cp -r "$source/CMakeLists.txt" "$source/cmake" "$source/include" "$work/copy"
"$CMAKE" -S "$work/copy" -B "$work/build" -DCMAKE_CXX_COMPILER="$CXX" -DHOMOLOG_WITH_TORCH=OFF \
  -DHOMOLOG_BUILD_TESTS=OFF -DHOMOLOG_BUILD_EXAMPLES=OFF -DHOMOLOG_BUILD_BENCHMARKS=OFF \
  -DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON -DCMAKE_BUILD_TYPE=None >/dev/null
target=homolog_matlab_verify_interface_header_sets
"$CMAKE" --build "$work/build" --target $target
sed -i '1i #error this header does not compile' "$work/copy/include/homolog/datasets/matlab.hpp"
if "$CMAKE" --build "$work/build" --target $target >/dev/null; then
  echo "a header that does not compile passes"
  exit 1
fi
