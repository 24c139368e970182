// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The tensors that a family's transformer is made of.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/weights/audit.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Tensors of the blocks of a pre-norm vision transformer, in DINOv2's order.
void expect_blocks(std::vector<ExpectedTensor>& list, const Recognized& sizes,
                   const TransformerTraits& traits);

}  // namespace detail

/// The tensors of a transformer of the given sizes under original names, in the order in which
/// random ones are drawn; those that no feature needs are optional and come last.
template <class Family>
std::vector<ExpectedTensor> expected_tensors(const Recognized& sizes) {
  const TransformerTraits traits = Family::traits(sizes);
  const std::int64_t dim = sizes.embed_dim, patch = sizes.patch_size;
  const std::int64_t rows = sizes.position_rows > 0 ? sizes.position_rows : any_size;
  std::vector<ExpectedTensor> list;
  if (traits.class_token) list.push_back({"cls_token", {1, 1, dim}});
  if (traits.square_positions) {
    list.push_back({"pos_embed", {1, rows, rows, dim}});
  } else if (!traits.rotary) {
    list.push_back({"pos_embed", {1, rows, dim}});
  }
  if (sizes.registers > 0) {
    list.push_back({std::string(traits.register_key), {1, sizes.registers, dim}});
  }
  list.push_back({"patch_embed.proj.weight", {dim, 3, patch, patch}});
  list.push_back({"patch_embed.proj.bias", {dim}});
  detail::expect_blocks(list, sizes, traits);
  if (traits.neck) {
    const std::int64_t neck = sizes.neck_channels > 0 ? sizes.neck_channels : any_size;
    list.push_back({"neck.0.weight", {neck, dim, 1, 1}});
    list.push_back({"neck.1.weight", {neck}});
    list.push_back({"neck.1.bias", {neck}});
    list.push_back({"neck.2.weight", {neck, neck, 3, 3}});
    list.push_back({"neck.3.weight", {neck}});
    list.push_back({"neck.3.bias", {neck}});
  } else {
    list.push_back({"norm.weight", {dim}});
    list.push_back({"norm.bias", {dim}});
  }
  for (ExpectedTensor& tensor : Family::unused(sizes)) {
    tensor.optional = true;
    list.push_back(std::move(tensor));
  }
  return list;
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/families/detail/expected_tensors_inl.hpp"
#endif
