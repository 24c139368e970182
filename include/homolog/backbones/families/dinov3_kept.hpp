// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What DINOv3's original files hold and other projects' do not: the mask of the biases, the
/// periods of the rotary positions, an unused norm. Renaming to Hugging Face's keys moves these
/// tensors into the metadata, and renaming back takes them from there, so that no bit is lost.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

inline constexpr std::string_view rope_periods_key = "rope_embed.periods";

/// DINOv3's periods 100^(j / (d / 4)), j = 0 .. d / 4 - 1, of a head dimension d.
std::vector<float> rope_periods(int head_dim);

void reshape_mask_token(TensorFile& file, std::vector<std::int64_t> shape);

/// Biases of a block as the original's forward pass uses them: bias * mask, the default mask where
/// the file has none.
///
/// @param block such as `blocks.3.`
/// @return [3D]; empty when the block has no bias
/// @throws WeightsError when bias or mask do not have 3D values
std::vector<float> effective_qkv_bias(const TensorFile& file, const std::string& block,
                                      int embed_dim);

/// Adds the tensors that other key styles have no names for, from the metadata or, when they are
/// not there, with the values that the original project gives them when it builds the model.
void complete_dinov3(TensorFile& file, const Recognized& recognized);

/// Removes the biases of queries, keys and values when all of them are zero, as timm does.
void drop_zero_biases(TensorFile& file);

/// Writes the number of heads into the metadata for a size that nobody has published, because
/// without periods nothing else in the file states it.
inline void state_heads(TensorFile& file, const Recognized& recognized) {
  if (recognized.variant.empty()) {
    file.metadata["homolog.heads"] = std::to_string(recognized.heads);
  }
}

/// The opposite of complete_dinov3(). Tensors that complete_dinov3() can recreate are removed, the
/// others move into the metadata (or are removed too when `keep` is false), and biases are replaced
/// by those that the forward pass uses.
void reduce_dinov3(TensorFile& file, const Recognized& recognized, bool keep);

}  // namespace homolog::inline v0_1::detail

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/families/detail/dinov3_kept_inl.hpp"
#endif
