// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "pipeline/pictures.hpp"
#include "support/adder.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

// All ordered pairs of five noise pictures of two sizes.
Dataset noise_pairs(const TemporaryFolder& folder) {
  Dataset dataset{"noise", "test", ThresholdNorm::keypoint_box, {}};
  std::vector<std::filesystem::path> paths;
  for (unsigned k = 0; k < 5; ++k) {
    paths.push_back(folder.path / (std::to_string(k) + ".png"));
    save_image(paths.back(), noise_picture(96, k % 2 == 0 ? 96 : 64, k));
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < paths.size(); ++j) {
      if (i == j) continue;
      Pair pair;
      pair.name = std::to_string(i) + "-" + std::to_string(j);
      pair.category = "noise";
      pair.source = paths[i];
      pair.target = paths[j];
      for (std::size_t n = 0; n < 2 + i; ++n) {
        const auto step = static_cast<double>(n);
        pair.source_keypoints.push_back({10 + 9 * step, 12 + 5 * step});
        pair.target_keypoints.push_back({14 + 8 * step, 10 + 6 * step});
      }
      dataset.pairs.push_back(pair);
    }
  }
  return dataset;
}

struct Forbidden : SyntheticBackbone {
  std::vector<FeatureMap> operator()(const InputBatch&) const {
    throw ValueError("the backbone must not run");
  }
};

// Sets `mutual` from one similarity map, so it may run in several processes.
struct Confident : Argmax {
  static constexpr bool checks_mutual = true;
  Match operator()(const SimilarityMap& map) const {
    const TopTwo two = find_top_two(map);
    return {two.first.cell(), two.first.value, two.margin() > 0.02F};
  }
  std::optional<int> reach() const { return std::nullopt; }
};

template <class M>
void compare(const Dataset& dataset, const M& matcher) {
  Pipeline<SyntheticBackbone, M> pipeline{SyntheticBackbone{}, matcher};
  pipeline.setting.resize = Resize::native;  // several input sizes
  EvaluateSetting setting;
  setting.batch_size = 1;
  const Evaluation whole = evaluate(pipeline, dataset, setting);
  for (const int count : {2, 3, 7}) {  // 7: some have no picture at all
    Adder adder(count);
    std::vector<Evaluation> parts(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (int index = 0; index < count; ++index) {
      threads.emplace_back([&, index] {
        EvaluateSetting own = setting;
        own.shard = adder.shard(index, count);
        parts[static_cast<std::size_t>(index)] = evaluate(pipeline, dataset, own);
      });
    }
    for (auto& thread : threads) thread.join();
    for (const Evaluation& part : parts) {
      CHECK(part.backbone_forwards == whole.backbone_forwards);
      CHECK(part.distinct_images == whole.distinct_images);
      CHECK(part.total.per_point == whole.total.per_point);
      CHECK(part.total.per_image == whole.total.per_image);
      CHECK(part.mutual.has_value() == whole.mutual.has_value());
      if (whole.mutual) CHECK(part.mutual->per_image == whole.mutual->per_image);
      for (std::size_t i = 0; i < whole.pairs.size(); ++i) {
        CHECK(part.pairs[i].predicted == whole.pairs[i].predicted);
        CHECK(part.pairs[i].scores == whole.pairs[i].scores);
        CHECK(part.pairs[i].mutual == whole.pairs[i].mutual);
        CHECK(part.pairs[i].errors.distances == whole.pairs[i].errors.distances);
      }
    }
  }
}

}  // namespace

TEST_CASE("an evaluation in several processes equals that of one, bit for bit") {
  const TemporaryFolder folder;
  const Dataset dataset = noise_pairs(folder);
  compare(dataset, Argmax{});
  compare(dataset, WindowSoftArgmax{});
  compare(dataset, CopyCoordinates{});
  compare(dataset, Confident{});
}

TEST_CASE("a pair without a threshold length is refused in every process, before any forward") {
  const TemporaryFolder folder;
  Dataset dataset = noise_pairs(folder);
  dataset.pairs[3].source_keypoints.list.resize(1);
  dataset.pairs[3].target_keypoints.list.resize(1);
  const Pipeline<Forbidden> pipeline;
  Adder adder(2);
  std::vector<std::thread> threads;
  std::vector<std::string> errors(2);
  for (int index = 0; index < 2; ++index) {
    threads.emplace_back([&, index] {
      EvaluateSetting own;
      own.shard = adder.shard(index, 2);
      try {
        evaluate(pipeline, dataset, own);
      } catch (const DatasetError& error) {
        errors[static_cast<std::size_t>(index)] = error.what();
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(index)] = std::string("another error: ") + error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    CHECK(error ==
          "pair 0-4: threshold length is 0, expected a positive number of pixels; give it a target "
          "box, as its target keypoints are all at one place");
  }
}

TEST_CASE("what cannot be sharded is refused") {
  const TemporaryFolder folder;
  const Dataset dataset = noise_pairs(folder);
  EvaluateSetting setting;
  const auto alone = [](const std::string& own) { return std::vector<std::string>{own, own}; };
  setting.shard = {0, 2, alone};
  const Pipeline<Forbidden, MutualNearest<Argmax>> mutual;
  CHECK_THROWS_AS(evaluate(mutual, dataset, setting), SettingError);
  const Pipeline<SyntheticBackbone> plain;
  setting.shard = {2, 2, alone};
  CHECK_THROWS_AS(evaluate(plain, dataset, setting), SettingError);
  setting.shard = {0, 2, {}};
  CHECK_THROWS_AS(evaluate(plain, dataset, setting), SettingError);
}
