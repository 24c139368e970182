#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Conan recipe is created and its test package built, with the system's Eigen, JSON and stb in place
# of Conan's; the vcpkg port is run with vcpkg's functions replaced. Neither index is asked.
#   packaging.sh WORK PYTHON
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1 python=$2
rm -rf "$work"
mkdir -p "$work"
version=$(sed -n 's/#define HOMOLOG_VERSION "\(.*\)"/\1/p' "$root/include/homolog/version.hpp")
cmake -DPORT="$root/cmake/packaging/vcpkg" -DWORK="$work/vcpkg" -DVERSION="$version" \
  -P "$root/tests/gates/vcpkg_port.cmake"

"$python" -m pip install --quiet --disable-pip-version-check conan==2.34.0
conan=$(dirname "$python")/conan
export CONAN_HOME=$work/conan_home
"$conan" profile detect >/dev/null 2>&1
cat >"$work/profile" <<'PROFILE'
include(default)
[settings]
compiler.cppstd=20
[platform_requires]
eigen/3.4.0
nlohmann_json/3.11.2
stb/cci.20220909
PROFILE
"$conan" create "$root/cmake/packaging/conan" --profile "$work/profile" --no-remote \
  -c tools.cmake.cmake_layout:test_folder="$work/test" -c "tools.cmake.cmaketoolchain:user_presets=" \
  >"$work/conan.log" 2>&1 || { tail -n 40 "$work/conan.log"; exit 1; }
grep -E "homolog $version: \(5, 2\)" "$work/conan.log" ||
  { echo "the Conan test package did not run"; tail -n 30 "$work/conan.log"; exit 1; }
echo "Conan recipe: created, test package built and run"
