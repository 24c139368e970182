#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds core/ without CMake, with the flags that homolog-core.pc gives, from a moved prefix.
#   pkg_config.sh SOURCE PREFIX WORK
set -euo pipefail
prefix=$2 work=$3
command -v pkg-config >/dev/null || { echo "[skipped] no pkg-config here"; exit 0; }
rm -rf "$work"
mkdir -p "$work"
cp -r "$prefix" "$work/moved"
PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name homolog-core.pc)")
export PKG_CONFIG_PATH
version=$(sed -n 's/#define HOMOLOG_VERSION "\(.*\)"/\1/p' "$1/include/homolog/version.hpp")
[ "$(pkg-config --modversion homolog-core)" = "$version" ] ||
  { echo "homolog-core.pc says $(pkg-config --modversion homolog-core), the header $version"; exit 1; }
read -ra flags <<<"$(pkg-config --cflags --libs homolog-core)"
echo "flags: ${flags[*]}"
case "${flags[*]}" in *"$work/moved"*) ;; *) echo "the flags do not follow the file"; exit 1 ;; esac
folder=$(dirname "$0")/core
"$CXX" -std=c++20 "$folder/main.cpp" "$folder/second.cpp" "${flags[@]}" -o "$work/consumer"
"$work/consumer"
