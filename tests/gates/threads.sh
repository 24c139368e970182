#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ThreadSanitizer over the thread pool and all that shares it: the tests of its users, in one source.
#   threads.sh FOLDER [INCLUDE]      INCLUDE: homolog's headers, to try others than this tree's
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 headers=${2:-$root/include}
mkdir -p "$folder"
printf '#include "%s"\n' matchers/match_queries_test.cpp \
  core/worker_pool_test.cpp kernels/{attention,bfloat16_scan,mutual_peaks,similarity,upsampled_peak}_test.cpp >"$folder/tests.cpp"
g++ -std=c++20 -O1 -g1 -fsanitize=thread -DHOMOLOG_DEFAULT_TEST_DATA='""' -I"$root/tests" -I"$headers" \
  -isystem /usr/include/eigen3 -isystem /usr/include/stb "$folder/tests.cpp" \
  "$root/tests/support/doctest_main.cpp" -o "$folder/tests" -pthread
TSAN_OPTIONS=halt_on_error=1 "$folder/tests" || { echo "ThreadSanitizer has found something"; exit 1; }
