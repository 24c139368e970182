#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Counts the instructions that 64-bit ARM executes for argmax of 20 queries among 1369 cells of 768
# features, by QEMU: with NEON's kernels and with plain loops. It is a count, not a time. Fails when
# NEON needs more than half of the instructions that the compiler makes of the plain loops.
#   benchmarks/instruction_counts.sh [folder]     needs g++, g++-aarch64-linux-gnu, qemu-user, Eigen
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/instruction_counts}
mkdir -p "$folder"
kernels=$root/benchmarks/kernels
g++ -std=c++20 -O2 -shared -fPIC "$kernels/count_instructions.cpp" -o "$folder/count_instructions.so"
aarch64-linux-gnu-g++ -std=c++20 -O3 -DNDEBUG -static -I"$root/include" -isystem /usr/include/eigen3 \
  "$kernels/argmax_rounds.cpp" -o "$folder/argmax_rounds"

count() {  # SET ROUNDS
  HOMOLOG_INSTRUCTION_SET=$1 qemu-aarch64 -plugin "$folder/count_instructions.so" \
    "$folder/argmax_rounds" "$2" 2>&1 >/dev/null | sed -n 's/^instructions: //p'
}
if [ -z "$(count portable 1)" ]; then
  echo "[skipped] this QEMU takes no plugin of the interface's version 1: instructions are not counted"
  exit 0
fi
# One round is what two have beyond one: the inputs and the start of the program cancel.
one_round() { echo $(($(count "$1" 2) - $(count "$1" 1))); }
portable=$(one_round portable)
neon=$(one_round neon)
awk -v portable="$portable" -v neon="$neon" 'BEGIN {
  printf "argmax 20x1369x768 on ARM64, instructions: portable %d, neon %d, %.2f times fewer\n",
         portable, neon, portable / neon
  exit !(neon > 0 && 2 * neon <= portable)
}'
