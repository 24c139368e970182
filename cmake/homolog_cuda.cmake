# The language CUDA for tests and benchmarks, where nvcc is; users compile the kernels themselves.
# The nvcc of this machine is none for another: cross-compiling, it has to be named.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  message(STATUS "Cross-compiling without a CMAKE_CUDA_COMPILER: the CUDA kernels are not compiled")
  return()
endif()
include(CheckLanguage)
check_language(CUDA)
if(CMAKE_CUDA_COMPILER)
  # A CUDA build of LibTorch has chosen by TORCH_CUDA_ARCH_LIST already.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80)
  endif()
  enable_language(CUDA)
else()
  message(STATUS "nvcc was not found: the CUDA kernels are not compiled")
endif()
