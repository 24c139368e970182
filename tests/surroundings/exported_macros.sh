#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# homolog hands its user no compiler option and no macro that changes Eigen: its targets have none, and
# Eigen's macros are the same whether or not homolog's headers stand before Eigen's.
#   exported_macros.sh [EXPORTED]   (the definitions and options of homolog's targets, if there are any)
set -euo pipefail
[[ ${1:-} =~ ^\ *$ ]] || { echo "homolog's targets export '$1', expected nothing"; exit 1; }
rm -rf "$WORK" && mkdir -p "$WORK" && cd "$WORK"

eigen_macros() {  # of the lines of a source on the standard input
  # shellcheck disable=SC2086
  "$CXX" -std=c++20 -O2 $INCLUDES -x c++ -E -dM - | grep -E '^#define _?EIGEN' | sort
}

echo '#include <Eigen/Core>' | eigen_macros > alone
for header in "$SOURCE"/include/homolog/{core,images,kernels,matchers,metrics}/*.hpp \
              "$SOURCE"/include/homolog/{pipeline/pipeline,testing/backbone_laws}.hpp; do
  echo "#include \"$header\""
done > headers.cpp
{ cat headers.cpp; echo '#include <Eigen/Core>'; } | eigen_macros > behind_homolog
[ "$(wc -l < alone)" -gt 100 ] || { echo "Eigen's macros were not found"; exit 1; }
diff alone behind_homolog || { echo "homolog's headers change these macros of Eigen"; exit 1; }

# The headers that need other libraries are read as text.
if grep -rnE '#[[:space:]]*(define|undef)[[:space:]]+_?EIGEN' "$SOURCE/include"; then
  echo "these lines change Eigen for whoever includes them"
  exit 1
fi
echo "$(wc -l < headers.cpp) headers leave Eigen's $(wc -l < alone) macros as they are"
