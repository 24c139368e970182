#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the project in core/ in one of three ways; LibTorch is kept out of its reach, and a
# CMAKE_CXX_STANDARD before C++20 is raised with a word.
#   core.sh SOURCE PREFIX WORK WAY
set -euo pipefail
source=$1 prefix=$2 work=$3 way=$4
rm -rf "$work"
"$CMAKE" -S "$(dirname "$0")/core" -B "$work" -DWAY="$way" -DHOMOLOG_SOURCE="$source" \
  -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON \
  -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_STANDARD=17 |
  tee "$work.log"
grep -F "CMAKE_CXX_STANDARD is 17" "$work.log"
"$CMAKE" --build "$work"
"$work/consumer"
"$work/laws"
