#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether a change of the code changed an answer: this tree's tool and that of an older commit, on the
# same commands, to the bit. For moves of code that must leave every result as it was.
#   tests/parity/against_commit.sh COMMIT [NAME]...   (names as against_commit.py prints them)
# What the older commit answered is kept under build/against/COMMIT for the next run.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build
. "$root/cmake/prepare_machine.sh"
need_commit "$1"
shift

need_packages "${build_packages[@]}"
need_libtorch
need_python numpy onnx
export HOMOLOG_TEST_DATA=${HOMOLOG_TEST_DATA:-$root/../shared/data}
weights=$build/weights/vits14_focus.safetensors
[ -f "$weights" ] || "$python" "$root/examples/fetch_default_weights.py" "$weights"
if [ ! -x "$before/tool/bin/homolog" ]; then
  say "building $commit"
  (root=$before_tree && configure_and_build "$before/tool" homolog_tool -- -DHOMOLOG_BUILD_EXAMPLES=ON)
fi
say "building this tree"
configure_and_build "$build/release" homolog_tool -- -DHOMOLOG_BUILD_EXAMPLES=ON
"$python" "$root/tests/parity/against_commit.py" "$before/tool/bin/homolog" "$build/release/bin/homolog" \
  "$before/answers" "$weights" "$@"
