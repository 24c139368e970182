# Finds what homolog's targets link, unless the including project has them already. Read by the
# build and, installed beside the package files, by find_package(homolog).
include(CMakeFindDependencyMacro)
if(NOT TARGET Eigen3::Eigen)
  find_dependency(Eigen3)
endif()
if(NOT TARGET nlohmann_json::nlohmann_json)
  find_dependency(nlohmann_json)
endif()
if(NOT TARGET Threads::Threads)
  find_dependency(Threads)
endif()

# stb and matio have no CMake package.
if(NOT TARGET homolog::stb)
  find_path(HOMOLOG_STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
  add_library(homolog::stb INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::stb SYSTEM INTERFACE ${HOMOLOG_STB_INCLUDE_DIR})
endif()

if(HOMOLOG_WITH_MATLAB AND NOT TARGET homolog::matio)
  find_dependency(ZLIB)
  find_path(HOMOLOG_MATIO_INCLUDE_DIR matio.h REQUIRED)
  find_library(HOMOLOG_MATIO_LIBRARY matio REQUIRED)
  add_library(homolog::matio INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::matio SYSTEM INTERFACE ${HOMOLOG_MATIO_INCLUDE_DIR})
  target_link_libraries(homolog::matio INTERFACE ${HOMOLOG_MATIO_LIBRARY} ZLIB::ZLIB)
endif()

# A header without a CMake package, as stb.
if(HOMOLOG_WITH_VISUALIZATION AND NOT TARGET homolog::mustache)
  find_path(HOMOLOG_MUSTACHE_INCLUDE_DIR kainjow/mustache.hpp REQUIRED)
  add_library(homolog::mustache INTERFACE IMPORTED GLOBAL)
  target_include_directories(homolog::mustache SYSTEM INTERFACE ${HOMOLOG_MUSTACHE_INCLUDE_DIR})
endif()

if(HOMOLOG_WITH_TORCH AND NOT TARGET torch)
  find_dependency(Torch)
endif()

if(HOMOLOG_WITH_TORCH AND HOMOLOG_WITH_TRAIN AND NOT TARGET OpenSSL::Crypto)
  find_dependency(OpenSSL)
endif()

# LibTorch brings c10d, but neither Gloo's headers nor NCCL's.
if(HOMOLOG_WITH_TORCH AND HOMOLOG_WITH_TRAIN AND HOMOLOG_WITH_DISTRIBUTED AND NOT TARGET homolog::c10d)
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
