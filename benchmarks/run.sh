#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks, rivals interleaved in one process, and writes docs/benchmarks.md.
#   benchmarks/run.sh [Google Benchmark arguments, such as --benchmark_filter=argmax/D:768]
# On an idle machine: about five minutes. JSON results lie under build/benchmarks/.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
out=$build/benchmarks
mkdir -p "$out"
. "$root/cmake/prepare_machine.sh"

need_packages "${build_packages[@]}" libbenchmark-dev libfaiss-dev
need_libtorch
say "building"
configure_and_build "$build/release" matching_benchmark training_step -- -DHOMOLOG_BUILD_BENCHMARKS=ON
bin=$build/release/bin

# Waiting OpenMP threads of one rival must not take the cores from the next.
export OMP_WAIT_POLICY=PASSIVE
say "matching"
"$bin/matching_benchmark" --benchmark_repetitions=5 --benchmark_enable_random_interleaving \
  --benchmark_min_time=0.01 \
  --benchmark_out="$out/matching.json" --benchmark_out_format=json "$@" >"$out/matching.log"
say "training step"
for threads in 1 2; do "$bin/training_step" --threads "$threads"; done | tee "$out/training_step.txt"
python3 "$root/benchmarks/ratios.py" "$out" "$root/docs/benchmarks.md"
