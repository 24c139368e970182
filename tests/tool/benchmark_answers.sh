#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kernel benchmarks on small shapes: no rival answers wrongly, and every one answers.
set -euo pipefail
out=$("$1" --benchmark_filter='D:(384|768)/grid:(16|37)/N:(1|7|20|136)/' --benchmark_min_time=0.0001 2>&1)
echo "$out" | tail -n 5
if grep -i "error" <<<"$out"; then exit 1; fi
for rival in homolog ATen Eigen; do grep -q "argmax.*/$rival/" <<<"$out"; done
