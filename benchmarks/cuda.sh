#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks of a CUDA device and writes the tables of
# docs/reference/cuda_results.md. Needs nvcc and a CUDA build of LibTorch, whose folder
# CMAKE_PREFIX_PATH names; `python3` holds its PyTorch and `transformers`. About three minutes.
#   benchmarks/cuda.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
out=$build/benchmarks
mkdir -p "$out"
. "$root/cmake/prepare_machine.sh"
need_packages "${build_packages[@]}"
need_libtorch
say "building"
configure_and_build "$build/release" cuda_matching backbone_forward -- -DHOMOLOG_BUILD_BENCHMARKS=ON
bin=$build/release/bin

say "matching"
"$bin/cuda_matching" --output "$out/cuda_matching.md"
say "forward next to transformers"
export HF_HUB_OFFLINE=1
for batch in 1 32; do
  models=(dinov2_vitb14@518x518) dtypes=(bfloat16)
  [ "$batch" = 1 ] && models+=(dinov3_vitl16@512x512 sam_vit_l@1024x1024) dtypes=(float32 bfloat16)
  python3 "$root/benchmarks/backbone_forward.py" "$bin/backbone_forward" --device cuda --batch "$batch" \
    --models "${models[@]}" --dtypes "${dtypes[@]}" --repeats 15 \
    --markdown "$out/cuda_forward_$batch.md"
done
{
  cat "$out/cuda_matching.md"
  printf '\nOne forward next to `transformers` (ratio: our time over theirs):\n\n'
  cat "$out/cuda_forward_1.md"
  tail -n +3 "$out/cuda_forward_32.md"
} >"$out/cuda.md"
python3 "$root/benchmarks/put_results.py" "$out/cuda.md" "$root/docs/reference/cuda_results.md"
