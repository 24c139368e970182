// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cstdio>

#include <algorithm>
#include <string_view>
#include <utility>

#include "homolog/backbones/families/stock.hpp"
#include "homolog/core/errors.hpp"
#include "setting_options.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

namespace {

// The names of an enumeration's values, and what leaves the choice to the tool.
template <class Enumeration>
std::vector<std::string> with_auto() {
  std::vector<std::string> names = value_names_of<Enumeration>();
  names.insert(names.begin(), "auto");
  return names;
}

}  // namespace

void add_backbone_options(CLI::App& command, BackboneOptions& options) {
  command.add_option(
      "--backbone", options.backbone,
      "model name, such as dinov2_vits14, dinov2_vitb14_reg, dinov3_vitl16, sam_vit_l, dino_vits8, "
      "vit_tiny_patch16_224 or synthetic (default: as recognised from --weights, where the file "
      "tells it)");
  command.add_option("--weights", options.weights,
                     "weights file: .safetensors, .pth, or the .index.json of several");
  command.add_option("--checkpoint", options.checkpoint,
                     "tuned weights over --weights: a checkpoint, or a folder's best, else newest");
  command.add_option("--random-weights", options.random_weights,
                     "seed of random weights instead of a file, for benchmarks");
  command
      .add_option("--layer", options.layer,
                  "0-based block whose output is used (default: last; SAM: the neck behind it)")
      ->check(number_from(-1));
  command.add_option("--blocks", options.blocks, "keep only the first N blocks")
      ->check(number_from(0));
  command.add_flag("--final-norm,!--no-final-norm", options.final_norm,
                   "apply the model's last LayerNorm, SAM's neck, to the features (default: yes)");
  command.add_option("--facet", options.facet, "token or key")
      ->check(CLI::IsMember({"token", "key"}))
      ->capture_default_str();
  command
      .add_option("--position-interpolation", options.position_interpolation,
                  "how position tables are resized; auto follows the weights' key style")
      ->check(CLI::IsMember(with_auto<PositionInterpolation>()))
      ->capture_default_str();
  command
      .add_option("--normalization", options.normalization,
                  "statistics of the input: auto (the backbone's), imagenet, satellite (DINOv3 "
                  "SAT-493M) or half")
      ->check(CLI::IsMember({"auto", "imagenet", "satellite", "half"}))
      ->capture_default_str();
  command.add_option("--device", options.device, "cpu, cuda or cuda:i")->capture_default_str();
  command.add_option("--dtype", options.dtype, "arithmetic of the backbone")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads (default: LibTorch's choice)")
      ->check(CLI::Range(1, 1024));
}

void add_timeout_option(CLI::App& command, double& seconds) {
  command
      .add_option("--timeout", seconds,
                  "seconds that one of several processes waits for the others")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
}

void add_input_options(CLI::App& command, InputOptions& options) {
  command
      .add_option("--image-size", options.image_size,
                  "input side in pixels, a multiple of the patch size (default: the checkpoint's, "
                  "else up to 518; SAM: 1024)")
      ->check(positive_number());
  command
      .add_option("--resize", options.resize,
                  "how pictures become inputs (default: squash, or the checkpoint's)")
      ->check(CLI::IsMember(value_names_of<Resize>()));
  command
      .add_option("--resize-filter", options.filter,
                  "auto: bicubic, and bilinear for longest-side, which is SAM's own preparation")
      ->check(CLI::IsMember(with_auto<ResizeFilter>()))
      ->capture_default_str();
}

void add_matcher_options(CLI::App& command, MatcherOptions& options) {
  command.add_option("--matcher", options.matcher, "decoder of the similarity map")
      ->check(CLI::IsMember(names_of<AnyMatcher>()))
      ->capture_default_str();
  add_setting_options<AnyMatcher>(command, "--", options.settings);
  command.add_flag(
      "--mutual", options.mutual,
      "also say which answers are mutual: matched back, they give the keypoint's cell");
  command.add_flag("--margin", options.margin,
                   "also say by how much each best cell's cosine beats the second best");
  add_query_option(command, options);
}

void add_query_option(CLI::App& command, MatcherOptions& options) {
  command
      .add_option("--query", options.query,
                  "how the source feature is read (default: nearest, or the checkpoint's)")
      ->check(CLI::IsMember(value_names_of<Query>()));
}

std::string resize_filter_name(const InputOptions& input) {
  if (input.filter != "auto") return input.filter;
  return input.resize == "longest-side" ? "bilinear" : "bicubic";
}

PipelineSetting pipeline_setting(const InputOptions& input, const MatcherOptions& matcher) {
  PipelineSetting setting;
  if (!input.resize.empty()) setting.resize = value_named<Resize>(input.resize);
  setting.image_size = input.image_size;
  setting.filter = value_named<ResizeFilter>(resize_filter_name(input));
  if (!matcher.query.empty()) setting.query = value_named<Query>(matcher.query);
  setting.margin = matcher.margin;
  return setting;
}

void announce_large_input(const std::string& name, const FrameTransform& transform) {
  constexpr int usual = 16384;  // patches; 2048 px a side at 16 px a patch
  const int patches = transform.grid.rows * transform.grid.cols;
  if (patches <= usual) return;
  const Size input = transform.image.input;
  std::fprintf(
      stderr,
      "homolog: warning: %s becomes an input of %dx%d px with %d patches; attention's time "
      "grows with the square of their number, so set a smaller --image-size (with --resize "
      "squash or letterbox) where it takes too long\n",
      name.c_str(), input.width, input.height, patches);
}

AnyMatcher make_matcher(const MatcherOptions& options) {
  if (options.margin && !options.mutual && options.matcher == CopyCoordinates::name) {
    throw UsageError(
        "matcher copy-coordinates reads no features and has no --margin; leave it out");
  }
  return make_policy<AnyMatcher>("matcher", options.matcher, "--", options.settings);
}

void require_known(const std::string& backbone) {
  if (!family_of(backbone).empty()) return;
  try {
    StockFamilies::for_each([&]<class Family>(Family) {
      // A name that begins like a family's gets an error that lists that family's names alone.
      const std::string_view first = Family::published[0].variant;
      const auto mark = first.find('_');
      if (mark != first.npos && backbone.starts_with(first.substr(0, mark + 1))) {
        published<Family>(backbone);
      }
    });
  } catch (const WeightsError& error) {
    throw UsageError(std::string("--backbone: ") + error.what());
  }
  throw UsageError("--backbone: '" + backbone + "' is unknown; known are synthetic, " +
                   variant_names());
}

void require_fitting(const BackboneOptions& options) {
  const std::string& device = options.device;
  const bool numbered =
      device.starts_with("cuda:") && device.size() > 5 && device.size() < 9 &&
      std::all_of(device.begin() + 5, device.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (device != "cpu" && device != "cuda" && !numbered) {
    throw UsageError("--device: '" + device + "' is unknown; type cpu, cuda or cuda:i");
  }
  if (options.backbone == "synthetic") {
    const BackboneOptions untouched;
    const std::pair<const char*, bool> given[] = {
        {"--weights", !options.weights.empty()},
        {"--checkpoint", !options.checkpoint.empty()},
        {"--random-weights", options.random_weights.has_value()},
        {"--layer", options.layer != untouched.layer},
        {"--blocks", options.blocks != untouched.blocks},
        {"--no-final-norm", options.final_norm != untouched.final_norm},
        {"--facet", options.facet != untouched.facet},
        {"--position-interpolation",
         options.position_interpolation != untouched.position_interpolation},
        {"--normalization", options.normalization != untouched.normalization},
        {"--device", device != untouched.device},
        {"--dtype", options.dtype != untouched.dtype}};
    for (const auto& [option, is_given] : given) {
      if (is_given) {
        throw UsageError(std::string("--backbone synthetic takes no ") + option +
                         "; leave one of them out");
      }
    }
    return;
  }
  if (options.weights.empty() == !options.random_weights.has_value()) {
    throw UsageError(options.weights.empty()
                         ? "no weights were given; type --weights FILE, or --random-weights SEED "
                           "for a benchmark, or --backbone synthetic, which has none"
                         : "--weights and --random-weights exclude each other; type one of them");
  }
  if (!options.backbone.empty()) {
    require_known(options.backbone);
  } else if (options.weights.empty()) {
    throw UsageError("--random-weights needs a model; type --backbone NAME too");
  }
}

nlohmann::ordered_json describe_matcher(const AnyMatcher& any, bool mutual) {
  nlohmann::ordered_json json = policy_json(any);
  if (mutual) json["mutual"] = true;
  return json;
}

}  // namespace tool
