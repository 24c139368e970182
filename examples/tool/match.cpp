// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "commands.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/visualization/draw_matches.hpp"
#include "options.hpp"
#include "outputs.hpp"
#include "torch_backend.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

namespace {

struct MatchOptions {
  std::string source, target, points, output, json;
  BackboneOptions backbone;
  InputOptions input;
  MatcherOptions matcher;
};

double parse_number(std::string_view text, const std::string& points) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw UsageError("--points '" + points + "': '" + std::string(text) +
                     "' is no number; type --points \"x,y;x,y\"");
  }
  return value;
}

Points<ImageFrame> parse_points(const std::string& text) {
  Points<ImageFrame> points;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view item = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto comma = item.find(',');
    if (comma == std::string_view::npos) {
      throw UsageError("--points '" + text + "': '" + std::string(item) +
                       "' is no keypoint; type --points \"x,y;x,y\"");
    }
    points.push_back(
        {parse_number(item.substr(0, comma), text), parse_number(item.substr(comma + 1), text)});
  }
  if (points.empty()) throw UsageError("--points: no keypoints; type --points \"x,y;x,y\"");
  return points;
}

void match_command(MatchOptions options) {
  require_fitting(options.backbone);
  const Points<ImageFrame> points = parse_points(options.points);
  const AnyMatcher matcher = make_matcher(options.matcher);
  if (!options.output.empty()) require_picture_name("--output", options.output);
  require_writable({{"--output", options.output}, {"--json", options.json}},
                   {{"--source", options.source},
                    {"--target", options.target},
                    {"--weights", options.backbone.weights},
                    {"--checkpoint", options.backbone.checkpoint}});
  const Image source = load_image(options.source), target = load_image(options.target);
  require_inside(points, source.size());
  adopt_checkpoint(options.backbone, options.input, options.matcher);
  const NamedBackbone backbone = make_backbone(options.backbone, !options.json.empty());
  const MatchResult result =
      visit_matcher(matcher, options.matcher.mutual, [&](const auto& policy) {
        Pipeline<AnyBackbone, std::decay_t<decltype(policy)>> pipeline(backbone.backbone, policy);
        pipeline.setting = pipeline_setting(options.input, options.matcher);
        if (options.matcher.matcher != "copy-coordinates" || options.matcher.mutual) {
          announce_large_input(options.source, pipeline.transform(source.size()));
          announce_large_input(options.target, pipeline.transform(target.size()));
        }
        return pipeline.match(source, target, points);
      });
  if (!options.output.empty()) {
    save_image(options.output, draw_matches(source, target, points, result.points));
  }
  if (!options.json.empty()) {
    nlohmann::ordered_json json{{"source", options.source}, {"target", options.target}};
    json.update(backbone.facts);
    json["resize"] = options.input.resize;
    json["resize_filter"] = resize_filter_name(options.input);
    json["query"] = options.matcher.query;
    json["matcher"] = describe_matcher(matcher, options.matcher.mutual);
    json["points"] = points_json(points);
    json["predicted"] = points_json(result.points);
    json["score"] = result.scores;
    if (options.matcher.mutual) json["mutual"] = result.mutual;
    if (options.matcher.margin) json["margin"] = result.margins;
    write_file_atomically(options.json, homolog::json_text(json, 2) + "\n");
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    const char* mutual = !options.matcher.mutual ? ""
                         : result.mutual[i]      ? "  mutual"
                                                 : "  not mutual";
    std::printf("(%.2f, %.2f) -> (%.2f, %.2f)  score %.4f%s", points[i].x, points[i].y,
                result.points[i].x, result.points[i].y, static_cast<double>(result.scores[i]),
                mutual);
    if (options.matcher.margin) {
      std::printf("  margin %.4f", static_cast<double>(result.margins[i]));
    }
    std::printf("\n");
  }
}

}  // namespace

void add_match(CLI::App& app) {
  auto* command = app.add_subcommand("match", "find keypoints of one picture in another");
  auto options = std::make_shared<MatchOptions>();
  command->add_option("--source", options->source, "picture with the keypoints")->required();
  command->add_option("--target", options->target, "picture to search")->required();
  command->add_option("--points", options->points, "\"x,y;x,y\" in pixels of the source")
      ->required();
  command->add_option("--output", options->output, "drawing to write, .png or .jpg");
  command->add_option("--json", options->json, "result file");
  add_backbone_options(*command, options->backbone);
  add_input_options(*command, options->input);
  add_matcher_options(*command, options->matcher);
  command->callback([options] { match_command(*options); });
}

}  // namespace tool
