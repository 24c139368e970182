#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks, rivals interleaved in one process, and writes the tables of
# docs/reference/benchmarks.md.
#   benchmarks/run.sh [Google Benchmark arguments, such as --benchmark_filter=argmax/D:768]
# On an idle machine with 2 cores: about half an hour, most of it next to Python. JSON results lie under build/benchmarks/.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
out=$build/benchmarks
mkdir -p "$out"
. "$root/cmake/prepare_machine.sh"

need_packages "${build_packages[@]}" libbenchmark-dev libfaiss-dev
need_libtorch
say "building"
configure_and_build "$build/release" matching_benchmark whole_category spair_scale training_step backbone_forward \
  homolog_tool -- -DHOMOLOG_BUILD_BENCHMARKS=ON
bin=$build/release/bin

# Waiting OpenMP threads of one rival must not take the cores from the next.
export OMP_WAIT_POLICY=PASSIVE
say "matching"
"$bin/matching_benchmark" --benchmark_repetitions=5 --benchmark_enable_random_interleaving \
  --benchmark_min_time=0.01 \
  --benchmark_out="$out/matching.json" --benchmark_out_format=json "$@" >"$out/matching.log"
say "whole categories and full resolution"
for threads in 1 2; do "$bin/whole_category" --threads "$threads"; done | tee "$out/whole_category.txt"
say "an evaluation of SPair-71k's size"
for threads in 1 2; do "$bin/spair_scale" --threads "$threads"; done | tee "$out/spair_scale.txt"
say "training step"
for threads in 1 2; do "$bin/training_step" --threads "$threads"; done | tee "$out/training_step.txt"
unset OMP_WAIT_POLICY

# Next to Python: the forward with random weights, PF-WILLOW where weights and pictures are.
need_python numpy
need_python_torch || exit 1
need_python transformers==5.24.0 pillow scipy safetensors
export HF_HUB_OFFLINE=1
say "forward next to transformers"
for threads in 1 2; do
  "$python" "$root/benchmarks/backbone_forward.py" "$bin/backbone_forward" --threads "$threads" \
    --models dinov2_vitb14@518x518 dinov2_vits14@518x518 dinov2_vitb14@224x224 --markdown "$out/forward$threads.md"
done
sed 's/| model/| threads | model/;s/^|---/|---|---/;s/^| dinov2/| 1 | dinov2/' "$out/forward1.md" >"$out/backbone_forward.md"
tail -n +3 "$out/forward2.md" | sed 's/^| dinov2/| 2 | dinov2/' >>"$out/backbone_forward.md"
weights=${HOMOLOG_VITS14_WEIGHTS:-$build/weights/vits14_focus.safetensors}
willow=${HOMOLOG_TEST_DATA:-$root/../shared/data}/PF-dataset-WILLOW
if [ -f "$weights" ] && [ -d "$willow" ]; then
  say "PF-WILLOW next to Python"
  "$python" "$root/benchmarks/python_baseline.py" --homolog "$bin/homolog" --weights "$weights" \
    --root "$willow" --markdown "$out/python_baseline.md"
else
  echo "[skipped] PF-WILLOW next to Python: no $weights or no $willow"
fi
python3 "$root/benchmarks/ratios.py" "$out" "$root/docs/reference/benchmarks.md"
