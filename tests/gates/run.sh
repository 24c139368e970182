#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What must hold besides the tests, each part with its seconds: clang-tidy, format, API reference,
# code in docs and their site, packaging, headers, sanitizers and coverage, 64-bit ARM under QEMU,
# threads. Ends with "N passed, N failed".
#   tests/gates/run.sh [part...]   parts: tidy format reference docs packaging headers sanitized arm64
#     threads
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build
gates=$root/tests/gates
mkdir -p "$build"
. "$root/cmake/prepare_machine.sh"
need_packages "${build_packages[@]}" doctest-dev libopencv-core-dev clang clang-tidy clang-format doxygen \
  graphviz pkg-config g++-aarch64-linux-gnu qemu-user || exit 1
need_libtorch || exit 1
need_python gcovr==8.3 mkdocs==1.6.1 pygments==2.21.0 || exit 1

format() {
  local file result=0
  while read -r file; do  # --dry-run of clang-format 14 has words for comments that it leaves alone
    clang-format "$root/$file" | diff -u --label "$file" --label formatted "$root/$file" - || result=1
  done < <(git -C "$root" ls-files '*.hpp' '*.cpp' '*.cu' '*.cuh')
  return "$result"
}
headers() {
  "$python" "$gates/headers.py" --torch "$torch_root" --times "$build/compile_time.csv" \
    --markdown "$build/compile_time.md" g++ clang++
}
tidy() { bash "$gates/tidy.sh" "$torch_root"; }
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
  "$python" "$gates/code_blocks.py" --torch "$torch_root" "${tool[@]}" g++ clang++ || return 1
  "$python" -m mkdocs build --strict --quiet --config-file "$root/docs/site/mkdocs.yml" || return 1
  "$python" "$gates/site.py" "$build/site"
}
sanitized() { bash "$gates/sanitized.sh" "$build/sanitized" "$python"; }
threads() { bash "$gates/threads.sh" "$build/threads"; }
arm64() { bash "$gates/arm64.sh" "$build/arm64" "$python"; }
packaging() { bash "$gates/packaging.sh" "$build/packaging" "$python"; }

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(tidy format reference docs packaging headers sanitized arm64 threads)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
run_part() {
  local part=$1 start=$SECONDS result=passed
  "$part" >"$results/output of $part" 2>&1 || result=FAILED
  printf '%-10s %s, %d s\n' "$part" "$result" $((SECONDS - start)) >"$results/$part"
  say "gate: $part" && cat "$results/output of $part"
}
for part in "${parts[@]}"; do
  echo "gate: $part begins"
  case $part in
    headers | sanitized | arm64) wait && run_part "$part" ;;  # keep all cores busy by themselves
    *)
      while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do wait -n; done
      run_part "$part" &
      ;;
  esac
done
wait
say "gates"
cd "$results" && cat "${parts[@]}"
failed=$(cat "${parts[@]}" | grep -c FAILED)
echo "$((${#parts[@]} - failed)) passed, $failed failed"
[ "$failed" = 0 ]
