#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# With HOMOLOG_WITH_DATASETS=OFF the whole project generates, tests, examples and benchmarks too: they
# leave out what needs JSON, and none of their sources reaches it.
#   without_datasets.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 work=$3
rm -rf "$work"
"$CMAKE" -S "$source" -B "$work" -DCMAKE_CXX_COMPILER="$CXX" -DHOMOLOG_WITH_DATASETS=OFF \
  -DHOMOLOG_BUILD_TESTS=ON -DHOMOLOG_BUILD_EXAMPLES=ON -DHOMOLOG_BUILD_BENCHMARKS=ON \
  -DCMAKE_UNITY_BUILD=OFF -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
python3 - "$work/compile_commands.json" "$source/include" <<'PY'
import json
import pathlib
import re
import sys
include = pathlib.Path(sys.argv[2])
reached, waiting = set(), {}
for entry in json.load(open(sys.argv[1], encoding="utf-8")):
    waiting[pathlib.Path(entry["directory"], entry["file"])] = entry["file"]
count = len(waiting)
while waiting:
    path, source = waiting.popitem()
    if path in reached:
        continue
    reached.add(path)
    for name in re.findall(r'^ *# *include [<"]([^>"]+)[>"]', path.read_text(encoding="utf-8"), re.M):
        if name.startswith("nlohmann/"):
            sys.exit(f"{source} reaches {name} by {path}")
        for folder in (include, include.parent / "tests", path.parent):
            if (folder / name).is_file():
                waiting[folder / name] = source
print(f"{count} sources, {len(reached)} files, no JSON")
PY
