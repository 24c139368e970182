#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A program of two sources that were compiled with different flags, and exchange every public type:
# what one makes, the other resizes, moves and frees. Seven pairs of flags, each linked in both orders,
# since the linker keeps the first copy of a function that both sources hold.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$WORK" && mkdir -p "$WORK" && cd "$WORK"

case $(uname -m) in
  x86_64) vectors=(-mavx2) wide=(-mavx512f -mfma) needed=avx512f ;;
  aarch64) vectors=(-march=armv8.2-a) wide=(-march=armv8.2-a+sve) needed=sve ;;
  *) echo "[skipped] no pairs of flags are known for $(uname -m)"; exit 0 ;;
esac
if ! grep -qw $needed /proc/cpuinfo; then
  echo "this machine has no $needed: ${vectors[*]} is tried in place of ${wide[*]}"
  wide=("${vectors[@]}")
fi

compile() {  # OUTPUT SOURCE FLAG...
  # shellcheck disable=SC2086
  "$CXX" -std=c++20 -I"$here" $INCLUDES "${@:3}" -c "$here/$2" -o "$1"
}
compile main.o two_flags_main.cpp -O2
compile first_baseline.o two_flags_side.cpp -DSIDE=first -O2
compile first_vectors.o two_flags_side.cpp -DSIDE=first -O2 "${vectors[@]}"
compile first_address.o two_flags_side.cpp -DSIDE=first -O2 -fsanitize=address
compile first_O0.o two_flags_side.cpp -DSIDE=first -O0
# Nothing of homolog allocates by Eigen, not even for itself: the linker may keep one side's malloc and
# the other's free. (Without optimisation no function is inlined, so that all are seen.)
if nm -C first_O0.o | grep -E "Eigen::internal::\w*aligned_\w*(malloc|free|new|delete)"; then
  echo "homolog's memory is allocated by Eigen"
  exit 1
fi
compile second_native.o two_flags_side.cpp -DSIDE=second -O2 -march=native
compile second_vectors.o two_flags_side.cpp -DSIDE=second -O2 "${vectors[@]}"
compile second_wide.o two_flags_side.cpp -DSIDE=second -O2 "${wide[@]}"
compile second_address.o two_flags_side.cpp -DSIDE=second -O2 -fsanitize=address

address=true
echo 'int main() {}' | "$CXX" -fsanitize=address -x c++ - -o address 2>/dev/null || address=false
failed=0
pair() {  # FIRST SECOND WORDS
  local options=(-pthread) answers=()
  [[ $1$2 != *address* ]] || options+=(-fsanitize=address)
  "$CXX" "${options[@]}" main.o "first_$1.o" "second_$2.o" -o "$1_$2"
  "$CXX" "${options[@]}" "second_$2.o" "first_$1.o" main.o -o "$2_$1"
  for program in "$1_$2" "$2_$1"; do
    local status=0
    "./$program" > "$program.txt" 2>&1 || status=$?
    answers+=("$status")
    [ $status = 0 ] || { failed=1; tail -5 "$program.txt"; }
  done
  echo "$3: exit ${answers[*]}"
}
pair baseline native "baseline and -march=native"
pair baseline vectors "baseline and ${vectors[*]}"
pair baseline wide "baseline and ${wide[*]}"
pair vectors native "${vectors[*]} and -march=native"
pair O0 native "-O0 and -march=native"
if $address; then
  pair baseline address "baseline and AddressSanitizer"
  pair address native "AddressSanitizer and -march=native"
else
  echo "AddressSanitizer's library for $CXX is not installed: its two pairs are left out"
fi
exit $failed
