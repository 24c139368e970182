#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header after the macros of Qt, Windows and X11, which are in the folder macros beside this script.
#   CXX=g++ INCLUDES="-isystem ..." SOURCE=... WORK=... macros.sh core|all
#     core   what needs no LibTorch. Qt's macros come before everything. The others come after the
#            libraries that ours rest on, where a user must include them too: libstdc++ takes min and
#            max away, and X11's Success stops Eigen
#     all    every header that these folders suffice for. All macros come after LibTorch, which Qt's stop
set -euo pipefail
macros=$(cd "$(dirname "$0")" && pwd)/macros
mkdir -p "$WORK"
# Not as a system folder, where compilers keep their warnings to themselves.
read -ra includes <<<"${INCLUDES//-isystem $SOURCE\/include/}"
cd "$SOURCE/include"
# doctest.hpp wants doctest before it, and Gloo's or OpenCV's headers may be absent.
every=$(find homolog -name '*.hpp' | grep -vE 'testing/doctest|distributed|opencv' | sort)
if [ "$1" = core ]; then
  first=(qt) after=(windows x11)
  with_torch=$(grep -rlE '#include <(torch|ATen|c10)/' homolog) before=
  while [ "$with_torch" != "$before" ]; do  # and what includes those
    before=$with_torch
    with_torch=$(printf '%s\n' "$before" "$(grep -rlFf <(sed 's/.*/"&"/' <<<"$before") homolog)" | sort -u)
  done
  every=$(grep -vxFf <(echo "$with_torch") <<<"$every")
else
  first=() after=(qt windows x11)
fi
{
  for family in "${first[@]}"; do echo "#include \"$macros/$family.h\""; done
  # What our headers include from elsewhere: they will include it again, to no effect.
  grep -hE '^ *#include <' $every | grep -oE '<[^>]*>' | grep -vE 'stb_|<intrin|arm_neon' | sort -u |
    sed 's/.*/#if __has_include(&)\n#include &\n#endif/'
  for family in "${after[@]}"; do echo "#include \"$macros/$family.h\""; done
  sed 's/.*/#include "&"/' <<<"$every"
  # A library that took a macro away would take its test away too.
  sed -nE 's/^#define ([A-Za-z0-9_]+).*/#ifndef \1\n#error \1 is no longer a macro here\n#endif/p' "$macros"/*.h
} >"$WORK/source.cpp"
"$CXX" -std=c++20 -Wall -Wextra -Werror -I. "${includes[@]}" -fsyntax-only "$WORK/source.cpp"
echo "$(wc -l <<<"$every") headers compile after the macros of Qt, Windows and X11"
