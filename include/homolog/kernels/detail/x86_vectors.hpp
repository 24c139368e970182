// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Vectors of x86-64 and the few instructions that the compilers' own operators do not give.
/// <immintrin.h> has them too, and takes as long to compile as a third of <Eigen/Core>, in each
/// source that matches anything. Fused multiply-adds are the compilers' builtins, which may read
/// from memory; those of bfloat16 change their types from one compiler to the next, so they are
/// written out.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "homolog/core/instruction_set.hpp"

#if HOMOLOG_X86_KERNELS

namespace homolog::inline v0_1::detail {

using Floats4 = float __attribute__((vector_size(16)));
using Floats8 = float __attribute__((vector_size(32)));
using Floats16 = float __attribute__((vector_size(64)));
using Ints16 = std::int32_t __attribute__((vector_size(64)));
using Words16 = std::uint32_t __attribute__((vector_size(64)));
using Halves16 = std::uint16_t __attribute__((vector_size(32)));
using Halves32 = std::uint16_t __attribute__((vector_size(64)));

namespace avx2 {

#define HOMOLOG_TARGET __attribute__((target("avx2,fma"), always_inline)) inline

/// A vector from memory of any alignment.
HOMOLOG_TARGET Floats8 load(const float* from) {
  Floats8 values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}

HOMOLOG_TARGET void store(float* to, Floats8 values) {
  __builtin_memcpy(to, &values, sizeof values);
}

/// One value in every lane.
HOMOLOG_TARGET Floats8 all(float x) { return Floats8{x, x, x, x, x, x, x, x}; }

/// sum += a * b, rounded once.
HOMOLOG_TARGET void add_product(Floats8& sum, Floats8 a, Floats8 b) {
#if __has_builtin(__builtin_elementwise_fma)
  sum = __builtin_elementwise_fma(a, b, sum);
#else
  sum = __builtin_ia32_vfmaddps256(a, b, sum);
#endif
}

#undef HOMOLOG_TARGET

}  // namespace avx2

namespace avx512 {

#define HOMOLOG_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"), always_inline)) inline

HOMOLOG_TARGET Floats16 load(const float* from) {
  Floats16 values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}

/// The first `count` < 16 floats, zeros after them; reads no further.
HOMOLOG_TARGET Floats16 load_some(const float* from, std::size_t count) {
  alignas(64) float values[16] = {};
  for (std::size_t i = 0; i < count; ++i) values[i] = from[i];
  return load(values);
}

HOMOLOG_TARGET void store(float* to, Floats16 values) {
  __builtin_memcpy(to, &values, sizeof values);
}

HOMOLOG_TARGET Floats16 all(float x) {
  return Floats16{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

HOMOLOG_TARGET void add_product(Floats16& sum, Floats16 a, Floats16 b) {
#if __has_builtin(__builtin_elementwise_fma)
  sum = __builtin_elementwise_fma(a, b, sum);
#else
#if defined(__clang__)
  constexpr unsigned short every_lane = 0xffff;
#else
  constexpr short every_lane = -1;
#endif
  constexpr int current_rounding = 4;
  sum = __builtin_ia32_vfmaddps512_mask(a, b, sum, every_lane, current_rounding);
#endif
}

/// What is not finite becomes -infinity; on bits, one comparison tells.
HOMOLOG_TARGET Floats16 only_finite(Floats16 values) {
  const Ints16 size = reinterpret_cast<Ints16>(values) & 0x7fffffff;
  return size <= 0x7f7fffff ? values : Floats16{} - std::numeric_limits<float>::infinity();
}

#undef HOMOLOG_TARGET

}  // namespace avx512

namespace avx512_bf16 {

#define HOMOLOG_TARGET                                                             \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"), \
                 always_inline)) inline

/// 32 numbers, which may lie as pairs.
HOMOLOG_TARGET Halves32 load(const void* from) {
  Halves32 values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}

/// One pair in every pair of lanes.
HOMOLOG_TARGET Halves32 all(std::uint32_t x) {
  return reinterpret_cast<Halves32>(Words16{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x});
}

/// sum[i] += a[2i] * b[2i] + a[2i+1] * b[2i+1] of bfloat16 bits.
HOMOLOG_TARGET void add_products(Floats16& sum, Halves32 a, Halves32 b) {
  // Both dialects of assembly, for those who compile with -masm=intel.
  asm("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(a), "v"(b));
}

/// bfloat16 bits, rounded to nearest, ties to even.
HOMOLOG_TARGET Halves16 rounded(Floats16 values) {
  Halves16 bits;
  asm("vcvtneps2bf16 {%1, %0|%0, %1}" : "=v"(bits) : "v"(values));
  return bits;
}

#undef HOMOLOG_TARGET

}  // namespace avx512_bf16

}  // namespace homolog::inline v0_1::detail

#endif
