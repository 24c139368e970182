#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs all tests; what cannot run here says so and counts as skipped.
#   tests/run.sh [ctest arguments, such as -R images]
# Data sets are looked for in HOMOLOG_TEST_DATA (default: ../shared/data).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
mkdir -p "$build"
. "$root/cmake/prepare_machine.sh"

need_packages "${build_packages[@]}" doctest-dev libbenchmark-dev libopencv-core-dev clang libclang-rt-dev \
  libc++-dev libc++abi-dev
need_libtorch
need_python numpy onnx safetensors
if need_python_torch; then
  need_python transformers==5.24.0 ||
    echo "transformers cannot be installed here: the comparisons with it are skipped"
fi
say "building"
configure_and_build "$build/release" all -- -DHOMOLOG_BUILD_TESTS=ON -DHOMOLOG_BUILD_EXAMPLES=ON

export HOMOLOG_TEST_DATA=${HOMOLOG_TEST_DATA:-$root/../shared/data}
weights=$build/weights/vits14_focus.safetensors
if [ ! -f "$weights" ] && ! "$python" "$root/examples/fetch_default_weights.py" "$weights"; then
  echo "the ViT-S/14 weights cannot be fetched here: tests that need them are skipped"
fi
[ -f "$weights" ] && export HOMOLOG_VITS14_WEIGHTS=$weights
export HOMOLOG_PYTHON=$python
if "$python" "$root/tests/weights/make_reference_files.py" "$build/torch_files"; then
  export HOMOLOG_TORCH_FILES=$build/torch_files
else
  echo "torch reference files cannot be made here: tests that need them are skipped"
fi

say "testing"
# Tests share the cores: threads that spin while they wait would take the time of another test.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
ctest --test-dir "$build/release" -j "${JOBS:-2}" --output-on-failure --timeout 1500 "$@"
