#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two versions of homolog in one program: a copy of include/ gets another version and types of another
# layout. Both work side by side, in one program and in two shared libraries, and a function of one that
# is called with a type of the other does not link.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$WORK" && mkdir -p "$WORK" && cd "$WORK"

cp -r "$SOURCE/include" other
version=$(grep -oE 'inline v[0-9_]+' other/homolog/core/points.hpp | head -1 | cut -d' ' -f2)
find other -type f -exec sed -i "s/\b$version\b/v99_0/g" {} +
# A member more, at the front, in four types.
widen() {  # FILE TYPE
  sed -i -E "s/^(struct|class) $2 \{/&\n  double widened[8] = {1, 2, 3, 4, 5, 6, 7, 8};/" "other/homolog/$1"
  grep -q -A1 -E "^(struct|class) $2 \{" "other/homolog/$1" || { echo "$1 has no $2"; exit 1; }
}
widen core/feature_map.hpp FeatureMap
widen core/float_matrix.hpp FloatMatrix
widen core/execution.hpp KernelWorkspace
widen images/image.hpp Image

compile() {  # OUTPUT INCLUDE OPTION...: without optimisation every function is a copy that may be merged
  # shellcheck disable=SC2086
  "$CXX" -std=c++20 -O0 -fPIC -I"$2" $INCLUDES "${@:3}" -c "$here/two_versions_user.cpp" -o "$1"
}
compile ours.o "$SOURCE/include" -DNAME=ours -DDEFINES_SUM
compile theirs.o other -DNAME=theirs
compile caller.o other -DONLY_CALLS
compile own_caller.o "$SOURCE/include" -DONLY_CALLS
"$CXX" -c "$here/two_versions_main.cpp" -o main.o

for order in "ours.o theirs.o" "theirs.o ours.o"; do
  # shellcheck disable=SC2086
  "$CXX" -pthread main.o $order -o program
  ./program > answers || { echo "in one program, $order: exit $?, $(cat answers)"; exit 1; }
  echo "in one program, $order: $(cat answers)"
done
"$CXX" -shared -pthread ours.o -o libours.so
"$CXX" -shared -pthread theirs.o -o libtheirs.so
for order in "-lours -ltheirs" "-ltheirs -lours"; do
  # shellcheck disable=SC2086
  "$CXX" -pthread main.o -L. $order -Wl,-rpath,. -o program
  ./program > answers || { echo "shared, $order: exit $?, $(cat answers)"; exit 1; }
  echo "as shared libraries, $order: $(cat answers)"
done

"$CXX" -pthread own_caller.o ours.o -o program  # of one version it links
if "$CXX" -pthread caller.o ours.o -o program 2> errors; then
  echo "a function was called with another version's type, and the program links"
  exit 1
fi
sentence=$(grep -m1 -oE "undefined reference to .*v99_0.*" errors) || { cat errors; exit 1; }
echo "a call with the other's type: $sentence"
