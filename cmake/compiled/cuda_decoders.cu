// SPDX-License-Identifier: Apache-2.0
// homolog::cuda: see homolog/kernels/cuda/decode.hpp.
#define HOMOLOG_COMPILING_CUDA
#include "homolog/kernels/cuda/decode.cuh"
