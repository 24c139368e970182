// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Computes L2-normalised feature maps of pictures in memory with a Backbone.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/backbone_concept.hpp"
#include "homolog/core/detail/available_memory.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/kernels/normalize.hpp"

namespace homolog::inline v0_1 {

/// Cells of a grid of patches that show any of the picture.
///
/// @param patch side of a patch [px]
inline CellRange content_cells(const ImageTransform& image, int patch) {
  return {image.offset_x / patch, image.offset_y / patch,
          (image.offset_x + image.content.width + patch - 1) / patch,
          (image.offset_y + image.content.height + patch - 1) / patch};
}

/// A picture's grid without features, for matchers that read only positions.
inline FeatureMap bare_grid(const FrameTransform& transform) {
  FeatureMap map(transform.grid.rows, transform.grid.cols, 0);
  map.content = content_cells(transform.image, transform.grid.patch);
  return map;
}

/// Brings maps to the form that matchers read: L2-normalised, with the cells that show the picture.
///
/// @param transforms one a map
/// @param who gave the maps, for the error
/// @throws ShapeError for another number of maps, or one that does not have its picture's grid
inline void finish_maps(std::vector<FeatureMap>& maps, std::span<const FrameTransform> transforms,
                        std::string_view who) {
  if (maps.size() != transforms.size()) {
    throw ShapeError(
        detail::text(who, ": ", maps.size(), " feature maps for ", transforms.size(), " pictures"));
  }
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto& [image, grid] = transforms[i];
    if (maps[i].rows != grid.rows || maps[i].cols != grid.cols ||
        maps[i].values.rows() != grid.rows * grid.cols || maps[i].values.cols() < 1) {
      throw ShapeError(detail::text(who, ": feature map of ", maps[i].rows, "x", maps[i].cols,
                                    " cells and ", maps[i].values.rows(), "x",
                                    maps[i].values.cols(), " floats, expected ", grid.rows, "x",
                                    grid.cols, " cells and a row of floats for each"));
    }
    normalize_rows(maps[i].values);
    maps[i].content = content_cells(image, grid.patch);
  }
}

/// Refuses a call of the backbone that would take more memory than there is.
///
/// @param who names the picture in the error
/// @throws SettingError that names picture, input, patches and memory
template <class B>
void require_memory(const B& backbone, const FrameTransform& transform, int pictures,
                    const std::string& who) {
  constexpr std::uint64_t always_there = std::uint64_t{256} << 20;
  const std::uint64_t needed = forward_bytes_of(backbone, transform.image.input, pictures);
  if (needed <= always_there) return;
  const auto available = detail::available_memory();
  if (!available || needed <= *available) return;
  const auto gibibytes = [](std::uint64_t bytes) {
    return static_cast<double>((bytes * 10) >> 30) / 10;
  };
  throw SettingError(detail::text(
      who, ", of ", transform.image.image.width, "x", transform.image.image.height,
      " px, becomes an input of ", transform.image.input.width, "x", transform.image.input.height,
      " px with ", transform.grid.rows * transform.grid.cols, " patches; ", pictures,
      " at once would take at least ", gibibytes(needed), " GiB, ", gibibytes(*available),
      " GiB are available; set a smaller image size (--image-size, with --resize squash or "
      "letterbox) or batch, or shrink the picture"));
}

namespace detail {

/// Calls `run` with the batch of pictures that all become inputs of one size, as bytes where the
/// backbone asks for them.
///
/// @throws ShapeError when there is no picture, or the input sizes differ
template <class B, class Run>
auto in_one_batch(const B& backbone, std::span<const ImageView> images,
                  std::span<const FrameTransform> transforms, ResizeFilter filter, const Run& run) {
  if (images.empty()) throw ShapeError("features: no picture was given");
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Size own = transforms[i].image.input, first = transforms.front().image.input;
    if (own == first) continue;
    throw ShapeError(text("features: picture ", i, " has input size ", own.width, "x", own.height,
                          ", the batch has ", first.width, "x", first.height));
  }
  const int count = static_cast<int>(images.size());
  const Size input = transforms.front().image.input;
  const auto for_each_picture = [&](const auto& prepare) {
    for (int i = 0; i < count; ++i) {
      const auto place = static_cast<std::size_t>(i);
      prepare(i, images[place], transforms[place].image);
    }
  };
  if constexpr (ByteBackbone<B>) {
    if (backbone.takes_bytes()) {
      ByteBatch batch(count, input);
      for_each_picture([&](int i, const ImageView& image, const ImageTransform& to_input) {
        prepare_bytes(image, to_input, filter, batch.picture(i));
        batch.content[static_cast<std::size_t>(i)] = {to_input.offset_x, to_input.offset_y,
                                                      to_input.content};
      });
      return run(batch);
    }
  }
  InputBatch batch(count, input);
  const Normalization normalization = normalization_of(backbone);
  for_each_picture([&](int i, const ImageView& image, const ImageTransform& to_input) {
    prepare_input(image, to_input, normalization, filter, batch.picture(i));
  });
  return run(batch);
}

}  // namespace detail

/// Features of pictures whose inputs have one size, in one call of the backbone. The memory is not
/// checked here: call require_memory() before a run, because free memory changes during a long
/// run.
///
/// @param images at least one
/// @param transforms one a picture
/// @return L2-normalised maps, one a picture
/// @throws ShapeError when there is no picture, the input sizes differ or the backbone's answer has
/// another shape
template <class B>
std::vector<FeatureMap> backbone_features(const B& backbone, std::span<const ImageView> images,
                                          std::span<const FrameTransform> transforms,
                                          ResizeFilter filter) {
  std::vector<FeatureMap> maps = detail::in_one_batch(
      backbone, images, transforms, filter, [&](const auto& batch) { return backbone(batch); });
  finish_maps(maps, transforms, "backbone");
  return maps;
}

}  // namespace homolog::inline v0_1
