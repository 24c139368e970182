#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 08_precomputed_features gives the answer of `homolog match`, whose features it reads from files.
#   precomputed_features.sh 08_PRECOMPUTED_FEATURES HOMOLOG PICTURES
set -euo pipefail
if [ -z "${HOMOLOG_VITS14_WEIGHTS:-}" ]; then
  echo "[skipped] no ViT-S/14 weights (HOMOLOG_VITS14_WEIGHTS)"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$3/cat.png target=$3/matches.jpg
for name in source target; do
  "$2" features --image "${!name}" --weights "$HOMOLOG_VITS14_WEIGHTS" --image-size 224 \
    --output "$work/$name.safetensors"
done
"$2" match --source "$source" --target "$target" --points "171,116" --image-size 224 \
  --matcher window-soft-argmax --weights "$HOMOLOG_VITS14_WEIGHTS" --output "$work/m.png" --json "$work/m.json"
answer=$("$1" "$source" "$work/source.safetensors" "$target" "$work/target.safetensors" 171 116)
echo "from files: $answer"
python3 - "$work/m.json" "$answer" <<'PY'
import json, sys
point = json.load(open(sys.argv[1]))["predicted"][0]
x, y = (float(word) for word in sys.argv[2].split()[:2])
assert abs(point[0] - x) < 0.02 and abs(point[1] - y) < 0.02, (point, x, y)
PY
