#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over all headers in one source, with the kept list of .clang-tidy. One source that
# includes everything also finds two definitions of one name.
#   tidy.sh LIBTORCH
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source=$(mktemp --suffix=.cpp)
trap 'rm -f "$source"' EXIT
(cd "$root/include" && find homolog -name '*.hpp' ! -path homolog/testing/doctest.hpp | sort |
  sed 's/.*/#include "&"/') >"$source"
torch=(-isystem "$1/include" -isystem "$1/include/torch/csrc/api/include")
[ "$1" != /usr ] || torch=("${torch[@]:2}")  # compilers search /usr/include by themselves, last
clang-tidy --quiet "$source" --config-file="$root/.clang-tidy" -- -std=c++20 -I "$root/include" \
  -isystem /usr/include/eigen3 -isystem /usr/include/stb -isystem /usr/include/opencv4 \
  "${torch[@]}" -DUSE_C10D_GLOO 2>/dev/null
echo "clang-tidy: nothing to say about $(grep -c . "$source") headers"
