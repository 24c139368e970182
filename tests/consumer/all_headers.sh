#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two sources that include every installed header, linked with every component: nothing is defined
# twice, no two headers clash.
#   all_headers.sh SOURCE PREFIX WORK
set -euo pipefail
prefix=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
cd "$work"
# testing/doctest.hpp is for those who include doctest, opencv.hpp for those who have OpenCV.
(cd "$prefix/include" && find homolog -name '*.hpp' ! -path homolog/testing/doctest.hpp \
  ! -path homolog/interop/opencv.hpp | sort | sed 's/.*/#include <&>/') >everything.hpp
printf '#include "everything.hpp"\nint second();\nint main() { return second() - 1; }\n' >main.cpp
printf '#include "everything.hpp"\nint second() { return int(homolog::Argmax{}.reach().value()) + 1; }\n' \
  >second.cpp
cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.24)
project(all_headers LANGUAGES CXX)
find_package(homolog REQUIRED)
add_executable(all_headers main.cpp second.cpp)
target_link_libraries(all_headers PRIVATE homolog::distributed homolog::matlab)
CMAKE
"$CMAKE" -S . -B build -DCMAKE_PREFIX_PATH="$TORCH_PREFIX;$prefix" -DCMAKE_CXX_COMPILER="$CXX"
"$CMAKE" --build build
build/all_headers
echo "$(grep -c . everything.hpp) headers, twice"
