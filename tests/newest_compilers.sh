#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GCC and Clang of the Debian that this runs on, 14 and 19 on Debian 13: the program of
# tests/surroundings in every standard that they know, without a warning, and with libc++; then all
# tests that need no LibTorch, in the newest standard. `tests/fresh_machine.sh trixie compilers` runs it.
#   tests/newest_compilers.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
mkdir -p "$build"
. "$root/cmake/prepare_machine.sh"
need_packages "${build_packages[@]}" doctest-dev clang libc++-dev libc++abi-dev

surroundings=$root/tests/surroundings
log=$build/newest/log
mkdir -p "$build/newest"
failed=0 passed=0
count() {  # WHAT STATUS
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
    echo "passed: $1: $(grep -E "tests passed|runs with|\[skipped\]" "$log" | head -n 1)"
  else
    failed=$((failed + 1))
    echo "FAILED: $1" && grep -vE "Passed|Start +[0-9]+:" "$log" | tail -n 60
  fi
}
program() {  # COMPILER OPTION...
  local status=0 includes="-isystem /usr/include/eigen3 -isystem /usr/include/stb"
  CXX=$1 SOURCE=$root WORK=$build/newest/program INCLUDES=$includes bash "$surroundings/program.sh" \
    one_source "${@:2}" "@$surroundings/warnings.txt" -Werror >"$log" 2>&1 || status=$?
  count "$("$1" --version | head -n 1)" "$status"
}
newest() {  # COMPILER -- the newest standard that it knows
  local standard
  for standard in c++26 c++2c c++23 c++2b c++20; do
    ! "$1" "-std=$standard" -fsyntax-only -x c++ /dev/null 2>/dev/null || { echo "$standard" && return; }
  done
}

for standard in c++20 c++2b "$(newest g++)"; do
  program g++ "-std=$standard" "@$surroundings/warnings_of_gcc.txt"
done
for standard in c++20 c++2b "$(newest clang++)"; do
  program clang++ "-std=$standard"
  program clang++ "-std=$standard" -stdlib=libc++
done

for compiler in g++ clang++; do
  standard=$(newest "$compiler")
  folder=$build/newest/$compiler
  log=$folder.log
  say "tests without LibTorch, $compiler, $standard"
  status=0
  { cmake -S "$root" --preset core -B "$folder" -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_CXX_STANDARD="$(tr bc 36 <<<"${standard: -2}")" -DHOMOLOG_BUILD_EXAMPLES=OFF \
    -DHOMOLOG_BUILD_BENCHMARKS=OFF && cmake --build "$folder" -j "${JOBS:-2}" &&
    ctest --test-dir "$folder" -j "${JOBS:-2}" --output-on-failure --timeout 900 --no-tests=error; } \
    >"$log" 2>&1 || status=$?
  count "tests, $compiler, $standard" "$status"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
