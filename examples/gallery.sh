#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the pictures of README.md and docs/ again, with the library: matches, similarity maps, what
# the matchers decode, and a pair of the synthetic set. Run examples/quickstart.sh before.
#   examples/gallery.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
out=$root/docs/pictures
work=$build/gallery
mkdir -p "$out" "$work"
. "$root/cmake/prepare_machine.sh"
need_libtorch
need_python pillow
configure_and_build "$build/release" homolog_tool 07_similarity_maps --
bin=$build/release/bin
weights=$build/weights/vits14_focus.safetensors
layer=9  # of the quickstart's weights, whose last blocks were tuned for something else

"$python" "$root/examples/fetch_gallery_pictures.py" "$work"
"$bin/homolog" match --source "$work/cat.png" --target "$work/raccoon.png" \
  --points "171,116;318,137;263,243;62,12;368,38;262,285" --weights "$weights" --layer $layer \
  --matcher window-soft-argmax --query bilinear --output "$out/matches.jpg"
for point in "eye 171 116" "nose 263 243" "ear 62 12"; do
  read -r name x y <<<"$point"
  "$bin/07_similarity_maps" "$weights" $layer "$work/cat.png" "$work/raccoon.png" "$x" "$y" \
    "$out/decoding_$name.jpg"
done
cp "$work/cat.png" "$out/cat.png"

"$bin/homolog" evaluate --dataset synthetic --root "$build/quickstart/synthetic" --split test \
  --weights "$weights" --layer 8 --image-size 224 --query bilinear --matcher window-soft-argmax \
  --temperature 50 --checkpoint "$build/quickstart/tuned" --pictures "$work/synthetic" \
  --picture-count 3
"$python" - "$work/synthetic" "$out/synthetic.jpg" <<'PY'
import pathlib, sys
from PIL import Image
parts = [Image.open(path).convert("RGB") for path in sorted(pathlib.Path(sys.argv[1]).glob("*.*g"))[:3]]
sheet = Image.new("RGB", (max(p.width for p in parts), sum(p.height + 8 for p in parts)), "white")
top = 0
for part in parts:
    sheet.paste(part, (0, top))
    top += part.height + 8
sheet.save(sys.argv[2], quality=90)
PY
echo "pictures in $out"
