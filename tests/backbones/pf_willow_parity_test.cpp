// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/vision_transformer.hpp"
#include "homolog/datasets/pf_willow.hpp"
#include "homolog/kernels/bfloat16_scan.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

// Remembers the features of every batch it has seen, so that the rows of a table that differ only
// in query or matcher share their forwards.
template <class B>
struct Remembering {
  B backbone;
  std::shared_ptr<std::vector<std::pair<std::vector<float>, std::vector<FeatureMap>>>> seen =
      std::make_shared<std::vector<std::pair<std::vector<float>, std::vector<FeatureMap>>>>();
  int patch_size() const { return backbone.patch_size(); }
  Normalization normalization() const { return backbone.normalization(); }
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    for (const auto& [input, maps] : *seen) {
      if (input == batch.values) return maps;
    }
    seen->emplace_back(batch.values, backbone(batch));
    return seen->back().second;
  }
};

std::filesystem::path willow() { return test_data() / "PF-dataset-WILLOW"; }

std::filesystem::path vits14() {
  const char* path = std::getenv("HOMOLOG_VITS14_WEIGHTS");
  return path == nullptr ? "" : path;
}

template <class B, class M>
Evaluation score(const B& backbone, M matcher, const nlohmann::json& row, const Dataset& dataset) {
  if constexpr (requires { matcher.setting.temperature; }) {
    if (!row["temperature"].is_null()) matcher.setting.temperature = row["temperature"];
  }
  if constexpr (requires { matcher.setting.window_radius; }) {
    if (!row["window_radius"].is_null()) matcher.setting.window_radius = row["window_radius"];
  }
  Pipeline<B, M> pipeline(backbone, matcher);
  pipeline.setting.image_size = row["image_size"];
  pipeline.setting.query = row["query"] == "bilinear" ? Query::bilinear : Query::nearest;
  return evaluate(pipeline, dataset);
}

}  // namespace

TEST_CASE("PF-WILLOW with a real ViT-S/14: every row of an independent implementation") {
  if (vits14().empty()) return skip("no ViT-S/14 weights: set HOMOLOG_VITS14_WEIGHTS");
  if (!std::filesystem::exists(willow())) return skip("no PF-WILLOW under HOMOLOG_TEST_DATA");
  std::ifstream file(reference_data() / "pf_willow_vits14_focus.json");
  if (!file) return skip("no reference table");
  const auto rows = nlohmann::json::parse(file);
  const Dataset dataset = load_pf_willow(willow());
  REQUIRE(dataset.pairs.size() == 900);

  Remembering<DinoV2> backbone;
  nlohmann::json current;
  double worst_total = 0, worst_category = 0;
  for (const auto& row : rows) {
    const nlohmann::json features{row["image_size"], row["layer"], row["final_norm"]};
    if (features != current) {
      current = features;
      backbone = Remembering<DinoV2>();
      backbone.backbone.load(vits14(), "dinov2_vits14");
      backbone.backbone.setting.layer = row["layer"];
      backbone.backbone.setting.final_norm = row["final_norm"];
    }
    const std::string matcher = row["matcher"];
    const Evaluation evaluation =
        matcher == "argmax"               ? score(backbone, Argmax{}, row, dataset)
        : matcher == "soft-argmax"        ? score(backbone, SoftArgmax{}, row, dataset)
        : matcher == "window-soft-argmax" ? score(backbone, WindowSoftArgmax{}, row, dataset)
                                          : score(backbone, KernelSoftArgmax{}, row, dataset);
    CHECK(evaluation.total.points == 9000);
    CHECK(evaluation.backbone_forwards == 100);
    // Ten keypoints in every pair: the two aggregations are one.
    for (std::size_t a = 0; a < 3; ++a) {
      CHECK(std::abs(evaluation.total.per_point[a] - evaluation.total.per_image[a]) < 1e-12);
    }
    double total = 0, category = 0;
    const char* alphas[] = {"0.05", "0.1", "0.2"};
    for (std::size_t a = 0; a < 3; ++a) {
      total = std::max(total, std::abs(100 * evaluation.total.per_point[a] -
                                       row["pck"][alphas[a]].get<double>()));
    }
    for (const auto& [name, scores] : evaluation.per_category) {
      category = std::max(category, std::abs(100 * scores.per_point[1] -
                                             row["per_category_0_1"][name].get<double>()));
    }
    std::printf(
        "%s layer %s norm %d %-8s %-18s T %-5s PCK@0.1 %6.2f (reference %6.2f), off by at "
        "most %.2f in total, %.2f in a category\n",
        row["image_size"].dump().c_str(), row["layer"].dump().c_str(),
        row["final_norm"].get<bool>(), row["query"].get<std::string>().c_str(), matcher.c_str(),
        row["temperature"].dump().c_str(), 100 * evaluation.total.per_point[1],
        row["pck"]["0.1"].get<double>(), total, category);
    CHECK(total <= 0.3);
    CHECK(category <= 1.5);
    worst_total = std::max(worst_total, total);
    worst_category = std::max(worst_category, category);
  }
  std::printf("%zu rows: off by at most %.2f in total, %.2f in a category\n", rows.size(),
              worst_total, worst_category);
}

TEST_CASE("PF-WILLOW with ViT-Ti/16, and the floor without features") {
  const auto weights = test_data() / "vit-tiny" / "vit_tiny_patch16_224.safetensors";
  if (!std::filesystem::exists(weights) || !std::filesystem::exists(willow())) {
    return skip("no vit-tiny or PF-WILLOW under HOMOLOG_TEST_DATA");
  }
  const Dataset dataset = load_pf_willow(willow());
  Pipeline<VisionTransformer> pipeline;
  pipeline.backbone.load(weights, "vit_tiny_patch16_224");
  pipeline.backbone.setting.layer = 6;
  pipeline.backbone.setting.final_norm = false;
  pipeline.setting.image_size = 224;
  const Evaluation evaluation = evaluate(pipeline, dataset);
  std::printf("ViT-Ti/16, block 6: PCK@0.05/0.1/0.2 %.2f %.2f %.2f (expected 14.37 32.21 52.70)\n",
              100 * evaluation.total.per_point[0], 100 * evaluation.total.per_point[1],
              100 * evaluation.total.per_point[2]);
  CHECK(std::abs(100 * evaluation.total.per_point[1] - 32.1) <= 0.8);
  CHECK(std::abs(100 * evaluation.total.per_point[2] - 52.6) <= 0.8);
  CHECK(evaluation.backbone_forwards == 100);

  const Pipeline<VisionTransformer, CopyCoordinates> floor(pipeline.backbone);
  const Evaluation copied = evaluate(floor, dataset);
  std::printf("copied coordinates: PCK@0.05/0.1/0.2 %.2f %.2f %.2f (expected 12.17 27.04 57.58)\n",
              100 * copied.total.per_point[0], 100 * copied.total.per_point[1],
              100 * copied.total.per_point[2]);
  CHECK(std::abs(100 * copied.total.per_point[1] - 27.04) <= 0.1);
  CHECK(std::abs(100 * copied.total.per_point[2] - 57.58) <= 0.1);
  CHECK(copied.backbone_forwards == 0);
}

TEST_CASE("a million queries of real features: the scan in bfloat16 changes no answer") {
  if (vits14().empty()) return skip("no ViT-S/14 weights: set HOMOLOG_VITS14_WEIGHTS");
  if (!std::filesystem::exists(willow())) return skip("no PF-WILLOW under HOMOLOG_TEST_DATA");
  if (!is_supported(InstructionSet::avx512_bf16)) {
    return skip("this processor has no dot products of bfloat16");
  }
  const Dataset dataset = load_pf_willow(willow());
  std::set<std::filesystem::path> pictures;
  for (const Pair& pair : dataset.pairs) {
    if (pictures.size() < 64) pictures.insert(pair.source);
  }
  Pipeline<DinoV2, Argmax> pipeline;
  pipeline.backbone.load(vits14());
  pipeline.backbone.setting.layer = 8;
  pipeline.setting.image_size = 224;
  std::vector<FeatureMap> maps;
  std::vector<Bfloat16Map> rounded;
  for (const auto& path : pictures) {
    const Image image = load_image(path);
    maps.push_back(pipeline.features(image).map);
    rounded.push_back(to_bfloat16(maps.back()));
  }
  std::size_t queries = 0, changed = 0, other_values = 0;
  FloatMatrix similarity;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    for (std::size_t j = 0; j < maps.size(); ++j) {
      if (i == j) continue;
      const auto found = find_peaks(maps[i].descriptors(), maps[j], rounded[j]);
      similarity_rows(maps[i].descriptors(), maps[j], similarity);
      for (std::size_t q = 0; q < found.size(); ++q) {
        const float* row = similarity.row(static_cast<Eigen::Index>(q)).data();
        const Peak expected = find_peak(SimilarityMap(row, maps[j].rows, maps[j].cols));
        changed += found[q].row != expected.row || found[q].col != expected.col;
        other_values += found[q].value != expected.value;
        ++queries;
      }
    }
  }
  MESSAGE(queries << " queries");
  CHECK(queries >= 1000000);
  CHECK(changed == 0);
  CHECK(other_values == 0);
}

TEST_CASE("full-resolution matching has the PCK of upsampled and normalised features") {
  if (vits14().empty()) return skip("no ViT-S/14 weights: set HOMOLOG_VITS14_WEIGHTS");
  if (!std::filesystem::exists(willow())) return skip("no PF-WILLOW under HOMOLOG_TEST_DATA");
  const Dataset dataset = load_pf_willow(willow());
  Pipeline<DinoV2, UpsampledArgmax> pipeline;
  pipeline.backbone.load(vits14());
  pipeline.backbone.setting.layer = 8;
  pipeline.setting.image_size = 224;
  pipeline.setting.query = Query::bilinear;
  std::size_t points = 0, moved = 0;
  double below_best = 0;
  std::vector<PairErrors> ours, theirs;
  for (std::size_t i = 0; i < dataset.pairs.size(); i += 15) {
    const Pair& pair = dataset.pairs[i];
    const auto source = pipeline.features(load_image(pair.source));
    const auto target = pipeline.features(load_image(pair.target));
    const auto cells = source.transform.to_grid(pair.source_keypoints);
    const FloatMatrix queries = sample_descriptors(source.map, cells, Query::bilinear);
    const MatrixView view(queries.data(), queries.rows(), queries.cols());
    const auto matches = pipeline.matcher.match(MatchProblem{source.map, target.map, cells, view});

    const auto similarity = [&](torch::Dtype dtype) {  // [queries, pixels]
      const auto map =
          torch::from_blob(const_cast<float*>(target.map.values.data()), {1, 16, 16, 384})
              .to(dtype);
      const auto wide = at::upsample_bilinear2d(map.permute({0, 3, 1, 2}), {224, 224},
                                                /*align_corners=*/false);
      const auto normal = wide / at::norm(wide, 2, {1}, true).clamp_min(1e-12);
      const auto rows = torch::from_blob(const_cast<float*>(queries.data()), {queries.rows(), 384});
      return at::matmul(rows.to(dtype), normal[0].flatten(1));
    };
    const auto places = similarity(torch::kFloat32).argmax(1);
    const auto exact = similarity(torch::kFloat64);
    const auto best = exact.amax(1);
    std::vector<Match> expected;
    for (std::size_t k = 0; k < matches.size(); ++k) {
      const auto place = places[static_cast<std::int64_t>(k)].item<std::int64_t>();
      const Point<GridFrame> cell{(static_cast<double>(place % 224) + 0.5) / 14 - 0.5,
                                  (static_cast<double>(place / 224) + 0.5) / 14 - 0.5};
      expected.push_back({cell, 0});
      moved += std::hypot(cell.x - matches[k].cell.x, cell.y - matches[k].cell.y) > 1e-9;
      const auto pixel = [](double at) { return std::llround((at + 0.5) * 14 - 0.5); };
      const auto row = static_cast<std::int64_t>(k);
      const auto own = 224 * pixel(matches[k].cell.y) + pixel(matches[k].cell.x);
      below_best = std::max(below_best, (best[row] - exact[row][own]).item<double>());
      ++points;
    }
    const auto errors = [&](const std::vector<Match>& answers) {
      const double scale = threshold_scale(pair, dataset.norm, target.transform.image.image);
      return homolog::detail::pair_result(pair.name, answers, target.transform,
                                          pair.target_keypoints, scale)
          .errors;
    };
    ours.push_back(errors(matches));
    theirs.push_back(errors(expected));
  }
  const std::vector<double> alphas{0.05, 0.1, 0.2};
  const auto own = pck_scores(ours, alphas);
  const auto expected = pck_scores(theirs, alphas);
  MESSAGE(points << " points, " << moved << " at another pixel; in float64 at most " << below_best
                 << " below the best; PCK@0.1 " << 100 * own.per_point[1]);
  CHECK(own.per_point == expected.per_point);
  // Where neighbouring pixels tie within float32's rounding, the version of LibTorch decides which
  // its float32 prefers (2.6 another than ours 3 times, 2.13 at most once), so theirs is no
  // measure. Ours is held to float64's best, below which it was 1.2e-16.
  CHECK(below_best < 1e-7);
}
