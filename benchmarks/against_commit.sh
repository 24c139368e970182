#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether a change made matching, forward, training or an evaluation slower: this tree and an older
# commit, in turns.
#   benchmarks/against_commit.sh COMMIT [against_commit.py's options]
# On an idle machine with 2 cores: about half an hour. Everything lies under build/against/.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
. "$root/cmake/prepare_machine.sh"
need_commit "$1"
shift

need_packages "${build_packages[@]}" libbenchmark-dev
need_libtorch
need_python safetensors
need_python_torch || exit 1
need_python transformers==5.24.0
programs=(matching_benchmark backbone_forward training_step homolog_tool)
options=(-DHOMOLOG_BUILD_BENCHMARKS=ON -DHOMOLOG_BUILD_TESTS=OFF -DHOMOLOG_BUILD_EXAMPLES=ON)
say "building $commit"
(root=$before_tree && configure_and_build "$before/benchmarks" "${programs[@]}" -- "${options[@]}")
say "building this tree"
configure_and_build "$build/against/now" "${programs[@]}" -- "${options[@]}"
weights=$build/weights/vits14_focus.safetensors
[ -f "$weights" ] || "$python" "$root/examples/fetch_default_weights.py" "$weights"
willow=${HOMOLOG_TEST_DATA:-$root/../shared/data}/PF-dataset-WILLOW
data=()
if [ -d "$willow" ]; then data=(--willow "$willow" --weights "$weights"); else say "[skipped] PF-WILLOW is not there"; fi
"$python" "$root/benchmarks/against_commit.py" "$before/benchmarks/bin" "$build/against/now/bin" "${data[@]}" "$@"
