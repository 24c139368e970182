// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The two matrix products of attention by plain loops and x86's instruction sets: scores of
/// queries and keys, with lanes along the keys, and weighted sums of values, with lanes along their
/// dimensions.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/dot_avx512_bf16.hpp"
#include "homolog/kernels/detail/row_kernels.hpp"
#include "homolog/kernels/detail/x86_vectors.hpp"

namespace homolog::inline v0_1::detail {

/// How many queries a tile of scores has; packed queries are [dim][score_rows].
inline constexpr std::size_t score_rows = 8;
/// Keys are packed as [panels][dim][key_panel].
inline constexpr std::size_t key_panel = 48;
/// Queries whose rows of scores are kept at a time.
inline constexpr std::size_t query_block = 24;
/// Values that stay in the first cache while a block of queries passes.
inline constexpr std::size_t value_block = 96;

/// Plain loops; also what the kernels are tested against.
struct PortableAttention {
  using Value = float;
  using Packed = float;

  /// out[q * stride + k] = queries[:, q] . keys[:, k] for one tile and one panel.
  static void scores(const float* queries, const float* keys, std::size_t dim, float* out,
                     std::size_t stride) {
    for (std::size_t q = 0; q < score_rows; ++q) {
      for (std::size_t k = 0; k < key_panel; ++k) {
        float sum = 0;
        for (std::size_t d = 0; d < dim; ++d) {
          sum += queries[d * score_rows + q] * keys[d * key_panel + k];
        }
        out[q * stride + k] = sum;
      }
    }
  }
  static float exponentials(float* row, std::size_t count, float scale) {
    return portable::exponentials(row, count, scale);
  }
  /// out[q * dim + d] += weights[q * stride + k] * values[k * dim + d] for `rows` queries.
  static void add_values(const float* weights, std::size_t stride, std::size_t rows,
                         const float* values, std::size_t count, std::size_t dim, float* out) {
    for (std::size_t q = 0; q < rows; ++q) {
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t d = 0; d < dim; ++d) {
          out[q * dim + d] += weights[q * stride + k] * values[k * dim + d];
        }
      }
    }
  }
};

#if HOMOLOG_X86_KERNELS

#define HOMOLOG_AVX2 __attribute__((target("avx2,fma"), noinline))
#define HOMOLOG_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"), noinline))
#define HOMOLOG_AVX512_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"), noinline))

/// As PortableAttention, on AVX2.
struct Avx2Attention {
  using Value = float;
  using Packed = float;

  HOMOLOG_AVX2 static void scores(const float* queries, const float* keys, std::size_t dim,
                                  float* out, std::size_t stride) {
    for (std::size_t q = 0; q < score_rows; q += 4) {
      for (std::size_t c = 0; c < key_panel; c += 24) {
        Floats8 sums[4][3];
#pragma GCC unroll 4
        for (std::size_t r = 0; r < 4; ++r) {
#pragma GCC unroll 3
          for (std::size_t v = 0; v < 3; ++v) sums[r][v] = Floats8{};
        }
        for (std::size_t d = 0; d < dim; ++d) {
          const float* const key = keys + d * key_panel + c;
          const Floats8 k0 = avx2::load(key), k1 = avx2::load(key + 8), k2 = avx2::load(key + 16);
#pragma GCC unroll 4
          for (std::size_t r = 0; r < 4; ++r) {
            const Floats8 query = avx2::all(queries[d * score_rows + q + r]);
            avx2::add_product(sums[r][0], query, k0);
            avx2::add_product(sums[r][1], query, k1);
            avx2::add_product(sums[r][2], query, k2);
          }
        }
#pragma GCC unroll 4
        for (std::size_t r = 0; r < 4; ++r) {
#pragma GCC unroll 3
          for (std::size_t v = 0; v < 3; ++v) {
            avx2::store(out + (q + r) * stride + c + 8 * v, sums[r][v]);
          }
        }
      }
    }
  }

  static float exponentials(float* row, std::size_t count, float scale) {
    return avx2::exponentials(row, count, scale);
  }

  template <std::size_t R>
  HOMOLOG_AVX2 static void add_tile(const float* weights, std::size_t stride, const float* values,
                                    std::size_t count, std::size_t dim, float* out) {
    Floats8 sums[R][2];
#pragma GCC unroll 6
    for (std::size_t r = 0; r < R; ++r) {
      sums[r][0] = avx2::load(out + r * dim);
      sums[r][1] = avx2::load(out + r * dim + 8);
    }
    for (std::size_t k = 0; k < count; ++k) {
      const Floats8 v0 = avx2::load(values + k * dim), v1 = avx2::load(values + k * dim + 8);
#pragma GCC unroll 6
      for (std::size_t r = 0; r < R; ++r) {
        const Floats8 weight = avx2::all(weights[r * stride + k]);
        avx2::add_product(sums[r][0], weight, v0);
        avx2::add_product(sums[r][1], weight, v1);
      }
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < R; ++r) {
      avx2::store(out + r * dim, sums[r][0]);
      avx2::store(out + r * dim + 8, sums[r][1]);
    }
  }

  static void add_values(const float* weights, std::size_t stride, std::size_t rows,
                         const float* values, std::size_t count, std::size_t dim, float* out) {
    for (std::size_t d = 0; d < dim; d += 16) {
      std::size_t q = 0;
      for (; q + 6 <= rows; q += 6) {
        add_tile<6>(weights + q * stride, stride, values + d, count, dim, out + q * dim + d);
      }
      for (; q < rows; ++q) {
        add_tile<1>(weights + q * stride, stride, values + d, count, dim, out + q * dim + d);
      }
    }
  }
};

/// All queries and dimensions by tiles of 6 queries and 64 dimensions, and smaller ones for the
/// rest.
template <class Tiles, class Packed>
void add_values_by_tiles(const Packed* weights, std::size_t stride, std::size_t rows,
                         const Packed* values, std::size_t count, std::size_t dim, float* out) {
  const auto add_columns = [&]<std::size_t V>(std::integral_constant<std::size_t, V>,
                                              std::size_t d) {
    std::size_t q = 0;
    for (; q + 6 <= rows; q += 6) {
      Tiles::template add_tile<6, V>(weights + q * stride, stride, values + d, count, dim,
                                     out + q * dim + d);
    }
    for (; q < rows; ++q) {
      Tiles::template add_tile<1, V>(weights + q * stride, stride, values + d, count, dim,
                                     out + q * dim + d);
    }
  };
  std::size_t d = 0;
  for (; d + 64 <= dim; d += 64) add_columns(std::integral_constant<std::size_t, 4>{}, d);
  for (; d < dim; d += 16) add_columns(std::integral_constant<std::size_t, 1>{}, d);
}

/// As PortableAttention, on AVX-512.
struct Avx512Attention {
  using Value = float;
  using Packed = float;

  HOMOLOG_AVX512 static void scores(const float* queries, const float* keys, std::size_t dim,
                                    float* out, std::size_t stride) {
    Floats16 sums[score_rows][3];
#pragma GCC unroll 8
    for (std::size_t q = 0; q < score_rows; ++q) {
#pragma GCC unroll 3
      for (std::size_t v = 0; v < 3; ++v) sums[q][v] = Floats16{};
    }
    for (std::size_t d = 0; d < dim; ++d) {
      const float* const key = keys + d * key_panel;
      const Floats16 k0 = avx512::load(key), k1 = avx512::load(key + 16),
                     k2 = avx512::load(key + 32);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < score_rows; ++q) {
        const Floats16 query = avx512::all(queries[d * score_rows + q]);
        avx512::add_product(sums[q][0], query, k0);
        avx512::add_product(sums[q][1], query, k1);
        avx512::add_product(sums[q][2], query, k2);
      }
    }
#pragma GCC unroll 8
    for (std::size_t q = 0; q < score_rows; ++q) {
#pragma GCC unroll 3
      for (std::size_t v = 0; v < 3; ++v) avx512::store(out + q * stride + 16 * v, sums[q][v]);
    }
  }

  static float exponentials(float* row, std::size_t count, float scale) {
    return avx512::exponentials(row, count, scale);
  }

  /// R queries, 16 V dimensions.
  template <std::size_t R, std::size_t V>
  HOMOLOG_AVX512 static void add_tile(const float* weights, std::size_t stride, const float* values,
                                      std::size_t count, std::size_t dim, float* out) {
    Floats16 sums[R][V];
#pragma GCC unroll 6
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) sums[r][v] = avx512::load(out + r * dim + 16 * v);
    }
    for (std::size_t k = 0; k < count; ++k) {
      Floats16 value[V];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) value[v] = avx512::load(values + k * dim + 16 * v);
#pragma GCC unroll 6
      for (std::size_t r = 0; r < R; ++r) {
        const Floats16 weight = avx512::all(weights[r * stride + k]);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < V; ++v) {
          avx512::add_product(sums[r][v], weight, value[v]);
        }
      }
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) avx512::store(out + r * dim + 16 * v, sums[r][v]);
    }
  }

  static void add_values(const float* weights, std::size_t stride, std::size_t rows,
                         const float* values, std::size_t count, std::size_t dim, float* out) {
    add_values_by_tiles<Avx512Attention>(weights, stride, rows, values, count, dim, out);
  }
};

/// The same with bfloat16 factors, two of them in 32 bits, and float32 sums.
struct Avx512Bf16Attention {
  using Value = std::uint16_t;
  using Packed = std::uint32_t;

  /// As PortableAttention::scores; `dim` counts pairs.
  HOMOLOG_AVX512_BF16 static void scores(const std::uint32_t* queries, const std::uint32_t* keys,
                                         std::size_t dim, float* out, std::size_t stride) {
    Floats16 sums[score_rows][3];
#pragma GCC unroll 8
    for (std::size_t q = 0; q < score_rows; ++q) {
#pragma GCC unroll 3
      for (std::size_t v = 0; v < 3; ++v) sums[q][v] = Floats16{};
    }
    for (std::size_t d = 0; d < dim; ++d) {
      const std::uint32_t* const key = keys + d * key_panel;
      const auto k0 = avx512_bf16::load(key);
      const auto k1 = avx512_bf16::load(key + 16);
      const auto k2 = avx512_bf16::load(key + 32);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < score_rows; ++q) {
        const auto query = avx512_bf16::all(queries[d * score_rows + q]);
        avx512_bf16::add_products(sums[q][0], query, k0);
        avx512_bf16::add_products(sums[q][1], query, k1);
        avx512_bf16::add_products(sums[q][2], query, k2);
      }
    }
#pragma GCC unroll 8
    for (std::size_t q = 0; q < score_rows; ++q) {
#pragma GCC unroll 3
      for (std::size_t v = 0; v < 3; ++v) avx512::store(out + q * stride + 16 * v, sums[q][v]);
    }
  }

  static float exponentials(float* row, std::size_t count, float scale) {
    return avx512::exponentials(row, count, scale);
  }

  /// `weights` and `values` hold pairs along the keys, `stride` and `count` count pairs.
  template <std::size_t R, std::size_t V>
  HOMOLOG_AVX512_BF16 static void add_tile(const std::uint32_t* weights, std::size_t stride,
                                           const std::uint32_t* values, std::size_t count,
                                           std::size_t dim, float* out) {
    Floats16 sums[R][V];
#pragma GCC unroll 6
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) sums[r][v] = avx512::load(out + r * dim + 16 * v);
    }
    for (std::size_t k = 0; k < count; ++k) {
      Halves32 value[V];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) {
        value[v] = avx512_bf16::load(values + k * dim + 16 * v);
      }
#pragma GCC unroll 6
      for (std::size_t r = 0; r < R; ++r) {
        const auto weight = avx512_bf16::all(weights[r * stride + k]);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < V; ++v) {
          avx512_bf16::add_products(sums[r][v], weight, value[v]);
        }
      }
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) avx512::store(out + r * dim + 16 * v, sums[r][v]);
    }
  }

  static void add_values(const std::uint32_t* weights, std::size_t stride, std::size_t rows,
                         const std::uint32_t* values, std::size_t count, std::size_t dim,
                         float* out) {
    add_values_by_tiles<Avx512Bf16Attention>(weights, stride, rows, values, count, dim, out);
  }
};

#undef HOMOLOG_AVX512_BF16
#undef HOMOLOG_AVX512
#undef HOMOLOG_AVX2
#endif

}  // namespace homolog::inline v0_1::detail
