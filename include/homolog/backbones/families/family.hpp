// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the library has to know of a family of vision transformers, as one record without LibTorch:
/// its published sizes, how its files are recognised and renamed, how it is built and fed. The
/// records lie beside this file; stock.hpp lists them.

#include <array>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/position_interpolation.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/normalization.hpp"
#include "homolog/core/value_names.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// Whose key names a file has.
enum class KeyStyle {
  original,     ///< the backbone's own project
  huggingface,  ///< Hugging Face transformers
  timm          ///< pytorch-image-models
};
/// Their names, see value_name().
constexpr std::array<std::string_view, 3> value_names(KeyStyle) {
  return {"original", "huggingface", "timm"};
}

/// What a file was recognised as.
struct Recognized {
  std::string family;   ///< name of the family's record, such as `dinov2`
  std::string variant;  ///< `dinov2_vitb14_reg`, ...; empty when no published variant has the sizes
  KeyStyle style = KeyStyle::original;  ///< whose key names
  int embed_dim = 0;                    ///< length of a token
  int depth = 0;                        ///< blocks
  int heads = 0;       ///< published, else told by the tensors (SAM, and DINOv3 with periods), else
                       ///< metadata `homolog.heads`, else embed_dim / 64 (or 1)
  int patch_size = 0;  ///< [px]
  int registers = 0;   ///< register tokens
  bool swiglu = false;      ///< the MLPs are gated
  int ffn_hidden = 0;       ///< hidden channels of an MLP; with SwiGLU, of each half
  int position_rows = 0;    ///< 1 + n * n, the class token's included; SAM: n of its n x n table;
                            ///< 0 when the table is absent
  std::string prefix = {};  ///< what stands before every key, such as `backbone.`
  bool qkv_bias = true;     ///< queries and values have a bias
  int window = 0;           ///< [cells] side of SAM's attention windows
  int neck_channels = 0;    ///< channels of SAM's neck
  std::vector<int> global_blocks = {};  ///< SAM's blocks without windows
  double norm_epsilon = 0;  ///< of every LayerNorm where the style tells it; 0: the family's

  /// Equal when all members are.
  bool operator==(const Recognized&) const = default;
};

/// What a weights file was recognised as, for messages: `dinov2_vits14 (original keys, 12 blocks
/// of 384)`.
inline std::string describe(const Recognized& recognized) {
  return detail::text(
      recognized.variant.empty() ? recognized.family + " of no published size" : recognized.variant,
      " (", value_name(recognized.style), " keys, ", recognized.depth, " blocks of ",
      recognized.embed_dim, ")");
}

/// Sizes of a published model; the names are those of Recognized.
struct PublishedSizes {
  std::string_view variant;  ///< its project's name for it
  int embed_dim;             ///< length of a token
  int depth;                 ///< blocks
  int heads;                 ///< of the attention
  int patch_size;            ///< [px]
  int registers;             ///< register tokens
  bool swiglu;               ///< the MLPs are gated
  int ffn_hidden;            ///< hidden channels of an MLP
  int position_rows;         ///< rows of the position table
  bool qkv_bias = true;      ///< queries and values have a bias
  int window = 0;            ///< [cells] attention windows in all but every (depth / 4)-th block
  int neck_channels = 0;     ///< channels of a neck behind the last block
};

/// Original names of the layers of a block's MLP.
struct MlpKeys {
  std::string_view in = "mlp.fc1";   ///< the first layer; of a SwiGLU the one that is gated
  std::string_view out = "mlp.fc2";  ///< the last layer
  std::string_view gate = {};        ///< of a SwiGLU; empty when `in` holds both, the gate first
};

/// How a family's transformer is built, beside its sizes: what its tensors are named and what its
/// forward pass does.
struct TransformerTraits {
  bool class_token = true;   ///< before the patches' tokens
  bool layer_scale = false;  ///< `ls1.gamma` and `ls2.gamma` scale what a block adds
  bool rotary = false;  ///< positions turn queries and keys, by DINOv3's rule, with the periods
                        ///< of `rope_embed.periods` where a file has them
  bool key_bias_mask = false;       ///< `attn.qkv.bias_mask`, or zeros for keys, takes biases away
  bool relative_positions = false;  ///< added to the scores of attention
  bool square_positions = false;    ///< the position table lies as [1,n,n,D]
  bool neck = false;                ///< convolutions instead of a norm follow the last block
  bool crops_input = false;         ///< what is beyond the last whole patch is ignored
  double norm_epsilon = 1e-6;       ///< added to the variance in every LayerNorm
  std::string_view register_key = "register_tokens";  ///< their tensor's name
  MlpKeys mlp;                                        ///< names of the MLP's layers
};

/// How a backbone is fed unless its user says otherwise.
struct BackboneDefaults {
  Normalization normalization = imagenet_normalization;  ///< statistics it was trained with
  PositionInterpolation positions = PositionInterpolation::hub_registers;  ///< of another grid
  int image_size = 0;  ///< [px] input side; 0: the largest multiple of the patch size up to 518
};

struct KeyTable;

/// A file that may be one of a family's.
struct Candidate {
  Recognized recognized;  ///< what it is then
  /// Whether the file has keys or values that only this family has. Where it has none, the file may
  /// as well be another's: a candidate that is certain, metadata or the user decides.
  bool certain = true;
  /// Whether it counts only where metadata `homolog.family` or the user names the family.
  bool only_named = false;
  bool heads_guessed = false;  ///< nothing tells the heads; not set by a record
};

/// The record of a family, minimum:
/// @code
/// struct MyFamily : homolog::TransformerFamily {
///   static constexpr std::string_view name = "my_vit";
///   static constexpr homolog::PublishedSizes published[] = {
///       {"my_vits16", 384, 12, 6, 16, 0, false, 1536, 197}};
///   static std::optional<homolog::Candidate> recognize(const homolog::TensorFile& plain);
/// };
/// using MyBackbone = homolog::TransformerOf<MyFamily>;
/// using MyFamilies = homolog::StockFamilies::with<MyFamily>;
/// @endcode
/// `recognize` sees keys without prefixes (KeyShapes reads them) and fills in what they tell; name,
/// variant, prefix and, where nothing tells them, heads are its caller's business. All other
/// members have the defaults below.
struct TransformerFamily {
  /// Keys of the patch embedding in every style. Whatever stands before one is the prefix of all
  /// keys, such as `backbone.`, and need not be listed anywhere.
  static constexpr std::array<std::string_view, 1> patch_keys{"patch_embed.proj.weight"};
  /// Keys beginning so belong to heads and other parts that no feature needs.
  static constexpr std::array<std::string_view, 3> ignored{"classifier.", "dino_head.",
                                                           "ibot_head."};
  /// The style of the published files.
  static constexpr KeyStyle native_style = KeyStyle::original;
  /// Only a file of a published size may be this family's, unless metadata or a key that only this
  /// family has says so.
  static constexpr bool only_published = false;
  /// Files of other families have the same keys: renamed ones say whose they are in the metadata.
  static constexpr bool shares_keys = false;

  /// How a transformer of these sizes is built.
  static TransformerTraits traits(const Recognized&) { return {}; }
  /// Tensors that its files may hold and no feature needs.
  static std::vector<ExpectedTensor> unused(const Recognized&) { return {}; }
  /// The names of a style; null when they are the original's, or the family has none.
  static const KeyTable* key_table(const Recognized&, KeyStyle) { return nullptr; }
  /// Adds to a file under original names what another style leaves out.
  static void complete(TensorFile&, const Recognized&) {}
  /// Takes out of a file under original names what another style cannot hold.
  static void reduce(TensorFile&, const Recognized&, KeyStyle) {}
  /// Puts before original names what the project's own files have there.
  static std::string published_key(const std::string& key) { return key; }
  /// How it is fed; `original` holds the file's tensors under original names, none before loading.
  static BackboneDefaults defaults(const Recognized&, const TensorFile&) { return {}; }
};

/// What a list of families takes: see TransformerFamily.
template <class F>
concept FamilyRecord = std::derived_from<F, TransformerFamily> &&
    requires(const TensorFile& plain, const Recognized& sizes) {
  { F::name } -> std::convertible_to<std::string_view>;
  { F::published[0] } -> std::convertible_to<const PublishedSizes&>;
  { F::recognize(plain) } -> std::convertible_to<std::optional<Candidate>>;
  // Members with a default, which one of another form would hide.
  { F::traits(sizes) } -> std::convertible_to<TransformerTraits>;
  { F::unused(sizes) } -> std::convertible_to<std::vector<ExpectedTensor>>;
  { F::key_table(sizes, KeyStyle{}) } -> std::convertible_to<const KeyTable*>;
  { F::defaults(sizes, plain) } -> std::convertible_to<BackboneDefaults>;
};

/// A family as a Backbone policy; backbones/transformer_of.hpp defines it, on LibTorch.
template <class Family>
struct TransformerOf;

namespace detail {

inline Recognized from_published(std::string_view family, const PublishedSizes& sizes,
                                 KeyStyle style) {
  Recognized result{std::string(family),
                    std::string(sizes.variant),
                    style,
                    sizes.embed_dim,
                    sizes.depth,
                    sizes.heads,
                    sizes.patch_size,
                    sizes.registers,
                    sizes.swiglu,
                    sizes.ffn_hidden,
                    sizes.position_rows};
  result.qkv_bias = sizes.qkv_bias;
  result.window = sizes.window;
  result.neck_channels = sizes.neck_channels;
  for (int i = 1; sizes.window > 0 && i <= 4; ++i) {
    result.global_blocks.push_back(i * (sizes.depth / 4) - 1);
  }
  return result;
}

/// Whether a file's tensors have the sizes of a published variant. Heads and biases of queries and
/// values are no size: they leave no trace in some key styles.
inline bool same_sizes(const Recognized& a, const Recognized& b) {
  return a.embed_dim == b.embed_dim && a.depth == b.depth && a.patch_size == b.patch_size &&
         a.registers == b.registers && a.swiglu == b.swiglu && a.ffn_hidden == b.ffn_hidden &&
         a.position_rows == b.position_rows && a.window == b.window &&
         a.neck_channels == b.neck_channels && a.global_blocks == b.global_blocks;
}

/// The same, for a file that may lack blocks.
inline bool same_sizes_but_fewer_blocks(const Recognized& published, Recognized file) {
  if (file.depth >= published.depth) return false;
  file.depth = published.depth;
  file.global_blocks = published.global_blocks;
  return same_sizes(published, file);
}

}  // namespace detail

/// Sizes of a family's published variant by its name, such as `dinov2_vits14_reg` of DinoV2Family.
///
/// @throws WeightsError that lists the known names
template <class Family>
Recognized published(std::string_view variant, KeyStyle style = Family::native_style) {
  std::string known;
  for (const PublishedSizes& sizes : Family::published) {
    if (sizes.variant == variant) return detail::from_published(Family::name, sizes, style);
    known += (known.empty() ? "" : ", ") + std::string(sizes.variant);
  }
  throw WeightsError(
      detail::text("unknown variant '", variant, "' of ", Family::name, "; known: ", known));
}

}  // namespace homolog::inline v0_1
