#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Address and undefined-behaviour sanitizers over the tests that need no LibTorch, the file readers
# and their fuzzing included; and, from the same build, line coverage of the headers.
#   sanitized.sh BUILD_FOLDER PYTHON      (PYTHON has gcovr)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 python=$2
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S "$root" --preset sanitized -B "$folder" "${launcher[@]}" >"$folder.configure.log" 2>&1 ||
  { tail -n 40 "$folder.configure.log"; exit 1; }
cmake --build "$folder" -j "${JOBS:-2}" >"$folder.build.log" 2>&1 ||
  { grep -E "error|FAILED" "$folder.build.log" | head -n 20; exit 1; }
find "$folder" -name '*.gcda' -delete
ctest --test-dir "$folder" -j "${JOBS:-2}" --output-on-failure --timeout 900 -E "^compile_fail|^parity|^surroundings.*[+][+]|cuda" \
  | grep -vE "Passed|Start +[0-9]+:" || { echo "tests fail under the sanitizers"; exit 1; }
"$python" -m gcovr --root "$root" --filter "$root/include/homolog/" --object-directory "$folder" \
  "$folder/tests" -j "${JOBS:-2}" --gcov-ignore-parse-errors=all --merge-mode-functions=separate \
  --csv "$folder.coverage.csv" >"$folder.gcovr.log" 2>&1 || { tail -n 20 "$folder.gcovr.log"; exit 1; }
"$python" - "$folder.coverage.csv" <<'PY'
import csv
import sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
lines, covered = (sum(int(row[key]) for row in rows) for key in ("line_total", "line_covered"))
print(f"line coverage of the headers without LibTorch: {100 * covered / lines:.1f} % of {lines} lines; least:")
for row in sorted(rows, key=lambda row: float(row["line_percent"] or 1))[:8]:
    print(f"  {100 * float(row['line_percent'] or 1):5.1f} %  {row['filename']}")
PY
