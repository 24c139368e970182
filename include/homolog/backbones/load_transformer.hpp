// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A Transformer out of a weights file, built as its family's record says.

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "homolog/backbones/families/expected_tensors.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/backbones/transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Refuses a file of a published model that lacks blocks, which would otherwise load as a smaller
/// model and give features without any error. A model that is meant to have fewer blocks states
/// their number in the metadata `homolog.blocks`.
template <class Family>
void require_all_blocks(const TensorFile& file, const Recognized& recognized) {
  const auto stated = file.metadata.find("homolog.blocks");
  if (stated != file.metadata.end() && stated->second == std::to_string(recognized.depth)) return;
  for (const PublishedSizes& sizes : Family::published) {
    const Recognized published = from_published(Family::name, sizes, recognized.style);
    if (!same_sizes_but_fewer_blocks(published, recognized)) continue;
    const TensorFile original = to_original_keys<Families<Family>>(file, recognized);
    AuditFindings missing{"missing"};
    for (int i = 0; i < published.depth; ++i) {
      const std::string block = text("blocks.", i);
      const auto first = original.tensors.lower_bound(block + ".");
      if (first == original.tensors.end() || !first->first.starts_with(block + ".")) {
        missing.add(block);
      }
    }
    throw WeightsError(text(file.name, ": recognised as ", describe(recognized), ", expected the ",
                            published.depth, " blocks of ", published.variant, missing.summary()));
  }
}

/// Whether sizes are those of a published variant but for some blocks.
template <class Family>
bool is_part_of(const Recognized& recognized, std::string_view variant) {
  return std::any_of(
      std::begin(Family::published), std::end(Family::published), [&](const PublishedSizes& sizes) {
        return sizes.variant == variant &&
               same_sizes_but_fewer_blocks(from_published(Family::name, sizes, recognized.style),
                                           recognized);
      });
}

/// The stock list, and a family of one's own behind it.
template <class Family>
using ListWith =
    std::conditional_t<StockFamilies::contains<Family>, StockFamilies, StockFamilies::with<Family>>;

}  // namespace detail

/// Recognises a file and requires that it is of this family and, when `variant` is not empty, of
/// that variant. A file whose keys fit several families counts as this one.
///
/// @throws WeightsError that names what was recognised and what was expected, and when nothing
///   states the number of heads of a wide model
template <class Family, class List = detail::ListWith<Family>>
Recognized recognize_as(const TensorFile& file, std::string_view variant = {}) {
  const std::vector<Candidate> all = detail::candidates<List>(file, Family::name);
  const std::string_view expected = variant.empty() ? Family::name : variant;
  if (all.empty()) {
    throw WeightsError(detail::text(unrecognized(file), "; expected ", expected));
  }
  const auto found = std::find_if(all.begin(), all.end(), [](const Candidate& one) {
    return one.recognized.family == Family::name;
  });
  const Recognized& recognized = (found == all.end() ? all.front() : *found).recognized;
  if (found == all.end() || (!variant.empty() && recognized.variant != variant &&
                             !detail::is_part_of<Family>(recognized, variant))) {
    throw WeightsError(
        detail::text(file.name, ": recognised as ", describe(recognized), ", expected ", expected));
  }
  if (recognized.variant.empty()) detail::require_all_blocks<Family>(file, recognized);
  // Heads are 64 wide in published models up to this width, and not in wider ones.
  if (found->heads_guessed && recognized.embed_dim > 1024) {
    throw WeightsError(
        detail::text(file.name, ": recognised as ", describe(recognized),
                     ", but its number of attention heads is unknown; state it in the "
                     "metadata homolog.heads of a safetensors file"));
  }
  return recognized;
}

/// A recognised file's tensors under original key names, audited and without NaN.
///
/// @throws WeightsError that names what the file was recognised as and what does not fit
template <class Family>
TensorFile audited(const TensorFile& file, const Recognized& recognized) {
  TensorFile original = to_original_keys<Families<Family>>(file, recognized);
  original.name = detail::text(file.name, " (", describe(recognized), ")");
  audit(original, expected_tensors<Family>(recognized), Family::ignored);
  require_finite(original);
  return original;
}

/// Builds a Transformer from audited tensors in original key names.
///
/// @param file tensors as audited() gives them, any floating dtype
/// @param traits what the family's record says of these sizes
/// @return weights on the CPU; views of the file's memory where it has this dtype already
/// @throws WeightsError when rotary positions do not fit the head dimension, DeviceError when
///   memory runs out
Transformer make_transformer(const TensorFile& file, const Recognized& sizes,
                             const TransformerTraits& traits, torch::Dtype dtype);

/// Loads a family's weights; everything is checked before the backbone changes. Position rule,
/// statistics and input side become the family's: set others after loading. Its Setting stays.
///
/// @tparam List the families that the file may be of
/// @param variant published name that the file must be, such as `dinov2_vitb14_reg`; empty accepts
///   any
/// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
/// @throws WeightsError naming missing, unexpected or wrongly shaped keys
template <class Family, class List = detail::ListWith<Family>>
void load_family(TransformerBackbone& backbone, const TensorFile& file, std::string_view variant,
                 torch::Dtype dtype) {
  const Recognized recognized = recognize_as<Family, List>(file, variant);
  const TensorFile original = audited<Family>(file, recognized);
  backbone.model = make_transformer(original, recognized, Family::traits(recognized), dtype);
  backbone.feed_as(Family::defaults(recognized, original));
}

/// Loads the backbone that a file holds, of whichever family it is.
///
/// @param variant published name that the file must have, which also decides when the file fits
///   several families; empty accepts any
/// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
/// @throws WeightsError when the file is of no family in the list, or as load_family()
template <class List = StockFamilies>
TransformerBackbone load_backbone_of(const TensorFile& file, std::string_view variant = {},
                                     torch::Dtype dtype = torch::kFloat32) {
  std::string family(family_of<List>(variant));
  if (family.empty()) {
    const auto recognized = recognize<List>(file, variant);
    if (!recognized) throw WeightsError(unrecognized(file));
    family = recognized->family;
  }
  TransformerBackbone backbone;
  List::visit(family, [&]<class Family>(Family) {
    load_family<Family, List>(backbone, file, variant, dtype);
  });
  return backbone;
}

/// Random tensors for a list of expected ones: normal with deviation 0.02, norms and LayerScale
/// around 1. For benchmarks and tests: the same seed gives the same weights.
///
/// @throws DeviceError when memory ends
TensorFile random_weights(const std::vector<ExpectedTensor>& expected, std::uint64_t seed);

/// Fills a published variant with random weights, for benchmarks and tests.
///
/// @throws WeightsError when the family has not published it, DeviceError when memory ends
template <class Family>
void randomize_family(TransformerBackbone& backbone, std::string_view variant, std::uint64_t seed) {
  const Recognized sizes = published<Family>(variant);
  const TensorFile original = random_weights(expected_tensors<Family>(sizes), seed);
  backbone.model = make_transformer(original, sizes, Family::traits(sizes), torch::kFloat32);
  backbone.feed_as(Family::defaults(sizes, original));
}

/// A published variant of any family with random weights, for benchmarks.
///
/// @throws WeightsError when no family of the list has published it
template <class List = StockFamilies>
TransformerBackbone random_backbone_of(std::string_view variant, std::uint64_t seed) {
  const std::string_view family = family_of<List>(variant);
  if (family.empty()) {
    throw WeightsError(
        detail::text("unknown backbone '", variant, "'; known: ", variant_names<List>()));
  }
  TransformerBackbone backbone;
  List::visit(family,
              [&]<class Family>(Family) { randomize_family<Family>(backbone, variant, seed); });
  return backbone;
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/detail/load_transformer_inl.hpp"
#endif
