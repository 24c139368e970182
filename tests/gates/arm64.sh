#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 64-bit ARM by cross-compiling and QEMU: tests that need no LibTorch, answers that have the bits of
# x86's AVX2, and how many instructions NEON's kernels save.
#   arm64.sh BUILD_FOLDER PYTHON [room...]   rooms of tests/, such as kernels; all by default
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 python=$2
shift 2
rooms=("$@")
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S "$root" --preset aarch64 -B "$folder" -DHOMOLOG_BUILD_EXAMPLES=OFF \
  -DHOMOLOG_BUILD_BENCHMARKS=OFF "${launcher[@]}" >"$folder.configure.log" 2>&1 ||
  { tail -n 40 "$folder.configure.log"; exit 1; }
targets=() selected=()
if [ ${#rooms[@]} -gt 0 ]; then
  targets=(--target "${rooms[@]/%/_tests}")
  selected=(-R "^($(IFS='|' && echo "${rooms[*]}")):")
fi
cmake --build "$folder" -j "${JOBS:-2}" "${targets[@]}" >"$folder.build.log" 2>&1 ||
  { grep -E "error|FAILED" "$folder.build.log" | head -n 20; exit 1; }
ctest --test-dir "$folder" -j "${JOBS:-2}" --output-on-failure --no-tests=error --timeout 900 \
  "${selected[@]}" >"$folder.tests.log" 2>&1 ||
  { grep -vE "Passed|Start +[0-9]+:" "$folder.tests.log"; exit 1; }
grep "tests passed" "$folder.tests.log"

answers() {  # COMPILER OPTION... -- what makes tests/kernels/answers.cpp a program
  "$@" -std=c++20 -O3 -DNDEBUG -I"$root/include" -isystem /usr/include/eigen3 \
    "$root/tests/kernels/answers.cpp"
}
answers aarch64-linux-gnu-g++ -static -o "$folder/answers"
qemu-aarch64 "$folder/answers" >"$folder/answers.txt"
head -n 1 "$folder/answers.txt"
[ "$(head -n 1 "$folder/answers.txt")" = "instruction set neon" ]
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  answers g++ -o "$folder/answers_of_x86"
  HOMOLOG_INSTRUCTION_SET=avx2 "$folder/answers_of_x86" >"$folder/answers_of_x86.txt"
  "$python" "$root/tests/kernels/compare_answers.py" "$folder/answers_of_x86.txt" "$folder/answers.txt"
else
  echo "[skipped] this machine has no AVX2 whose answers NEON's could be compared with"
fi
CMAKE=cmake bash "$root/tests/consumer/cross_compiling.sh" "$root" "" "$folder.cross_compiling" \
  >"$folder.cross_compiling.log" 2>&1 || { tail -n 20 "$folder.cross_compiling.log"; exit 1; }
tail -n 1 "$folder.cross_compiling.log"
bash "$root/benchmarks/instruction_counts.sh" "$folder/instruction_counts"
