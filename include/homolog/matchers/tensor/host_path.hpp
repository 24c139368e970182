// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Lets a matcher that has only the tensor path match on the host as well.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <Eigen/Core>
#include <cstddef>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/tensor/decode.hpp"

namespace homolog::inline v0_1::detail {

/// Blocks of similarity maps as one tensor; the score is the similarity at the peak.
template <class M>
struct HostPath {
  const M& matcher;

  /// @throws ValueError for a map without a finite value; ShapeError for an answer that is not
  /// [N,2]; DeviceError when LibTorch fails
  void operator()(MatrixView similarity, Eigen::Index rows, Eigen::Index cols,
                  Match* matches) const {
    for (Eigen::Index i = 0; i < similarity.rows(); ++i) {
      matches[i].score = find_peak(SimilarityMap(row_of(similarity, i), rows, cols)).value;
    }
    at_torch_boundary("matcher", [&] {
      const at::NoGradGuard no_gradients;
      const auto maps = torch::from_blob(const_cast<float*>(similarity.data()),
                                         {similarity.rows(), rows, cols}, torch::kFloat32);
      const auto cells = decode_cells(matcher, maps).to(at::kCPU, at::kDouble).contiguous();
      const double* const xy = cells.template const_data_ptr<double>();
      for (Eigen::Index i = 0; i < similarity.rows(); ++i) {
        matches[i].cell = {xy[2 * i], xy[2 * i + 1]};
      }
    });
  }
};

}  // namespace homolog::inline v0_1::detail
