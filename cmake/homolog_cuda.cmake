# homolog::cuda, the launchers of kernels/cuda/decode.hpp as a static library, where nvcc is: as a
# component where HOMOLOG_WITH_CUDA asks for it, and for the tests.
set(homolog_no_nvcc "nvcc was not found")
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  # The nvcc of this machine is none for another.
  set(homolog_no_nvcc "cross-compiling, nvcc has to be named")
else()
  include(CheckLanguage)
  check_language(CUDA)
endif()
if(CMAKE_CUDA_COMPILER)
  find_package(CUDAToolkit QUIET)
  set(homolog_no_nvcc "nvcc is here, and the CUDA runtime was not found")
endif()
if(NOT CMAKE_CUDA_COMPILER OR NOT TARGET CUDA::cudart)
  if(HOMOLOG_WITH_CUDA)
    message(FATAL_ERROR "homolog: ${homolog_no_nvcc}. Give its path in CMAKE_CUDA_COMPILER, or set "
                        "HOMOLOG_WITH_CUDA to OFF")
  endif()
  message(STATUS "The CUDA kernels are not compiled: ${homolog_no_nvcc}")
  return()
endif()
# A CUDA build of LibTorch has chosen by TORCH_CUDA_ARCH_LIST already.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80)
endif()
enable_language(CUDA)
add_library(homolog_cuda STATIC ${PROJECT_SOURCE_DIR}/cmake/compiled/cuda_decoders.cu)
add_library(homolog::cuda ALIAS homolog_cuda)
set_target_properties(homolog_cuda PROPERTIES EXPORT_NAME cuda POSITION_INDEPENDENT_CODE ON
                                              CUDA_RUNTIME_LIBRARY Shared)
target_link_libraries(homolog_cuda PUBLIC homolog_core CUDA::cudart)
# Its header is installed with homolog::core, as a source of one's own for nvcc needs it too.
target_sources(homolog_cuda PUBLIC FILE_SET HEADERS BASE_DIRS ${homolog_include})
if(HOMOLOG_WITH_CUDA)
  list(APPEND homolog_components cuda)
endif()
