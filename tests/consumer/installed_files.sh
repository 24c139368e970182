#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is installed: the component Devel alone is everything; no installed header includes one that is
# not, whichever of homolog's components were built; with all of them, every header there is.
#   installed_files.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 prefix=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
files() { (cd "$1" && find . -type f | sort); }
headers() { (cd "$1" && find homolog -type f | sort); }

"$CMAKE" --install "$BUILD" --prefix "$work/devel" --component Devel >/dev/null
diff <(files "$prefix") <(files "$work/devel") ||
  { echo "the component Devel is not all that is installed"; exit 1; }
echo "Devel: $(files "$work/devel" | wc -l) files"

complete() {  # PREFIX
  local header included
  while read -r header included; do
    [ -f "$1/include/$included" ] || { echo "$header is installed and includes $included, which is not"; exit 1; }
  done < <(cd "$1/include" && grep -rHoE '^ *# *include "homolog/[^"]*"' homolog | sed 's/:.*"\(.*\)"/ \1/')
  echo "$1: $(headers "$1/include" | wc -l) headers, each with what it includes"
}
complete "$prefix"
for option in DATASETS TORCH; do
  "$CMAKE" -S "$source" -B "$work/build" -DCMAKE_CXX_COMPILER="$CXX" -DHOMOLOG_BUILD_TESTS=OFF \
    -DHOMOLOG_BUILD_EXAMPLES=OFF -DHOMOLOG_BUILD_BENCHMARKS=OFF -DHOMOLOG_WITH_MATLAB=OFF \
    -DHOMOLOG_WITH_DATASETS=ON -DHOMOLOG_WITH_$option=OFF >/dev/null
  "$CMAKE" --install "$work/build" --prefix "$work/without_$option" >/dev/null
  complete "$work/without_$option"
done
if [ -d "$prefix/include/homolog/distributed" ] && [ -f "$prefix/include/homolog/datasets/matlab.hpp" ]; then
  diff <(headers "$source/include" | grep -v '/compiled\.hpp$') <(headers "$prefix/include" | grep -v '/compiled\.hpp$') ||
    { echo "not every header is installed"; exit 1; }
fi
