#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds compiled/: the library once, one program on it, the same with -march=native and header-only;
# prints the seconds of the first and the last, and that all give the same answer.
#   compiled.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 work=$3
if [ -z "${HOMOLOG_VITS14_WEIGHTS:-}" ]; then
  echo "[skipped] HOMOLOG_VITS14_WEIGHTS names no weights to run the program with"
  exit 0
fi
rm -rf "$work"
for compiled in ON OFF; do
  "$CMAKE" -S "$(dirname "$0")/compiled" -B "$work/$compiled" -DHOMOLOG_SOURCE="$source" \
    -DHOMOLOG_COMPILED="$compiled" -DCMAKE_PREFIX_PATH="$TORCH_PREFIX" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="$CXX"
done
seconds() {  # BUILD TARGET
  local start
  start=$(date +%s.%N)
  "$CMAKE" --build "$work/$1" --target "$2" >/dev/null
  echo "$(date +%s.%N) $start" | awk '{printf "%.1f", $1 - $2}'
}
library=$(seconds ON homolog_compiled)
app=$(seconds ON app)
seconds ON native_app >/dev/null
headers_only=$(seconds OFF headers_only)
echo "seconds to build: library once $library, a program on it $app, the same header-only $headers_only," \
  "$(echo "$headers_only $app" | awk '{printf "%.1f", $1 / $2}') times as long"
picture=$source/docs/pictures/cat.png
one=$("$work/ON/app" "$HOMOLOG_VITS14_WEIGHTS" "$picture" "$picture")
two=$("$work/OFF/headers_only" "$HOMOLOG_VITS14_WEIGHTS" "$picture" "$picture")
native=$("$work/ON/native_app" "$HOMOLOG_VITS14_WEIGHTS" "$picture" "$picture")
echo "answers: $one, header-only $two, with -march=native on the library without it $native"
[ "$one" = "$two" ] && [ "$one" = "$native" ]
