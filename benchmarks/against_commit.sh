#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether a change made matching or the forward slower: this tree and an older commit, in turns.
#   benchmarks/against_commit.sh COMMIT [against_commit.py's options]
# On an idle machine with 2 cores: about a quarter of an hour. Everything lies under build/against/.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
commit=$(git -C "$root" rev-parse --verify "$1^{commit}")
shift
before=$build/against/$commit
mkdir -p "$before"
. "$root/cmake/prepare_machine.sh"

need_packages "${build_packages[@]}" libbenchmark-dev
need_libtorch
need_python safetensors
need_python_torch || exit 1
need_python transformers==5.24.0
[ -f "$before/CMakeLists.txt" ] || git -C "$root" archive "$commit" | tar -x -C "$before"
programs=(matching_benchmark backbone_forward)
options=(-DHOMOLOG_BUILD_BENCHMARKS=ON -DHOMOLOG_BUILD_TESTS=OFF -DHOMOLOG_BUILD_EXAMPLES=OFF)
say "building $commit"
(root=$before && configure_and_build "$build/against/before" "${programs[@]}" -- "${options[@]}")
say "building this tree"
configure_and_build "$build/against/now" "${programs[@]}" -- "${options[@]}"
"$python" "$root/benchmarks/against_commit.py" "$build/against/before/bin" "$build/against/now/bin" "$@"
