#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# -ffast-math and its kin end in one sentence that says what to type, and what it says to type gives the
# right answers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$WORK" && mkdir -p "$WORK" && cd "$WORK"
# shellcheck disable=SC2206
compile=("$CXX" -std=c++20 $INCLUDES -pthread "$here/fast_math.cpp")

refused() {  # SENTENCE FLAG...
  if "${compile[@]}" "${@:2}" -fsyntax-only 2> errors; then
    echo "${*:2} compiles"
    exit 1
  fi
  grep -m1 error: errors | grep -qF "$1" || { head -3 errors; exit 1; }
  [ "$(wc -l < errors)" -le 20 ] || { echo "${*:2}: $(wc -l < errors) lines instead of a sentence"; exit 1; }
  echo "${*:2}: $1"
}
answers() {  # FLAG...
  "${compile[@]}" "$@" -o program
  ./program || { echo "$*: wrong answers"; exit 1; }
  echo "$*: right answers"
}

infinity="homolog needs NaN and infinity: behind -ffast-math add -fno-finite-math-only -fno-associative-math"
order="homolog needs sums in the order it writes them: behind -ffast-math add -fno-associative-math"
refused "$infinity" -O2 -ffast-math
refused "$infinity" -Ofast
refused "$infinity" -O2 -ffinite-math-only
answers -O2 -ffast-math -fno-finite-math-only -fno-associative-math
if "$CXX" -fassociative-math -fno-signed-zeros -fno-trapping-math -x c++ -E -dM - < /dev/null |
     grep __ASSOCIATIVE_MATH__ > associative; then
  refused "$order" -O2 -ffast-math -fno-finite-math-only
else  # this compiler does not tell: the last bits of sums may change, nothing else does
  answers -O2 -ffast-math -fno-finite-math-only
fi
