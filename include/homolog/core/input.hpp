// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a backbone receives: a batch of equally sized, normalised pictures. No LibTorch here, so a
/// backbone over ONNX Runtime, TensorRT or a feature file reads the same struct.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/normalization.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// B pictures of one size, float32 [B, 3, height, width], contiguous, already normalised.
struct InputBatch {
  int batch = 0;              ///< B, pictures
  Size size;                  ///< [px] of each picture
  std::vector<float> values;  ///< [B, 3, height, width], channels R, G, B

  InputBatch() = default;
  /// A zero batch of the given shape.
  InputBatch(int batch_, Size size_)
      : batch(batch_), size(size_), values(static_cast<std::size_t>(batch_) * picture_floats()) {}

  /// Floats of one picture: 3 * height * width.
  std::size_t picture_floats() const {
    return 3 * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  }
  /// Picture i < batch, [3, height, width], to be written; not checked.
  float* picture(int i) { return values.data() + static_cast<std::size_t>(i) * picture_floats(); }
  /// Picture i < batch, [3, height, width]; not checked.
  const float* picture(int i) const {
    return values.data() + static_cast<std::size_t>(i) * picture_floats();
  }
};

/// B pictures of one size as bytes, uint8 [B, height, width, 3] RGB, not normalised: a quarter of
/// the bytes of an InputBatch to copy to a device.
struct ByteBatch {
  int batch = 0;                     ///< B, pictures
  Size size;                         ///< [px] of each picture
  std::vector<std::uint8_t> values;  ///< [B, height, width, 3]
  /// Where a picture lies within its input; pixels outside count as the mean colour, which is 0
  /// after normalisation.
  struct Content {
    int x = 0;  ///< [px] first column
    int y = 0;  ///< [px] first row
    Size size;  ///< [px] of the part that shows the picture
  };
  std::vector<Content> content;  ///< [B] where each picture lies in its place

  ByteBatch() = default;
  /// A zero batch of the given shape, each picture filling its place.
  ByteBatch(int batch_, Size size_)
      : batch(batch_),
        size(size_),
        values(static_cast<std::size_t>(batch_) * picture_bytes()),
        content(static_cast<std::size_t>(batch_), Content{0, 0, size_}) {}

  /// Bytes of one picture: height * width * 3.
  std::size_t picture_bytes() const {
    return 3 * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  }
  /// Picture i < batch, [height, width, 3], to be written; not checked.
  std::uint8_t* picture(int i) {
    return values.data() + static_cast<std::size_t>(i) * picture_bytes();
  }
};

namespace detail {

/// The usual input side [px]: the largest multiple of the patch size up to 518, one patch when a
/// patch is larger than that; 0 for a patch size below 1.
inline int usual_image_size(int patch) {
  return patch < 1 ? 0 : (518 < patch ? patch : 518 / patch * patch);
}

/// @throws ShapeError unless the batch holds exactly `batch` pictures of `of_each` values each
inline void require_batch_values(int batch, Size size, std::size_t values, std::size_t of_each) {
  if (batch < 1 || size.width < 1 || size.height < 1 || values % of_each != 0 ||
      values / of_each != static_cast<std::size_t>(batch)) {
    throw ShapeError(text("input batch: ", values, " values for ", batch, " pictures of ",
                          size.width, "x", size.height, " px with 3 channels"));
  }
}

/// @throws ShapeError when the public members of a batch contradict each other
inline void require_batch(const InputBatch& batch) {
  require_batch_values(batch.batch, batch.size, batch.values.size(), batch.picture_floats());
}

/// @throws ShapeError as for floats, or when a content does not lie inside its picture
inline void require_batch(const ByteBatch& batch) {
  require_batch_values(batch.batch, batch.size, batch.values.size(), batch.picture_bytes());
  if (batch.content.size() != static_cast<std::size_t>(batch.batch)) {
    throw ShapeError(text("input batch: ", batch.content.size(), " content rectangles for ",
                          batch.batch, " pictures"));
  }
  for (const auto& [x, y, size] : batch.content) {
    if (size.width < 1 || size.height < 1 || x < 0 || y < 0 || size.width > batch.size.width - x ||
        size.height > batch.size.height - y) {
      throw ShapeError(text("input batch: content of ", size.width, "x", size.height, " at (", x,
                            ", ", y, ") in pictures of ", batch.size.width, "x",
                            batch.size.height));
    }
  }
}

}  // namespace detail
}  // namespace homolog::inline v0_1
