#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 01_match_pair on two photographs of cars: the front wheel of one is found near the other's.
set -euo pipefail
data=${HOMOLOG_TEST_DATA:-$(dirname "$0")/../../../shared/data}
cars="$data/PF-dataset-WILLOW/car(S)"
if [ -z "${HOMOLOG_VITS14_WEIGHTS:-}" ] || [ ! -d "$cars" ]; then
  echo "[skipped] no ViT-S/14 weights (HOMOLOG_VITS14_WEIGHTS) or no PF-WILLOW here"
  exit 0
fi
"$1" "$HOMOLOG_VITS14_WEIGHTS" "$cars/Cars_004b.png" "$cars/Cars_028b.png" 60 100 150 110
