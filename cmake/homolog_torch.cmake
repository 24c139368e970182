# Where LibTorch is. Run as a script it prints the version and the TorchConfig.cmake.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  cmake_minimum_required(VERSION 3.24)
endif()

# The TorchConfig.cmake that find_package(Torch) would read, and its version, without reading it: no
# LibTorch is as new as asked for here, so CMake notes each one it comes by and leaves it alone.
function(homolog_locate_torch config version)
  set(CMAKE_REQUIRE_FIND_PACKAGE_Torch OFF)
  unset(Torch_CONSIDERED_CONFIGS)
  set(given "${Torch_DIR}")
  find_package(Torch 99999 QUIET CONFIG BYPASS_PROVIDER)
  unset(Torch_DIR CACHE)
  if(given)
    set(Torch_DIR "${given}" CACHE PATH "The folder of TorchConfig.cmake" FORCE)
  endif()
  set(${config} "" PARENT_SCOPE)
  if(Torch_CONSIDERED_CONFIGS)
    list(GET Torch_CONSIDERED_CONFIGS 0 first)
    list(GET Torch_CONSIDERED_VERSIONS 0 first_version)
    set(${config} ${first} PARENT_SCOPE)
    set(${version} ${first_version} PARENT_SCOPE)
  endif()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  list(APPEND CMAKE_SYSTEM_PREFIX_PATH /usr/local /usr)
  homolog_locate_torch(config version)
  if(config)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${version} ${config}")  # standard output
  endif()
endif()
