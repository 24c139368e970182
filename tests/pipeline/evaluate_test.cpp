// SPDX-License-Identifier: Apache-2.0
#include "homolog/pipeline/evaluate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "pipeline/pictures.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

struct Counting {
  SyntheticBackbone backbone;
  std::shared_ptr<int> forwards = std::make_shared<int>(0);
  int patch_size() const { return backbone.patch_size(); }
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    *forwards += batch.batch;
    return backbone(batch);
  }
};

// All ordered pairs of five crops of one picture: the truth is a translation.
struct Crops {
  TemporaryFolder folder;
  Dataset dataset;
  Crops() {
    const Image whole = noise_picture(220, 200, 11);
    const std::vector<Point<ImageFrame>> corners{{0, 0}, {16, 0}, {16, 32}, {0, 16}, {48, 32}};
    std::vector<std::filesystem::path> paths;
    for (std::size_t k = 0; k < corners.size(); ++k) {
      Image crop(160, k % 2 == 0 ? 144 : 160);
      for (int y = 0; y < crop.height; ++y) {
        for (int x = 0; x < crop.width; ++x) {
          std::copy_n(
              whole.at(x + static_cast<int>(corners[k].x), y + static_cast<int>(corners[k].y)), 3,
              crop.at(x, y));
        }
      }
      paths.push_back(folder.path / (std::to_string(k) + ".png"));
      save_image(paths.back(), crop);
    }
    dataset.name = "crops";
    dataset.split = "test";
    dataset.norm = ThresholdNorm::keypoint_box;
    for (std::size_t i = 0; i < corners.size(); ++i) {
      for (std::size_t j = 0; j < corners.size(); ++j) {
        if (i == j) continue;
        Pair pair;
        pair.name = std::to_string(i) + "-" + std::to_string(j);
        pair.category = i < 2 ? "first" : "second";
        pair.source = paths[i];
        pair.target = paths[j];
        for (int n = 0; n < static_cast<int>(3 + i); ++n) {
          const Point<ImageFrame> p{60.0 + 13 * n, 50.0 + 9 * (n * n % 7)};
          pair.source_keypoints.push_back({p.x - corners[i].x, p.y - corners[i].y});
          pair.target_keypoints.push_back({p.x - corners[j].x, p.y - corners[j].y});
        }
        dataset.pairs.push_back(pair);
      }
    }
  }
};

}  // namespace

TEST_CASE("each distinct picture goes through the backbone once, and the rest is bookkeeping") {
  const Crops crops;
  Pipeline<Counting, WindowSoftArgmax> pipeline;
  pipeline.setting.resize = Resize::native;
  std::size_t last = 0, calls = 0;
  EvaluateSetting setting;
  setting.progress = [&](std::string_view, std::size_t done, std::size_t total) {
    last = total - done;
    ++calls;
  };
  const Evaluation evaluation = evaluate(pipeline, crops.dataset, setting);
  CHECK(*pipeline.backbone.forwards == 5);
  CHECK(evaluation.backbone_forwards == 5);
  CHECK(evaluation.distinct_images == 5);
  CHECK(last == 0);
  CHECK(calls > 2);
  CHECK(evaluation.total.pairs == 20);
  CHECK(evaluation.total.points == 4 * (3 + 4 + 5 + 6 + 7));
  CHECK(evaluation.per_category.at("first").points == 4 * (3 + 4));
  CHECK(evaluation.total.per_point[2] > 0.8);  // translations by whole patches are found
  CHECK(evaluation.metric == evaluation.total.per_point);
  CHECK(std::ranges::is_sorted(evaluation.total.per_image));

  // Every pair alone, through match(), gives the same answers.
  for (std::size_t i = 0; i < crops.dataset.pairs.size(); i += 3) {
    const Pair& pair = crops.dataset.pairs[i];
    const auto alone =
        pipeline.match(load_image(pair.source), load_image(pair.target), pair.source_keypoints);
    for (std::size_t n = 0; n < alone.points.size(); ++n) {
      CHECK(distance(alone.points[n], evaluation.pairs[i].predicted[n]) < 1e-3);
    }
  }
}

TEST_CASE("batch size, cache size and order of pairs change nothing") {
  const Crops crops;
  Pipeline<SyntheticBackbone, MutualNearest<Argmax>> pipeline;
  pipeline.setting.image_size = 160;
  const Evaluation expected = evaluate(pipeline, crops.dataset);
  for (const auto& [batch, cache] : {std::pair{1, std::size_t{0}}, {3, std::size_t{200000}}}) {
    EvaluateSetting setting;
    setting.batch_size = batch;
    setting.cache_memory = cache;
    const Evaluation other = evaluate(pipeline, crops.dataset, setting);
    for (std::size_t i = 0; i < other.pairs.size(); ++i) {
      CHECK(other.pairs[i].predicted == expected.pairs[i].predicted);
      CHECK(other.pairs[i].scores == expected.pairs[i].scores);
    }
  }
  Dataset reversed = crops.dataset;
  std::ranges::reverse(reversed.pairs);
  const Evaluation other = evaluate(pipeline, reversed);
  CHECK(other.pairs.front().predicted == expected.pairs.back().predicted);
  CHECK(other.total.per_point == expected.total.per_point);
}

TEST_CASE("a flipped pair is scored on mirrored pictures and mirrored truth") {
  Crops crops;
  for (Pair& pair : crops.dataset.pairs) pair.flip = true;
  Pipeline<SyntheticBackbone, CopyCoordinates> pipeline;
  pipeline.setting.resize = Resize::native;
  const Evaluation flipped = evaluate(pipeline, crops.dataset);
  CHECK(flipped.backbone_forwards == 0);
  for (Pair& pair : crops.dataset.pairs) pair.flip = false;
  const Evaluation plain = evaluate(pipeline, crops.dataset);
  for (std::size_t i = 0; i < plain.pairs.size(); ++i) {
    for (std::size_t n = 0; n < plain.pairs[i].truth.size(); ++n) {
      CHECK(flipped.pairs[i].truth[n].x == doctest::Approx(159 - plain.pairs[i].truth[n].x));
      CHECK(flipped.pairs[i].errors.distances[n] ==
            doctest::Approx(plain.pairs[i].errors.distances[n]));
    }
  }
}

TEST_CASE("bad annotations stop the evaluation before any forward") {
  const auto refuse = [](auto change) {
    Crops crops;
    change(crops.dataset);
    Pipeline<Counting> pipeline;
    pipeline.setting.image_size = 160;
    CHECK_THROWS_AS(evaluate(pipeline, crops.dataset), Error);
    CHECK(*pipeline.backbone.forwards == 0);
  };
  refuse([](Dataset& d) { d.pairs.clear(); });
  refuse([](Dataset& d) {
    d.pairs[3].source_keypoints[0].x = std::numeric_limits<double>::quiet_NaN();
  });
  refuse([](Dataset& d) { d.pairs[4].target_keypoints[1].y = 1000; });
  refuse([](Dataset& d) { d.pairs[5].source_keypoints.list.pop_back(); });
  refuse([](Dataset& d) { d.pairs[6].target = "absent.png"; });
  refuse([](Dataset& d) { d.pairs[7].source_size = Size{1, 2}; });
  // Pairs without a length to measure the threshold by.
  refuse([](Dataset& d) {
    d.pairs[8].source_keypoints.list.resize(1);
    d.pairs[8].target_keypoints.list.resize(1);
  });
  refuse([](Dataset& d) { d.norm = ThresholdNorm::target_box; });
  refuse([](Dataset& d) {
    d.norm = ThresholdNorm::target_box;
    for (Pair& pair : d.pairs) pair.target_box = Box<ImageFrame>{10, 10, 90, 90};
    d.pairs[9].target_box = Box<ImageFrame>{50, 50, 50, 50};
  });
}

TEST_CASE("settings out of range are refused") {
  const Crops crops;
  Pipeline<SyntheticBackbone> pipeline;
  for (const auto& alphas : {std::vector<double>{}, {0.0}, {-1.0}, {std::nan("")}}) {
    EvaluateSetting setting;
    setting.alphas = alphas;
    CHECK_THROWS_AS(evaluate(pipeline, crops.dataset, setting), SettingError);
  }
  EvaluateSetting setting;
  setting.alphas = {0.1, 0.2, 0.1};
  CHECK_THROWS_WITH_AS(evaluate(pipeline, crops.dataset, setting),
                       "evaluate: alpha 0.1 was given twice", SettingError);
  setting = {};
  setting.batch_size = 0;
  CHECK_THROWS_AS(evaluate(pipeline, crops.dataset, setting), SettingError);
}

TEST_CASE("the result file has the contract's keys and percents") {
  const Crops crops;
  Pipeline<SyntheticBackbone> pipeline;
  pipeline.setting.image_size = 160;
  const Evaluation evaluation = evaluate(pipeline, crops.dataset);
  const auto json = evaluation_json(evaluation, crops.dataset, Resize::squash, 160);
  for (const char* key : {"dataset", "split", "protocol", "pairs", "points", "distinct_images",
                          "backbone_forwards", "pck", "per_category", "seconds"}) {
    CHECK(json.contains(key));
  }
  CHECK(json["protocol"]["threshold"] == "keypoint-bbox");
  CHECK(json["protocol"]["comparison"] == "<=");
  CHECK(json["pck"]["per_point"]["0.1"].get<double>() ==
        doctest::Approx(100 * evaluation.total.per_point[1]).epsilon(1e-6));
  CHECK(json["per_category"]["second"]["per_image"].contains("0.05"));
  const std::string lines = predictions_jsonl(evaluation, crops.dataset);
  CHECK(std::ranges::count(lines, '\n') == 20);
  const auto first = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  CHECK(first["predicted"].size() == first["truth"].size());
  CHECK(first["threshold_scale"].get<double>() > 0);
}

TEST_CASE("alphas that agree to six digits keep a key each") {
  const Crops crops;
  Pipeline<SyntheticBackbone> pipeline;
  pipeline.setting.image_size = 160;
  EvaluateSetting setting;
  setting.alphas = {0.1, 0.10000001, 0.3};
  const auto json = evaluation_json(evaluate(pipeline, crops.dataset, setting), crops.dataset,
                                    Resize::squash, 160);
  CHECK(json["pck"]["per_point"].size() == 3);
  CHECK(json["pck"]["per_image"].contains("0.1"));
  CHECK(json["pck"]["per_image"].contains("0.10000001"));
}

TEST_CASE("percents have four decimals, and points are lists of two") {
  CHECK(percent(1.0 / 3) == 33.3333);
  CHECK(percent(1) == 100);
  CHECK(points_json({}).dump() == "[]");
  CHECK(points_json({{1, 2.5}, {0.1, -3}}).dump() == "[[1.0,2.5],[0.1,-3.0]]");
}

TEST_CASE("names that are not UTF-8 do not lose an evaluation, and stay apart") {
  Crops crops;
  for (Pair& pair : crops.dataset.pairs) {
    pair.category = pair.category == "first" ? "caf\xe9" : "caf\xe8";
    pair.name += "\xff\xc3\xa9";
  }
  const auto latin1 = crops.folder.path / "\xe9t\xe9.png";
  std::filesystem::copy_file(crops.dataset.pairs[0].source, latin1);
  crops.dataset.pairs[0].source = latin1;
  Pipeline<SyntheticBackbone> pipeline;
  pipeline.setting.image_size = 160;
  const Evaluation evaluation = evaluate(pipeline, crops.dataset);
  const auto result = nlohmann::json::parse(
      evaluation_json(evaluation, crops.dataset, Resize::squash, 160).dump(2));
  CHECK(result["per_category"].size() == 2);
  CHECK(result["per_category"].contains("caf\\xE9"));
  CHECK(result["per_category"].contains("caf\\xE8"));
  REQUIRE(result["warnings"].size() == 1);
  CHECK(result["warnings"][0] ==
        "crops test: 20 of 20 pairs have a name, category or picture that is not UTF-8; result "
        "files write such a byte as \\xNN; the first is 0-1\\xFF\xc3\xa9");
  const std::string lines = predictions_jsonl(evaluation, crops.dataset);
  const auto first = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  CHECK(first["pair"] == "0-1\\xFF\xc3\xa9");
  CHECK(first["category"] == "caf\\xE9");
  CHECK(first["source"].get<std::string>().ends_with("/\\xE9t\\xE9.png"));
}

namespace {

/// Features that were computed before: what a user's own files give.
struct Known {
  std::map<std::string, FeatureMap> maps;
  std::shared_ptr<int> asked = std::make_shared<int>(0);
  int patch_size() const { return SyntheticBackbone{}.patch_size(); }
  std::vector<FeatureMap> operator()(std::span<const PictureId> pictures) const {
    std::vector<FeatureMap> result;
    for (const PictureId& picture : pictures) result.push_back(maps.at(picture.path));
    *asked += static_cast<int>(pictures.size());
    return result;
  }
};
static_assert(FeatureSource<Known> && !Backbone<Known> && !FeatureSource<SyntheticBackbone>);

}  // namespace

TEST_CASE("a feature source in the backbone's place gives the evaluation of its features") {
  const Crops crops;
  Pipeline<SyntheticBackbone, WindowSoftArgmax> computed;
  computed.setting.image_size = 160;
  Pipeline<Known, WindowSoftArgmax> given;
  given.setting = computed.setting;
  for (const Pair& pair : crops.dataset.pairs) {
    for (const auto& path : {pair.source, pair.target}) {
      FeatureMap map = computed.features(load_image(path)).map;
      map.values.view() *= 3;  // any scale will do
      given.backbone.maps[path.string()] = std::move(map);
    }
  }
  const Evaluation expected = evaluate(computed, crops.dataset);
  const Evaluation evaluation = evaluate(given, crops.dataset);
  CHECK(*given.backbone.asked == static_cast<int>(expected.distinct_images));
  CHECK(evaluation.total.per_point == expected.total.per_point);
  for (std::size_t i = 0; i < expected.pairs.size(); ++i) {
    for (std::size_t n = 0; n < expected.pairs[i].predicted.size(); ++n) {
      CHECK(distance(evaluation.pairs[i].predicted[n], expected.pairs[i].predicted[n]) < 1e-4);
    }
  }
  const Pair& pair = crops.dataset.pairs[0];
  const auto known = [&given](const std::filesystem::path& path) {
    return given.features(path.string(), read_image_size(path));
  };
  const auto alone = given.match(known(pair.source), known(pair.target), pair.source_keypoints);
  CHECK(distance(alone.points[0], expected.pairs[0].predicted[0]) < 1e-4);

  given.setting.image_size = 80;  // the stored maps have more cells
  CHECK_THROWS_WITH_AS(evaluate(given, crops.dataset),
                       doctest::Contains("feature source: feature map of "), ShapeError);
}

TEST_CASE("features of one evaluation have one dimension") {
  struct Changing {
    std::shared_ptr<int> dim = std::make_shared<int>(512);
    int patch_size() const { return 16; }
    std::vector<FeatureMap> operator()(std::span<const PictureId> pictures) const {
      const auto& grid = pictures[0].transform.grid;
      std::vector<FeatureMap> maps{FeatureMap(grid.rows, grid.cols, std::exchange(*dim, 8))};
      maps[0].values.fill(1);
      return maps;
    }
  };
  const Crops crops;
  Pipeline<Changing> pipeline;
  pipeline.setting.image_size = 160;
  EvaluateSetting setting;
  setting.batch_size = 1;
  CHECK_THROWS_WITH_AS(
      evaluate(pipeline, crops.dataset, setting),
      doctest::Contains(" has 8 dimensions, those of the pictures before it have 512"), ShapeError);
}

TEST_CASE("the stages of an evaluation, one by one, give its scores") {
  const Crops crops;
  Pipeline<SyntheticBackbone> pipeline;
  pipeline.setting.image_size = 160;
  EvaluateSetting setting;
  const Evaluation expected = evaluate(pipeline, crops.dataset, setting);
  const Predictions predictions = predict(pipeline, crops.dataset, setting);
  const auto [per_point, per_image] =
      score(errors_of(predictions.pairs), setting.alphas, PckPerPoint{}, PckPerImage{});
  CHECK(per_point == expected.total.per_point);
  CHECK(per_image == expected.total.per_image);

  const PictureSet set = make_picture_set(
      crops.dataset, [&pipeline](Size picture) { return pipeline.transform(picture); });
  CHECK(set.pictures.size() == expected.distinct_images);
  const std::vector<double> scales = threshold_scales(crops.dataset, set);
  FeatureStore store(0);
  QuerySet queries(store, set);
  for (std::size_t i = 0; i < set.pictures.size(); ++i) {
    FeatureMap map = pipeline.features(load_image(set.pictures[i].path)).map;
    queries.read(crops.dataset, set, i, &map, pipeline.setting.query);
    store.put(i, std::move(map));
  }
  for (std::size_t i = 0; i < crops.dataset.pairs.size(); ++i) {
    CHECK(scales[i] == expected.pairs[i].errors.threshold_scale);
    const auto target = store.get(set.of_pair[i].second);
    const auto matches = match_descriptors(Argmax{}, queries.get(i)->descriptors(), *target);
    const auto& to_image = set.pictures[set.of_pair[i].second].transform;
    for (std::size_t n = 0; n < matches.size(); ++n) {
      CHECK(to_image.answer_to_image(matches[n].cell) == expected.pairs[i].predicted[n]);
    }
  }
}

TEST_CASE("a mutual check reaches the results, and scores the mutual answers alone") {
  const Crops crops;
  Pipeline<SyntheticBackbone, MutualNearest<Argmax>> pipeline;
  pipeline.setting.image_size = 160;
  pipeline.matcher.setting.tolerance = 0.4;
  const Evaluation evaluation = evaluate(pipeline, crops.dataset);
  REQUIRE(evaluation.mutual);
  std::size_t points = 0, pairs = 0, correct = 0;
  for (std::size_t i = 0; i < crops.dataset.pairs.size(); ++i) {
    const Pair& pair = crops.dataset.pairs[i];
    const PairResult& result = evaluation.pairs[i];
    const auto alone =
        pipeline.match(load_image(pair.source), load_image(pair.target), pair.source_keypoints);
    CHECK(alone.mutual == result.mutual);
    for (std::size_t n = 0; n < result.mutual.size(); ++n) {
      if (!result.mutual[n]) continue;
      ++points;
      correct += is_correct(result.errors.distances[n], 0.1, result.errors.threshold_scale);
    }
    pairs += std::ranges::count(result.mutual, true) > 0;
  }
  CHECK(points > 0);
  CHECK(points < evaluation.total.points);
  CHECK(evaluation.mutual->points == points);
  CHECK(evaluation.mutual->pairs == pairs);
  CHECK(evaluation.mutual->per_point[1] ==
        doctest::Approx(static_cast<double>(correct) / static_cast<double>(points)));

  const auto json = evaluation_json(evaluation, crops.dataset, Resize::squash, 160);
  CHECK(json["mutual"]["points"] == points);
  CHECK(json["mutual"]["share"].get<double>() ==
        doctest::Approx(100.0 * static_cast<double>(points) /
                        static_cast<double>(evaluation.total.points)));
  CHECK(json["mutual"]["per_point"]["0.1"].get<double>() ==
        doctest::Approx(100 * evaluation.mutual->per_point[1]));
  const std::string lines = predictions_jsonl(evaluation, crops.dataset);
  const auto first = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  CHECK(first["mutual"].get<std::vector<bool>>() == evaluation.pairs[0].mutual);
}

namespace {

struct Never : Argmax {
  static constexpr bool checks_mutual = true;
  std::vector<Match> match(const MatchProblem& problem) const {
    std::vector<Match> matches(problem.queries.size());
    for (Match& match : matches) match.mutual = false;
    return matches;
  }
};

}  // namespace

TEST_CASE("where no answer is mutual there is a count and no score, and without a check neither") {
  const Crops crops;
  Pipeline<SyntheticBackbone, Never> pipeline;
  pipeline.setting.image_size = 160;
  const Evaluation evaluation = evaluate(pipeline, crops.dataset);
  REQUIRE(evaluation.mutual);
  CHECK(evaluation.mutual->points == 0);
  const auto json = evaluation_json(evaluation, crops.dataset, Resize::squash, 160);
  CHECK(json["mutual"]["share"] == 0);
  CHECK(json["mutual"]["per_point"].empty());

  Pipeline<SyntheticBackbone> plain;
  plain.setting.image_size = 160;
  const Evaluation unchecked = evaluate(plain, crops.dataset);
  CHECK(!unchecked.mutual);
  CHECK(!evaluation_json(unchecked, crops.dataset, Resize::squash, 160).contains("mutual"));
  CHECK(predictions_jsonl(unchecked, crops.dataset).find("mutual") == std::string::npos);
}

TEST_CASE("queries' features count within the memory that features may take") {
  const TemporaryFolder folder;
  save_image(folder.path / "a.png", noise_picture(64, 64, 5));
  Dataset dataset;
  for (int i = 0; i < 40; ++i) {
    Pair pair;
    pair.name = std::to_string(i);
    pair.source = pair.target = folder.path / "a.png";
    for (int n = 0; n < 50; ++n) pair.source_keypoints.push_back({double(n), double(i)});
    pair.target_keypoints = pair.source_keypoints;
    dataset.pairs.push_back(pair);
  }
  const Pipeline<SyntheticBackbone, Argmax> pipeline;
  const PictureSet set =
      make_picture_set(dataset, [&pipeline](Size picture) { return pipeline.transform(picture); });
  FeatureMap map = pipeline.features(load_image(set.pictures[0].path)).map;
  const auto of_a_query = static_cast<std::size_t>(map.dim()) * sizeof(float);
  const std::size_t limit = map.bytes() + 100 * of_a_query;
  FeatureStore store(limit);
  QuerySet queries(store, set);
  queries.read(dataset, set, 0, &map, Query::nearest);
  store.put(0, std::move(map));
  CHECK(store.memory_bytes() <= limit);
  CHECK(store.memory_bytes() + store.spilled_bytes() >= 40 * 50 * of_a_query);
}
