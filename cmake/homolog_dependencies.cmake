# Finds what homolog's targets link, unless the including project has them already. Read by the
# build and, installed beside the package files, by find_package(homolog).
include(CMakeFindDependencyMacro)

# find_dependency leaves this file where it finds nothing, in silence unless somebody called
# find_package(homolog).
macro(homolog_find package target option)
  if(NOT TARGET ${target})
    if("${CMAKE_FIND_PACKAGE_NAME}" STREQUAL "homolog")
      find_dependency(${package})
    else()
      find_package(${package})
    endif()
    if(NOT TARGET ${target})
      message(FATAL_ERROR "homolog: ${package} was not found. Give its folder in CMAKE_PREFIX_PATH"
                          "${option}; see docs/troubleshooting.md")
    endif()
  endif()
endmacro()

homolog_find(Eigen3 Eigen3::Eigen "")
homolog_find(Threads Threads::Threads "")
if(HOMOLOG_WITH_DATASETS)
  homolog_find(nlohmann_json nlohmann_json::nlohmann_json ", or set HOMOLOG_WITH_DATASETS to OFF")
endif()

# stb has no CMake package.
if(NOT TARGET homolog::stb)
  find_path(HOMOLOG_STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
  add_library(homolog::stb INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::stb SYSTEM INTERFACE ${HOMOLOG_STB_INCLUDE_DIR})
endif()

# Nor has matio.
if(HOMOLOG_WITH_MATLAB AND NOT TARGET homolog::matio)
  homolog_find(ZLIB ZLIB::ZLIB ", or set HOMOLOG_WITH_MATLAB to OFF")
  find_path(HOMOLOG_MATIO_INCLUDE_DIR matio.h REQUIRED)
  find_library(HOMOLOG_MATIO_LIBRARY matio REQUIRED)
  add_library(homolog::matio INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::matio SYSTEM INTERFACE ${HOMOLOG_MATIO_INCLUDE_DIR})
  target_link_libraries(homolog::matio INTERFACE ${HOMOLOG_MATIO_LIBRARY} ZLIB::ZLIB)
endif()

# Nor has Mustache, a header.
if(HOMOLOG_WITH_VISUALIZATION AND NOT TARGET homolog::mustache)
  find_path(HOMOLOG_MUSTACHE_INCLUDE_DIR kainjow/mustache.hpp REQUIRED)
  add_library(homolog::mustache INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::mustache SYSTEM INTERFACE ${HOMOLOG_MUSTACHE_INCLUDE_DIR})
endif()

if(HOMOLOG_WITH_TORCH)
  homolog_find(Torch torch ", or set HOMOLOG_WITH_TORCH to OFF")
endif()
if(HOMOLOG_WITH_TRAIN)
  homolog_find(OpenSSL OpenSSL::Crypto ", or set HOMOLOG_WITH_TRAIN to OFF")
endif()

# LibTorch brings c10d, but neither Gloo's headers nor NCCL's.
if(HOMOLOG_WITH_DISTRIBUTED AND NOT TARGET homolog::c10d)
  find_path(HOMOLOG_GLOO_INCLUDE_DIR gloo/config.h REQUIRED)
  add_library(homolog::c10d INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::c10d SYSTEM INTERFACE ${HOMOLOG_GLOO_INCLUDE_DIR})
  target_compile_definitions(homolog::c10d INTERFACE USE_C10D_GLOO)
  find_path(HOMOLOG_NCCL_INCLUDE_DIR nccl.h)
  if(TORCH_CUDA_LIBRARIES AND HOMOLOG_NCCL_INCLUDE_DIR)
    target_include_directories(homolog::c10d SYSTEM INTERFACE ${HOMOLOG_NCCL_INCLUDE_DIR})
    target_compile_definitions(homolog::c10d INTERFACE USE_C10D_NCCL)
  endif()
endif()
