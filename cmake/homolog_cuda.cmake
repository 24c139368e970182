# The language CUDA for tests and benchmarks, where nvcc is; users compile the kernels themselves.
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
