#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A library on homolog that is itself installed and exported, and a program that finds it: with homolog
# installed before, and with homolog's folder added and installed with the library.
#   export.sh SOURCE PREFIX WORK
set -euo pipefail
source=$1 prefix=$2 work=$3
rm -rf "$work"
mkdir -p "$work/middle" "$work/end"
cat >"$work/middle/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.24)
project(middle VERSION 1.0 LANGUAGES CXX)
if(HOMOLOG_SOURCE)
  set(HOMOLOG_INSTALL ON)
  set(HOMOLOG_WITH_TORCH OFF)
  if(COMPONENT STREQUAL "matlab")
    set(HOMOLOG_WITH_MATLAB ON)
  endif()
  add_subdirectory(${HOMOLOG_SOURCE} homolog)
else()
  find_package(homolog 0.1 REQUIRED COMPONENTS ${COMPONENT})
endif()
add_library(middle STATIC middle.cpp)
target_link_libraries(middle PUBLIC homolog::${COMPONENT})
install(TARGETS middle EXPORT middle ARCHIVE DESTINATION lib)
install(EXPORT middle FILE middleTargets.cmake DESTINATION lib/cmake/middle)
file(WRITE ${CMAKE_BINARY_DIR}/middleConfig.cmake
     "include(CMakeFindDependencyMacro)\nfind_dependency(homolog COMPONENTS ${COMPONENT})\n"
     "include(\${CMAKE_CURRENT_LIST_DIR}/middleTargets.cmake)\n")
install(FILES ${CMAKE_BINARY_DIR}/middleConfig.cmake DESTINATION lib/cmake/middle)
CMAKE
cat >"$work/middle/middle.cpp" <<'CPP'
#include <homolog/core/transforms.hpp>
homolog::Point<homolog::InputFrame> middle(homolog::Point<homolog::ImageFrame> point) {
  return homolog::make_image_transform({640, 480}, homolog::Resize::squash, 56, 14).to_input(point);
}
CPP
cat >"$work/end/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.24)
project(end LANGUAGES CXX)
find_package(middle REQUIRED)
add_executable(end end.cpp)
target_link_libraries(end PRIVATE middle)
CMAKE
cat >"$work/end/end.cpp" <<'CPP'
#include <homolog/core/points.hpp>
homolog::Point<homolog::InputFrame> middle(homolog::Point<homolog::ImageFrame> point);
int main() { return middle({0, 0}).x < 1 ? 0 : 1; }
CPP
component=core
[ -f "$prefix/include/homolog/datasets/matlab.hpp" ] && component=matlab
for way in found added; do
  "$CMAKE" -S "$work/middle" -B "$work/$way" -DCMAKE_CXX_COMPILER="$CXX" -DCOMPONENT=$component \
    $([ $way = found ] && echo "-DCMAKE_PREFIX_PATH=$prefix" || echo "-DHOMOLOG_SOURCE=$source") >/dev/null
  "$CMAKE" --build "$work/$way" >/dev/null
  "$CMAKE" --install "$work/$way" --prefix "$work/$way.prefix" >/dev/null
  mv "$work/$way.prefix" "$work/$way.moved"
  path="$work/$way.moved"
  [ $way = found ] && path="$path;$prefix"
  "$CMAKE" -S "$work/end" -B "$work/end.$way" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_PREFIX_PATH="$path" >/dev/null
  "$CMAKE" --build "$work/end.$way" >/dev/null
  "$work/end.$way/end"
  echo "ok: a library on homolog::$component, homolog $way, exported, moved and linked"
done
