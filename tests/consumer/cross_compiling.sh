#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The preset aarch64 configures with the tools of the other machine alone: this machine's nvcc and Python
# are not asked. An example builds, and runs under QEMU where it is.
#   cross_compiling.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 work=$3
command -v aarch64-linux-gnu-g++ >/dev/null || { echo "[skipped] no aarch64-linux-gnu-g++ here"; exit 0; }
rm -rf "$work"
mkdir -p "$work/bin"
for tool in nvcc python3 python; do
  printf '#!/bin/sh\necho %s >>"%s"\nexit 1\n' "$tool" "$work/asked" >"$work/bin/$tool"
  chmod +x "$work/bin/$tool"
done
cd "$source"
PATH=$work/bin:$PATH "$CMAKE" --preset aarch64 -B "$work/build" -DCMAKE_BUILD_TYPE=Debug
# With LibTorch, which is not there for the other machine: its wheel for this one is none.
! env -u CMAKE_PREFIX_PATH PATH="$work/bin:$PATH" "$CMAKE" --preset aarch64 -B "$work/with_torch" \
  -DHOMOLOG_WITH_TORCH=ON >"$work/log" 2>&1 || { echo "found a LibTorch for aarch64"; exit 1; }
grep -F "Torch was not found" "$work/log"
[ ! -e "$work/asked" ] || { echo "asked although they are for this machine:"; cat "$work/asked"; exit 1; }
"$CMAKE" --build "$work/build" --target 02_without_libtorch
qemu=$(sed -n 's/^HOMOLOG_QEMU_AARCH64:[A-Z]*=//p' "$work/build/CMakeCache.txt")
case $qemu in
  *NOTFOUND) echo "built; no qemu-aarch64 here to run it" ;;
  *) "$qemu" -L /usr/aarch64-linux-gnu "$work/build/bin/02_without_libtorch" ;;
esac
