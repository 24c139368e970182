#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 07_similarity_maps on one picture twice: every matcher finds the keypoint's own place.
#   similarity_maps.sh 07_SIMILARITY_MAPS PICTURES WORK
set -euo pipefail
if [ -z "${HOMOLOG_VITS14_WEIGHTS:-}" ]; then
  echo "[skipped] no ViT-S/14 weights (HOMOLOG_VITS14_WEIGHTS)"
  exit 0
fi
rm -f "$3/maps.png"
"$1" "$HOMOLOG_VITS14_WEIGHTS" 8 "$2/cat.png" "$2/cat.png" 171 116 "$3/maps.png" | tee "$3/maps.txt"
python3 - "$3/maps.txt" "$3/maps.png" <<'PY'
import re, struct, sys
answers = re.findall(r"(\w+) +\(([\d.]+), ([\d.]+)\)", open(sys.argv[1]).read())
assert len(answers) == 4, answers
for name, x, y in answers:
    assert abs(float(x) - 171) < 20 and abs(float(y) - 116) < 20, (name, x, y)
head = open(sys.argv[2], "rb").read(24)
assert struct.unpack(">II", head[16:24]) == (451 + 451 + 300 + 16, 300), head
PY
