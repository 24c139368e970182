#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What must hold besides the tests, each part with its minutes: format, headers, clang-tidy, API
# reference, code in docs, sanitizers and coverage. Ends with "N passed, N failed".
#   tests/gates/run.sh [part...]      parts: format headers tidy reference docs sanitized packaging
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build
gates=$root/tests/gates
mkdir -p "$build"
. "$root/cmake/prepare_machine.sh"
need_packages "${build_packages[@]}" doctest-dev libopencv-core-dev clang clang-tidy clang-format doxygen \
  graphviz pkg-config || exit 1
need_libtorch || exit 1
need_python gcovr==8.3 || exit 1
torch=$(cd "$torch_prefix/../.." && pwd)  # of share/cmake

format() {
  (cd "$root" && git ls-files '*.hpp' '*.cpp' '*.cu' '*.cuh' | xargs clang-format --dry-run -Werror)
}
headers() {
  "$python" "$gates/headers.py" --torch "$torch" --times "$build/compile_time.csv" \
    --markdown "$build/compile_time.md" g++ clang++
}
tidy() { bash "$gates/tidy.sh" "$torch"; }
reference() {
  mkdir -p "$build/docs"
  local warnings
  warnings=$(cd "$root" && doxygen docs/Doxyfile 2>&1 >/dev/null)
  if [ -n "$warnings" ]; then
    printf '%s\n' "$warnings" | head -n 20
    return 1
  fi
  echo "Doxygen: no warning, $(find "$build/docs/html" -name '*.html' | wc -l) pages"
}
docs() {
  local tool=()
  [ -x "$build/release/bin/homolog" ] && tool=(--homolog "$build/release/bin/homolog")
  "$python" "$gates/code_blocks.py" --torch "$torch" "${tool[@]}" g++ clang++
}
sanitized() { bash "$gates/sanitized.sh" "$build/sanitized" "$python"; }
packaging() { bash "$gates/packaging.sh" "$build/packaging" "$python"; }

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(format headers tidy reference docs sanitized packaging)
passed=0 failed=0 lines=()
for part in "${parts[@]}"; do
  say "gate: $part"
  start=$SECONDS
  if "$part"; then
    passed=$((passed + 1)) result=passed
  else
    failed=$((failed + 1)) result=FAILED
  fi
  lines+=("$(printf '%-10s %s, %d s' "$part" "$result" $((SECONDS - start)))")
done
say "gates"
printf '%s\n' "${lines[@]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
