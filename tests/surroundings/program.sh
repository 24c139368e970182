#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The folder program beside this script, compiled with the compiler options given, and run.
#   CXX=g++ INCLUDES="-isystem ..." SOURCE=... WORK=... program.sh sources|one_source [option...]
#     sources      each of the program's sources by itself
#     one_source   all in one, as a unity build does
# Where the options ask for libc++ and it is absent, that is said.
set -euo pipefail
sources=$1
shift
folder=$(cd "$(dirname "$0")/program" && pwd)
rm -rf "$WORK"
mkdir -p "$WORK"
cd "$WORK"
# Not as a system folder, where compilers keep their warnings to themselves.
read -ra includes <<<"${INCLUDES//-isystem $SOURCE\/include/}"
case " $* " in *-stdlib=libc++*)
  if ! echo '#include <vector>' | "$CXX" "$@" -fsyntax-only -x c++ - 2>/dev/null; then
    echo "[skipped] libc++ is not installed, or $CXX does not know it"
    exit 0
  fi ;;
esac
if [ "$sources" = one_source ]; then
  printf '#include "%s"\n' "$folder"/*.cpp >one.cpp
  files=(one.cpp)
else
  files=("$folder"/*.cpp)
fi
"$CXX" -std=c++20 "$@" -I"$SOURCE/include" -I"$SOURCE/examples" -I"$folder" "${includes[@]}" "${files[@]}" -pthread -o program
./program
echo "the program compiles and runs with $*"
