#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds core/ without CMake, with the flags that homolog-core.pc gives, from a moved prefix; and asks
# what the file holds where stb has no .pc of its own.
#   pkg_config.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 prefix=$2 work=$3
command -v pkg-config >/dev/null || { echo "[skipped] no pkg-config here"; exit 0; }
rm -rf "$work"
mkdir -p "$work"
cp -r "$prefix" "$work/moved"
file=$(find "$work/moved" -name homolog-core.pc)
export PKG_CONFIG_PATH=${file%/*}
version=$(sed -n 's/#define HOMOLOG_VERSION "\(.*\)"/\1/p' "$source/include/homolog/version.hpp")
[ "$(pkg-config --modversion homolog-core)" = "$version" ] ||
  { echo "homolog-core.pc says $(pkg-config --modversion homolog-core), the header $version"; exit 1; }
if pkg-config --exists stb && grep -E '[= ]/|-I/' "$file"; then
  echo "homolog-core.pc holds absolute paths, although stb has a file of its own"
  exit 1
fi
read -ra flags <<<"$(pkg-config --cflags --libs homolog-core)"
echo "flags: ${flags[*]}"
case "${flags[*]}" in *"$work/moved"*) ;; *) echo "the flags do not follow the file"; exit 1 ;; esac
case "${flags[*]}" in *-lstb*) echo "homolog has stb's code in it, and links the library"; exit 1 ;; esac
folder=$(dirname "$0")/core
"$CXX" -std=c++20 "$folder/main.cpp" "$folder/second.cpp" "${flags[@]}" -o "$work/consumer"
"$work/consumer"

# stb from a folder of the user's: a variable of the file, so that another machine can give its own.
stb=$(sed -n 's/^HOMOLOG_STB_INCLUDE_DIR:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
mkdir "$work/stb"
cp "$stb"/stb_image*.h "$work/stb"
"$CMAKE" -S "$source" -B "$work/build" -DCMAKE_CXX_COMPILER="$CXX" -DHOMOLOG_WITH_DATASETS=OFF \
  -DHOMOLOG_BUILD_TESTS=OFF -DHOMOLOG_BUILD_EXAMPLES=OFF -DHOMOLOG_BUILD_BENCHMARKS=OFF \
  -DHOMOLOG_STB_INCLUDE_DIR="$work/stb" >/dev/null
"$CMAKE" --install "$work/build" --prefix "$work/own" >/dev/null
file=$(find "$work/own" -name homolog-core.pc)
export PKG_CONFIG_PATH=${file%/*}
for options in "$work/stb" "/elsewhere --define-variable=stb_includedir=/elsewhere"; do
  read -ra options <<<"$options"
  pkg-config --cflags "${options[@]:1}" homolog-core | grep -F -e "-I${options[0]} " ||
    { pkg-config --cflags homolog-core; echo "expected stb's folder, ${options[*]}"; exit 1; }
done
