// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Policies that choose which weights a training tunes.

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/train/tuned_weights.hpp"

namespace homolog::inline v0_1 {

/// A tuning needs at least its call operator:
/// @code
/// struct MyTuning {
///   TunedWeights operator()(TransformerBackbone& backbone) const;
/// };
/// @endcode
/// It replaces weights of the backbone by trainable copies (autograd leaves), with which the
/// backbone computes from then on. They must be copies, because other copies of the backbone share
/// the original tensors. The shortest way is to call unfreeze_last() with a selection of weights.
template <class T>
concept WeightTuning = requires(const T& tuning, TransformerBackbone& backbone) {
  { tuning(backbone) } -> std::convertible_to<TunedWeights>;
};

/// Tunes the last k blocks and the final norm, as the paper does (section 3.1.1).
struct UnfreezeLast {
  /// What a user may change.
  struct Setting {
    int blocks = 1;  ///< k: counted back from the block whose output is the feature
  };
  Setting setting;  ///< read at every call, which checks it

  /// @throws SettingError when the backbone has fewer blocks
  TunedWeights operator()(TransformerBackbone& backbone) const {
    return unfreeze_last(backbone, setting.blocks);
  }
  /// The values that a resumed run must have in common; load_tuned() reads them too.
  nlohmann::ordered_json identity() const {
    return {{"unfreeze", setting.blocks}, {"lora_rank", 0}, {"lora_alpha", 0.0}};
  }
};

/// Tunes low-rank terms beside the attention matrices of the last k blocks.
struct Lora {
  /// What a user may change.
  struct Setting {
    int blocks = 1;     ///< k: counted back from the block whose output is the feature
    LoraSetting terms;  ///< rank, alpha and start of the terms
  };
  Setting setting;  ///< read at every call, which checks it

  /// @throws SettingError when the backbone has fewer blocks, or for a rank or alpha out of range
  TunedWeights operator()(TransformerBackbone& backbone) const {
    return add_lora(backbone, setting.blocks, setting.terms);
  }
  /// The values that a resumed run must have in common; load_tuned() reads them too.
  nlohmann::ordered_json identity() const {
    return {{"unfreeze", setting.blocks},
            {"lora_rank", setting.terms.rank},
            {"lora_alpha", setting.terms.alpha}};
  }
};

}  // namespace homolog::inline v0_1
