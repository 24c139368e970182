// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Feature maps, matrices, points and inputs seen as LibTorch tensors, and tensors seen as what
/// matchers take, without copies. Opt-in.
///
/// A view owns no memory: it is valid while its owner lives and is neither resized nor assigned,
/// and changes through the view are visible in the owner and the reverse. at::Tensor has no
/// read-only form, so const objects have no tensor view; copy them, or view the original. Nothing
/// here but to_feature_map() can synchronise a device.

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/input.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

namespace detail {

// The dtype is always given, because LibTorch's default dtype can be changed at run time.
inline at::Tensor cpu_view(void* data, at::IntArrayRef shape, at::ScalarType dtype) {
  return at_torch_boundary("tensor_view", [&] {
    return at::from_blob(data, shape, at::TensorOptions().dtype(dtype).device(at::kCPU));
  });
}

inline std::string tensor_text(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  std::string what = text(c10::toString(tensor.scalar_type()), " ", shape_text(tensor.sizes()),
                          " on ", tensor.device().str());
  if (tensor.layout() != at::kStrided) return what + text(", layout ", tensor.layout());
  what += ", strides " + shape_text(tensor.strides());
  return tensor.is_neg() ? what + ", negated lazily" : what;
}

/// A contiguous float32 matrix on the CPU as a read-only view.
inline MatrixView matrix_view(const at::Tensor& tensor, const char* function, const char* shape) {
  return at_torch_boundary(function, [&] {
    const auto refusal = [&] {
      return text(function, ": ", tensor_text(tensor), "; expected a contiguous Float ", shape,
                  " on cpu");
    };
    if (!tensor.defined() || tensor.dim() != 2) throw ShapeError(refusal());
    // is_neg: LibTorch may hold a tensor as the negative of its memory.
    if (!tensor.device().is_cpu() || tensor.scalar_type() != at::kFloat ||
        tensor.layout() != at::kStrided || tensor.is_neg()) {
      throw DeviceError(refusal());
    }
    if (!tensor.is_contiguous()) throw ShapeError(refusal());
    return MatrixView(tensor.const_data_ptr<float>(), tensor.size(0), tensor.size(1));
  });
}

}  // namespace detail

/// A matrix as a float32 CPU tensor [N,D], without a copy; valid while the matrix lives and keeps
/// its size.
inline at::Tensor tensor_view(FloatMatrix& matrix) {
  return detail::cpu_view(matrix.data(), {matrix.rows(), matrix.cols()}, at::kFloat);
}

/// A feature map as a float32 CPU tensor [rows, cols, D], without a copy; valid while the map lives
/// and keeps its size.
///
/// @throws ShapeError when the map's values are not [rows*cols, D]
inline at::Tensor tensor_view(FeatureMap& map) {
  const auto rows = static_cast<std::int64_t>(map.rows), cols = static_cast<std::int64_t>(map.cols);
  if (rows < 0 || cols < 0 || map.values.rows() != rows * cols) {
    throw ShapeError(detail::text("tensor_view: feature map of ", rows, "x", cols,
                                  " cells with values for ", map.values.rows()));
  }
  return detail::cpu_view(map.values.data(), {rows, cols, map.values.cols()}, at::kFloat);
}

/// Points of any frame as a float64 CPU tensor [N,2], columns x, y, without a copy; valid while the
/// list lives and keeps its length. The tensor no longer knows its frame.
template <class Frame>
at::Tensor tensor_view(Points<Frame>& points) {
  static_assert(sizeof(Point<Frame>) == 2 * sizeof(double));
  return detail::cpu_view(points.list.data(), {static_cast<std::int64_t>(points.size()), 2},
                          at::kDouble);
}

/// An input as a float32 CPU tensor [B,3,H,W], without a copy; valid while the batch lives and
/// keeps its size.
///
/// @throws ShapeError when the batch's values are not B * 3 * H * W floats
inline at::Tensor tensor_view(InputBatch& batch) {
  if (batch.batch < 0 || batch.size.width < 0 || batch.size.height < 0 ||
      batch.values.size() != static_cast<std::size_t>(batch.batch) * batch.picture_floats()) {
    throw ShapeError(detail::text("tensor_view: ", batch.values.size(), " floats, expected ",
                                  batch.batch, "x3x", batch.size.height, "x", batch.size.width));
  }
  return detail::cpu_view(batch.values.data(),
                          {batch.batch, 3, batch.size.height, batch.size.width}, at::kFloat);
}

/// A contiguous float32 CPU tensor [N,D] as descriptors, without a copy and without its gradient;
/// valid while the tensor's memory lives. Never synchronises: it takes no tensor of another device.
///
/// @throws ShapeError when the tensor is not two-dimensional or not contiguous, DeviceError when it
///   is not float32, dense and on the CPU
inline MatrixView descriptor_view(const at::Tensor& tensor) {
  return detail::matrix_view(tensor, "descriptor_view", "[N, D]");
}
/// A temporary tensor would be gone before its view.
MatrixView descriptor_view(const at::Tensor&& tensor) = delete;

/// A contiguous float32 CPU tensor [rows, cols] of cosine similarities as a similarity map, without
/// a copy and without its gradient; valid while the tensor's memory lives. Never synchronises: it
/// takes no tensor of another device.
///
/// @throws ShapeError when the tensor is not two-dimensional or not contiguous, DeviceError when it
///   is not float32, dense and on the CPU
inline SimilarityMap similarity_map_view(const at::Tensor& tensor) {
  const MatrixView view = detail::matrix_view(tensor, "similarity_map_view", "[rows, cols]");
  return {view.data(), view.rows(), view.cols()};
}
/// A temporary tensor would be gone before its view.
SimilarityMap similarity_map_view(const at::Tensor&& tensor) = delete;

/// Copies features [rows, cols, D] of any floating-point dtype, device and strides once, to a
/// float32 map all of whose cells show the picture; synchronises the device of a tensor that is not
/// on the CPU.
///
/// @throws ShapeError when the tensor is not three-dimensional or has more cells than an int
/// counts,
///   DeviceError when it holds no floating-point numbers or cannot be read
inline FeatureMap to_feature_map(const at::Tensor& tensor) {
  return at_torch_boundary("to_feature_map", [&] {
    const auto refusal = [&](const char* expected) {
      return detail::text("to_feature_map: ", detail::tensor_text(tensor), "; expected ", expected);
    };
    if (!tensor.defined() || tensor.dim() != 3) throw ShapeError(refusal("[rows, cols, D]"));
    if (!at::isFloatingType(tensor.scalar_type())) {
      throw DeviceError(refusal("a floating-point dtype"));
    }
    constexpr std::int64_t most = (std::numeric_limits<int>::max)();
    const std::int64_t rows = tensor.size(0), cols = tensor.size(1), dim = tensor.size(2);
    if (rows > most || cols > most || dim > most || rows * cols > most) {
      throw ShapeError(refusal("at most 2^31 - 1 cells and features"));
    }
    FeatureMap map;
    map.rows = static_cast<int>(rows);
    map.cols = static_cast<int>(cols);
    map.content = {0, 0, map.cols, map.rows};
    map.values.resize(rows * cols, dim);
    // resolve_neg: copy_ from Half to Float overlooks that a tensor may be the negative of its
    // memory (LibTorch 2.13); it does nothing to other tensors.
    tensor_view(map).copy_(tensor.detach().resolve_neg());
    return map;
  });
}

}  // namespace homolog::inline v0_1
