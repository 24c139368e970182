#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a new user does with nothing but the README: an empty folder, its program, its CMake lines in
# one of the three ways, its commands, with homolog installed in ~/.local. Prints how long that took.
#   readme_program.sh SOURCE PREFIX WORK WAY
set -euo pipefail
source=$1 prefix=$2 work=$3 way=$4
if [ -z "${HOMOLOG_VITS14_WEIGHTS:-}" ]; then
  echo "[skipped] HOMOLOG_VITS14_WEIGHTS names no weights to run the program with"
  exit 0
fi
rm -rf "$work"
mkdir -p "$work/app"
# The first C++ block and the first CMake block of the README; of the latter the lines of this way.
awk '/^```cpp/ {on = 1; next} /^```/ {if (on) exit} on' "$source/README.md" >"$work/app/app.cpp"
awk '/^```cmake/ {on = 1; next} /^```/ {if (on) exit} on' "$source/README.md" >"$work/README.cmake"
case $way in  # what a reader comments in and out
  find_package) edit='' ;;
  add_subdirectory) edit='s/^find_package/# &/; s/^# (add_subdirectory)/\1/' ;;
  FetchContent) edit='s/^find_package/# &/; s/^# (.*FetchContent)/\1/' ;;
esac
sed -E "$edit" "$work/README.cmake" >"$work/app/CMakeLists.txt"
[ "$way" = find_package ] || ln -s "$source" "$work/app/homolog"
echo "== CMakeLists.txt"
cat "$work/app/CMakeLists.txt"

# The user's machine: homolog in ~/.local, the LibTorch of this build in the active Python environment
# (or on the system, where it is found anyway), files of these names.
mkdir -p "$work/home" "$work/bin"
ln -s "$prefix" "$work/home/.local"
printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "$@"\n' "$(cd "$TORCH_PREFIX/../../.." && pwd)" \
  "$(python3 -c 'import sys; print(sys.executable)')" >"$work/bin/python3"
ln -s "$CMAKE" "$work/bin/cmake"
chmod +x "$work/bin/python3"
cd "$work/app"
ln -s "$HOMOLOG_VITS14_WEIGHTS" weights.safetensors
ln -s "$source/docs/pictures/cat.png" source.png
ln -s "$source/docs/pictures/cat.png" target.png
commands=$(awk '/^```sh/ {on = 1; next} /^```/ {if (on) exit} on' "$source/README.md")
echo "== commands"
echo "$commands"

start=$(date +%s.%N)
HOME=$work/home VIRTUAL_ENV=$work PATH=$work/bin:$PATH bash -euc "$commands" | tee "$work/output"
answer=$(tail -n 1 "$work/output")
printf '%s took %.0f s from an empty folder to the answer\n' "$way" \
  "$(echo "$(date +%s.%N) $start" | awk "{print \$1 - \$2}")"
# A picture matched with itself: the keypoint's own cell.
python3 - "$answer" <<'PY'
import sys
x, y = (float(word) for word in sys.argv[1].split()[:2])
assert abs(x - 120) < 15 and abs(y - 80) < 15, (x, y)
PY
