# What homolog's components link, unless the including project has it already. Read by the build and,
# installed beside the package files, by find_package(homolog).
include("${CMAKE_CURRENT_LIST_DIR}/homolog_torch.cmake")

# Each component after the one that it stands on.
set(homolog_all_components core cuda datasets matlab homolog train distributed compiled)
set(homolog_below_cuda core)
set(homolog_below_datasets core)
set(homolog_below_matlab datasets)
set(homolog_below_homolog datasets)
set(homolog_below_train homolog)
set(homolog_below_distributed train)
set(homolog_below_compiled homolog)

macro(homolog_find package target)
  if(NOT TARGET ${target} AND NOT homolog_missing)
    find_package(${package} ${homolog_quiet})
    if(NOT TARGET ${target})
      set(homolog_missing "${package} was not found. Give its folder in CMAKE_PREFIX_PATH")
      if("${package}" STREQUAL Torch)
        string(APPEND homolog_missing ", or activate the Python environment that has torch")
      endif()
    endif()
  endif()
endmacro()

# For libraries without a CMake package: an imported target with the folder of a header.
macro(homolog_find_header target file variable)
  if(NOT TARGET ${target} AND NOT homolog_missing)
    find_path(${variable} ${file} ${ARGN})
    if(${variable})
      add_library(${target} INTERFACE IMPORTED GLOBAL)
      target_include_directories(${target} SYSTEM INTERFACE ${${variable}})
    else()
      set(homolog_missing "${file} was not found. Give its folder in ${variable}")
    endif()
  endif()
endmacro()

# homolog_find_dependencies(<component>) finds what the component links beyond the one it stands on.
# homolog_missing is empty afterwards, or says what was not found and what to do.
macro(homolog_find_dependencies component)
  set(homolog_missing "")
  if("${component}" STREQUAL "core")
    homolog_find(Eigen3 Eigen3::Eigen)
    # Not asked of find_package, where Eigen 5 calls itself incompatible with 3.4.
    if(Eigen3_VERSION AND Eigen3_VERSION VERSION_LESS 3.4 AND NOT homolog_missing)
      set(homolog_missing "Eigen ${Eigen3_VERSION} was found, and 3.4 or newer is needed. Give the folder \
of one in CMAKE_PREFIX_PATH")
    endif()
    homolog_find(Threads Threads::Threads)
    homolog_find_header(homolog::stb stb_image.h HOMOLOG_STB_INCLUDE_DIR PATH_SUFFIXES stb)
  elseif("${component}" STREQUAL "cuda")
    homolog_find(CUDAToolkit CUDA::cudart)
  elseif("${component}" STREQUAL "datasets")
    homolog_find(nlohmann_json nlohmann_json::nlohmann_json)
  elseif("${component}" STREQUAL "matlab")
    homolog_find(ZLIB ZLIB::ZLIB)
  elseif("${component}" STREQUAL "homolog")
    homolog_find_torch()
  elseif("${component}" STREQUAL "train")
    homolog_find(OpenSSL OpenSSL::Crypto)
  elseif("${component}" STREQUAL "distributed")
    # LibTorch brings c10d, but neither Gloo's headers nor NCCL's.
    if(NOT TARGET homolog::c10d)
      homolog_find_header(homolog::c10d gloo/config.h HOMOLOG_GLOO_INCLUDE_DIR)
      if(NOT homolog_missing)
        target_compile_definitions(homolog::c10d INTERFACE USE_C10D_GLOO)
        find_path(HOMOLOG_NCCL_INCLUDE_DIR nccl.h HINTS ${Torch_DIR}/../../../../nvidia/nccl/include)
        get_property(homolog_cuda_headers TARGET torch PROPERTY homolog_cuda_headers)
        if((TORCH_CUDA_LIBRARIES OR homolog_cuda_headers) AND HOMOLOG_NCCL_INCLUDE_DIR)
          target_include_directories(homolog::c10d SYSTEM INTERFACE ${HOMOLOG_NCCL_INCLUDE_DIR}
                                                                    ${homolog_cuda_headers})
          target_compile_definitions(homolog::c10d INTERFACE USE_C10D_NCCL)
        endif()
      endif()
    endif()
  endif()
endmacro()

# CMake raises a target's standard by what it links, in silence.
if(CMAKE_CXX_STANDARD MATCHES "^(98|11|14|17)$" AND NOT homolog_FIND_QUIETLY)
  message(STATUS "homolog: CMAKE_CXX_STANDARD is ${CMAKE_CXX_STANDARD}; what links homolog is compiled "
                 "as C++20 all the same")
endif()
