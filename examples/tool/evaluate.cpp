// SPDX-License-Identifier: Apache-2.0
#include "homolog/pipeline/evaluate.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "dataset_options.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/distributed/launch.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/visualization/draw_matches.hpp"
#include "options.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "torch_backend.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

namespace {

struct EvaluateOptions {
  DatasetOptions data;
  std::string protocol = "homolog";
  BackboneOptions backbone;
  InputOptions input;
  MatcherOptions matcher;
  std::vector<double> alphas{0.05, 0.1, 0.2};
  int batch_size = 4;
  double cache_memory = 2;
  double timeout = 600;
  std::string json, predictions, pictures;
  int picture_count = 6;
};

void print_table(const Evaluation& evaluation) {
  const auto row = [](const std::string& name, const PckScores& scores) {
    std::printf("%-18s %7zu %8zu", homolog::printable_text(name, homolog::whole_text).c_str(),
                scores.pairs, scores.points);
    for (const auto* values : {&scores.per_point, &scores.per_image}) {
      std::printf("  |");
      for (const double value : *values) std::printf(" %6.2f", 100 * value);
    }
    std::printf("\n");
  };
  std::printf("%-18s %7s %8s", "category", "pairs", "points");
  for (const char* aggregation : {"point", "image"}) {
    std::printf("  |");
    for (const double alpha : evaluation.alphas) {
      std::printf(" %6s",
                  (std::string(1, aggregation[0]) + "@" + homolog::decimal_text(alpha)).c_str());
    }
  }
  std::printf("   PCK in percent: p@ per point, i@ per image\n");
  for (const auto& [category, scores] : evaluation.per_category) row(category, scores);
  row("all", evaluation.total);
  if (evaluation.mutual && evaluation.mutual->points > 0) row("mutual answers", *evaluation.mutual);
  if (evaluation.mutual && evaluation.mutual->points == 0) std::printf("no answer is mutual\n");
  std::printf(
      "%zu distinct images, %zu backbone forwards, %.1f s (decode %.1f, backbone %.1f, "
      "match %.1f)\n",
      evaluation.distinct_images, evaluation.backbone_forwards, evaluation.seconds.total,
      evaluation.seconds.decode, evaluation.seconds.backbone, evaluation.seconds.match);
}

std::filesystem::path drawing_name(const EvaluateOptions& options, std::size_t k) {
  std::string number = std::to_string(k + 1);
  number.insert(0, number.size() < 2 ? "0" : "");
  return std::filesystem::path(options.pictures) / ("pair_" + number + ".png");
}

// The files that the process of rank 0 writes; drawings only where they would replace something.
std::vector<NamedFile> outputs_of(const EvaluateOptions& options, std::size_t pairs) {
  if (launch_from_environment().rank > 0) return {};
  std::vector<NamedFile> outputs{{"--json", options.json}, {"--predictions", options.predictions}};
  if (options.pictures.empty()) return outputs;
  std::error_code error;
  for (std::size_t k = 0; k < std::min(static_cast<std::size_t>(options.picture_count), pairs);
       ++k) {
    const auto drawing = drawing_name(options, k);
    if (std::filesystem::exists(drawing, error)) outputs.push_back({"--pictures", drawing});
  }
  return outputs;
}

// Draws pairs spread evenly over the data set; rings mark the truth, thin lines are misses at 0.1.
void save_pictures(const EvaluateOptions& options, const Dataset& dataset,
                   const Evaluation& evaluation) {
  homolog::make_folders(options.pictures);
  const std::size_t count =
      std::min(static_cast<std::size_t>(options.picture_count), dataset.pairs.size());
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t i = k * dataset.pairs.size() / count;
    const Pair& pair = dataset.pairs[i];
    const PairResult& answer = evaluation.pairs[i];
    Image source = load_image(pair.source), target = load_image(pair.target);
    Points<ImageFrame> points = pair.source_keypoints;
    if (pair.flip) {
      points = flip_points(points, source.width);
      source = flip_horizontally(source);
      target = flip_horizontally(target);
    }
    save_image(drawing_name(options, k),
               draw_matches(source, target, points, answer.predicted, &answer.truth,
                            0.1 * answer.errors.threshold_scale));
  }
}

// Of the pictures that become the largest input, the first; their headers are read only where sizes
// differ.
template <class P>
void announce_largest(const P& pipeline, const Dataset& dataset) {
  std::set<std::filesystem::path> seen;
  std::optional<FrameTransform> largest;
  std::string name;
  const auto look = [&](const std::filesystem::path& path) {
    if (!seen.insert(path).second) return;
    const FrameTransform transform = pipeline.transform(read_image_size(path));
    if (largest &&
        transform.grid.rows * transform.grid.cols <= largest->grid.rows * largest->grid.cols) {
      return;
    }
    largest = transform;
    name = path.string();
  };
  for (const Pair& pair : dataset.pairs) {
    look(pair.source);
    if (pipeline.setting.resize != Resize::native) break;
    look(pair.target);
  }
  if (largest) announce_large_input(name, *largest);
}

template <class M>
Evaluation run(const EvaluateOptions& options, const Dataset& dataset, const AnyBackbone& backbone,
               const M& matcher, const Shard& shard, int& image_size) {
  Pipeline<AnyBackbone, M> pipeline(backbone, matcher);
  pipeline.setting = pipeline_setting(options.input, options.matcher);
  pipeline.setting.threads = options.backbone.threads > 0
                                 ? options.backbone.threads
                                 : static_cast<int>(std::thread::hardware_concurrency());
  image_size = pipeline.setting.resize == Resize::native
                   ? 0
                   : pipeline.transform({100, 100}).image.input.width;
  if (shard.index == 0 && needs_features<M>()) announce_largest(pipeline, dataset);
  Progress progress;
  progress.terminal = progress.terminal && shard.index == 0;
  EvaluateSetting setting;
  setting.shard = shard;
  setting.alphas = options.alphas;
  setting.batch_size = options.batch_size;
  setting.cache_memory = static_cast<std::size_t>(options.cache_memory * 1024 * 1024 * 1024);
  setting.progress = std::ref(progress);
  return evaluate(pipeline, dataset, setting);
}

void evaluate_command(EvaluateOptions options) {
  require_fitting(options.data);
  require_fitting(options.backbone);
  const AnyMatcher matcher = make_matcher(options.matcher);
  require_writable(
      outputs_of(options, 0),
      {{"--weights", options.backbone.weights}, {"--checkpoint", options.backbone.checkpoint}},
      {options.pictures});
  const Shard shard = join_evaluation(options.timeout, options.backbone);
  adopt_checkpoint(options.backbone, options.input, options.matcher);
  const Dataset dataset = load_dataset(options.data);
  if (shard.index == 0) {
    print_warnings(dataset);
    for (const double alpha : options.alphas) {
      if (!(alpha > 1)) continue;
      std::fprintf(
          stderr,
          "homolog: warning: --alpha %s is above 1, more than the whole length; is it meant "
          "in per cent?\n",
          homolog::decimal_text(alpha).c_str());
    }
  }
  require_writable(outputs_of(options, dataset.pairs.size()), options.data, dataset,
                   {options.pictures});
  const NamedBackbone backbone =
      make_backbone(options.backbone, !options.json.empty() && shard.index == 0);
  int image_size = 0;
  const Evaluation evaluation =
      visit_matcher(matcher, options.matcher.mutual, [&](const auto& policy) {
        return run(options, dataset, backbone.backbone, policy, shard, image_size);
      });
  if (shard.index > 0) return;  // every process has all results; the first one reports them
  const PipelineSetting setting = pipeline_setting(options.input);
  auto json = evaluation_json(evaluation, dataset, setting.resize, image_size);
  json.update(backbone.facts);
  if (!options.predictions.empty()) json["predictions"] = options.predictions;
  json["resize_filter"] = resize_filter_name(options.input);
  json["query"] = options.matcher.query;
  json["matcher"] = describe_matcher(matcher, options.matcher.mutual);
  if (!options.pictures.empty()) save_pictures(options, dataset, evaluation);
  if (!options.predictions.empty()) {
    write_file_atomically(options.predictions, predictions_jsonl(evaluation, dataset));
  }
  if (!options.json.empty())
    write_file_atomically(options.json, homolog::json_text(json, 2) + "\n");
  print_table(evaluation);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto* command = app.add_subcommand("evaluate", "PCK of a pipeline on a data set");
  auto options = std::make_shared<EvaluateOptions>();
  add_dataset_options(*command, options->data);
  command->add_option("--split", options->data.split, "its split")->capture_default_str();
  command
      ->add_option("--protocol", options->protocol,
                   "homolog: target pixels, <=, the data set's own threshold length")
      ->check(CLI::IsMember({"homolog"}))
      ->capture_default_str();
  add_backbone_options(*command, options->backbone);
  add_input_options(*command, options->input);
  add_matcher_options(*command, options->matcher);
  command->add_option("--alpha", options->alphas, "PCK thresholds")
      ->delimiter(',')
      ->check(positive_number());
  command->add_option("--batch-size", options->batch_size, "pictures a forward")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--cache-memory", options->cache_memory,
                   "GiB of features kept in memory; the rest is spilled to a temporary file")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  add_timeout_option(*command, options->timeout);
  command->add_option("--json", options->json, "result file");
  command->add_option("--predictions", options->predictions, "one JSON line a pair");
  auto* pictures =
      command->add_option("--pictures", options->pictures, "folder for drawings of matched pairs");
  command->add_option("--picture-count", options->picture_count, "how many drawings")
      ->check(number_from(1))
      ->needs(pictures)
      ->capture_default_str();
  command->callback([options] { evaluate_command(*options); });
}

}  // namespace tool
