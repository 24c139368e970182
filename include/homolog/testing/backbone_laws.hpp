// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The laws of backbones.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "homolog/core/backbone_concept.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/input.hpp"
#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/testing/laws.hpp"

namespace homolog::inline v0_1::testing {

namespace detail {

/// Coloured noise in blocks of a quarter of a patch, the bytes of pictures of one size.
inline ByteBatch noise_bytes(int count, Size size, int patch, unsigned seed) {
  RandomStream random(seed);
  ByteBatch batch(count, size);
  const int block = (std::max)(patch / 4, 1);
  for (int i = 0; i < count; ++i) {
    std::uint8_t* const pixels = batch.picture(i);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const auto at = [&](int column, int row) {
            return pixels +
                   (static_cast<std::size_t>(row) * static_cast<std::size_t>(size.width) +
                    static_cast<std::size_t>(column)) *
                       3 +
                   c;
          };
          *at(x, y) = x % block == 0 && y % block == 0
                          ? static_cast<std::uint8_t>(random.bits() >> 56)
                          : *at(x - x % block, y - y % block);
        }
      }
    }
  }
  return batch;
}

/// The same pictures as normalised floats, for backbones that do not read bytes.
inline InputBatch normalised(const ByteBatch& bytes, const Normalization& normalization) {
  InputBatch batch(bytes.batch, bytes.size);
  const std::size_t pixels = batch.picture_floats() / 3;
  for (int i = 0; i < bytes.batch; ++i) {
    const std::uint8_t* const from =
        bytes.values.data() + static_cast<std::size_t>(i) * bytes.picture_bytes();
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t k = 0; k < pixels; ++k) {
        batch.picture(i)[c * pixels + k] =
            (static_cast<float>(from[3 * k + c]) / 255 - normalization.mean[c]) /
            normalization.standard_deviation[c];
      }
    }
  }
  return batch;
}

/// |a - b| / |b| over all features, infinity where the shapes differ.
inline double relative_difference(const FeatureMap& a, const FeatureMap& b) {
  if (a.rows != b.rows || a.cols != b.cols || a.values.size() != b.values.size()) {
    return std::numeric_limits<double>::infinity();
  }
  double difference = 0, norm = 0;
  for (Eigen::Index i = 0; i < a.values.size(); ++i) {
    const double value = static_cast<double>(b.values.data()[i]);
    difference += std::pow(static_cast<double>(a.values.data()[i]) - value, 2);
    norm += value * value;
  }
  return std::sqrt(difference) / (std::max)(std::sqrt(norm), 1e-30);
}

inline std::string shape_error(const std::vector<FeatureMap>& maps, std::size_t count, int rows,
                               int cols) {
  if (maps.size() != count) return text(maps.size(), " feature maps for ", count, " pictures");
  for (const FeatureMap& map : maps) {
    if (map.rows != rows || map.cols != cols || map.values.rows() != rows * cols ||
        map.values.cols() < 1 || map.values.cols() != maps.front().values.cols()) {
      return text("a map of ", map.rows, "x", map.cols, " cells with values [", map.values.rows(),
                  ", ", map.values.cols(), "], expected ", rows, "x", cols);
    }
  }
  return {};
}

}  // namespace detail

/// Checks a backbone, with its weights, against the laws that every backbone keeps: shapes, finite
/// values, order and independence of a batch's pictures, determinism, features that differ between
/// cells, and equal features from bytes and floats.
///
/// It runs ten forward passes of noise on grids of 3x4 and 4x3 cells. Batches may differ from
/// single pictures by 1 % of the features' norm, because GEMM and lower precisions round
/// differently.
///
/// @param backbone any Backbone policy, ready to run
/// @return every law, see Law::broken; throws nothing of its own
template <class B>
// NOLINTNEXTLINE(readability-function-size): a list of laws, one behind the other
std::vector<Law> check_backbone_laws(const B& backbone) {
  require_backbone<B>();
  std::vector<Law> laws;
  if constexpr (Backbone<B>) {
    using detail::add_law;
    using detail::text;
    add_law(laws, "patch size, input size and normalisation make sense", [&]() -> std::string {
      const int patch = backbone.patch_size(), size = default_image_size_of(backbone);
      if (patch < 1) return text("patch_size() is ", patch);
      if (size < patch || size % patch != 0) {
        return text("default_image_size() is ", size, " with patches of ", patch);
      }
      for (const float deviation : normalization_of(backbone).standard_deviation) {
        if (!(deviation > 0)) return text("normalization() has the deviation ", deviation);
      }
      return {};
    });
    if (!laws.back().holds()) return laws;

    const int patch = backbone.patch_size();
    const auto bytes = [&](int count, int rows, int cols, unsigned seed) {
      return detail::noise_bytes(count, {cols * patch, rows * patch}, patch, seed);
    };
    const auto input = [&](const ByteBatch& of) {
      return detail::normalised(of, normalization_of(backbone));
    };
    const auto picture = [](const InputBatch& batch, int i) {
      InputBatch one(1, batch.size);
      std::copy_n(batch.picture(i), batch.picture_floats(), one.picture(0));
      return one;
    };

    add_law(laws, "one map a picture, one cell a patch", [&]() -> std::string {
      for (const auto& [rows, cols] : {std::pair(3, 4), std::pair(4, 3)}) {
        const std::vector<FeatureMap> maps = backbone(input(bytes(2, rows, cols, 1)));
        std::string wrong = detail::shape_error(maps, 2, rows, cols);
        if (!wrong.empty()) return wrong;
      }
      return {};
    });
    if (!laws.back().holds()) return laws;
    add_law(laws, "features are finite", [&]() -> std::string {
      for (const FeatureMap& map : backbone(input(bytes(2, 3, 4, 2)))) {
        for (Eigen::Index i = 0; i < map.values.size(); ++i) {
          if (!std::isfinite(map.values.data()[i])) return text("a ", map.values.data()[i]);
        }
      }
      return {};
    });
    add_law(laws, "a batch is answered in order, as one by one", [&]() -> std::string {
      const InputBatch batch = input(bytes(2, 3, 4, 3));
      const std::vector<FeatureMap> together = backbone(batch);
      const FeatureMap first = backbone(picture(batch, 0)).front();
      const FeatureMap second = backbone(picture(batch, 1)).front();
      const double difference = (std::max)(detail::relative_difference(together[0], first),
                                           detail::relative_difference(together[1], second));
      if (!(difference <= 0.01)) return text("features differ by ", 100 * difference, " %");
      if (!(detail::relative_difference(together[0], first) <
            detail::relative_difference(together[0], second))) {
        return "the first map is not the first picture's";
      }
      return {};
    });
    add_law(laws, "the same picture gets the same features", [&]() -> std::string {
      const InputBatch batch = input(bytes(1, 3, 4, 4));
      const FeatureMap first = backbone(batch).front(), second = backbone(batch).front();
      const double difference = detail::relative_difference(first, second);
      return difference == 0 ? std::string() : text("they differ by ", 100 * difference, " %");
    });
    add_law(laws, "self-match is identity", [&]() -> std::string {
      FeatureMap map = backbone(input(bytes(1, 3, 4, 5))).front();
      normalize_rows(map.values);
      FloatMatrix similarity;
      similarity_rows(map.descriptors(), map, similarity);
      for (Eigen::Index i = 0; i < similarity.rows(); ++i) {
        const Peak peak =
            find_peak(SimilarityMap(homolog::detail::row_of(similarity, i), map.rows, map.cols));
        if (peak.row * map.cols + peak.col != i) {
          return text("cell ", i, " resembles cell ", peak.row * map.cols + peak.col,
                      " no less than itself");
        }
      }
      return {};
    });
    if constexpr (ByteBackbone<B>) {
      add_law(laws, "bytes give the features of floats", [&]() -> std::string {
        if (!backbone.takes_bytes()) return {};
        const ByteBatch batch = bytes(2, 3, 4, 6);
        const std::vector<FeatureMap> of_bytes = backbone(batch),
                                      of_floats = backbone(input(batch));
        std::string wrong = detail::shape_error(of_bytes, 2, 3, 4);
        if (!wrong.empty()) return wrong;
        const double difference = detail::relative_difference(of_bytes[1], of_floats[1]);
        return difference <= 0.01 ? std::string() : text("they differ by ", 100 * difference, " %");
      });
    }
  }
  return laws;
}

}  // namespace homolog::inline v0_1::testing
