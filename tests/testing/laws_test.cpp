// SPDX-License-Identifier: Apache-2.0
// Our own policies keep the laws, and policies made wrong on purpose break the ones they should.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/metrics/pck.hpp"
#include "homolog/testing/doctest.hpp"

using namespace homolog;
using homolog::testing::Law;

namespace {

struct MaskedWindow : WindowSoftArgmax {
  MaskedWindow() { setting.outside = Outside::masked_zero; }
};
struct PointWindow : WindowSoftArgmax {
  PointWindow() { setting.window_radius = 0; }
};
struct WideWindow : WindowSoftArgmax {
  WideWindow() { setting.window_radius = 9; }
};
struct ErasedSynthetic : AnyBackbone {
  ErasedSynthetic() : AnyBackbone(SyntheticBackbone{}) {}
};
struct SmallPatches : SyntheticBackbone {
  SmallPatches() { setting.patch_size = 7; }
};

}  // namespace

HOMOLOG_TEST_MATCHER(Argmax);
HOMOLOG_TEST_MATCHER(SoftArgmax);
HOMOLOG_TEST_MATCHER(WindowSoftArgmax);
HOMOLOG_TEST_MATCHER(MaskedWindow);
HOMOLOG_TEST_MATCHER(PointWindow);
HOMOLOG_TEST_MATCHER(WideWindow);
HOMOLOG_TEST_MATCHER(KernelSoftArgmax);
HOMOLOG_TEST_MATCHER(UpsampledArgmax);
HOMOLOG_TEST_MATCHER(CopyCoordinates);
HOMOLOG_TEST_MATCHER(MutualNearest<Argmax>);
HOMOLOG_TEST_MATCHER(MutualNearest<WindowSoftArgmax>);
HOMOLOG_TEST_BACKBONE(SyntheticBackbone);
HOMOLOG_TEST_BACKBONE(SmallPatches);
HOMOLOG_TEST_BACKBONE(ErasedSynthetic);
HOMOLOG_TEST_METRIC(PckPerPoint);
HOMOLOG_TEST_METRIC(PckPerImage);

namespace {

/// The names of the laws that do not hold.
std::set<std::string> broken(const std::vector<Law>& laws) {
  std::set<std::string> names;
  for (const Law& law : laws) {
    if (!law.holds()) names.insert(law.name);
  }
  return names;
}
template <class M>
std::set<std::string> broken_by_matcher() {
  return broken(homolog::testing::check_matcher_laws(M{}));
}
template <class B>
std::set<std::string> broken_by_backbone() {
  return broken(homolog::testing::check_backbone_laws(B{}));
}
template <class M>
std::set<std::string> broken_by_metric() {
  return broken(homolog::testing::check_metric_laws(M{}));
}

// Matchers, each with one mistake that has been made before.

struct SwappedAxes {
  Match operator()(const SimilarityMap& map) const {
    const Peak peak = find_peak(map);
    return {{static_cast<double>(peak.row), static_cast<double>(peak.col)}, peak.value};
  }
};

struct HalfPixelOff {  // adds the half cell that belongs to another convention
  Match operator()(const SimilarityMap& map) const {
    const Peak peak = find_peak(map);
    return {{peak.cell().x + 0.5, peak.cell().y + 0.5}, peak.value};
  }
};

struct LastPeak {  // ties go to the last cell, and it says that it looks at the peak alone
  std::optional<int> reach() const { return 0; }
  Match operator()(const SimilarityMap& map) const {
    Match match{{0, 0}, -2};
    for (Eigen::Index row = 0; row < map.rows(); ++row) {
      for (Eigen::Index col = 0; col < map.cols(); ++col) {
        if (map(row, col) >= match.score) {
          match = {{static_cast<double>(col), static_cast<double>(row)}, map(row, col)};
        }
      }
    }
    return match;
  }
};

struct LaterPeak {  // the same without saying how far it looks
  Match operator()(const SimilarityMap& map) const { return LastPeak{}(map); }
};

struct Lopsided {  // the mean of the peak and its neighbours, but not of those behind it
  Match operator()(const SimilarityMap& map) const {
    const Peak peak = find_peak(map);
    double x = 0, y = 0, total = 0;
    for (Eigen::Index row = std::max<Eigen::Index>(peak.row - 2, 0); row < peak.row + 1; ++row) {
      for (Eigen::Index col = std::max<Eigen::Index>(peak.col - 2, 0); col < peak.col + 1; ++col) {
        const double weight = std::exp(20 * static_cast<double>(map(row, col)));
        x += weight * static_cast<double>(col);
        y += weight * static_cast<double>(row);
        total += weight;
      }
    }
    return {{x / total, y / total}, peak.value};
  }
};

struct NoScore {
  Match operator()(const SimilarityMap& map) const { return {find_peak(map).cell()}; }
};

struct NearSighted : SoftArgmax {  // reads all cells, says one
  std::optional<int> reach() const { return 1; }
};

struct FixedTemperature : SoftArgmax {  // has a temperature and does not use it
  Match operator()(const SimilarityMap& map) const { return SoftArgmax{}(map); }
};

struct Flat : SoftArgmax {  // a temperature of 1: close to the middle whatever the map says
  Flat() { setting.temperature = 1; }
};

struct OutOfWindow {
  struct Setting {
    int window_radius = 1;
  } setting;
  Match operator()(const SimilarityMap& map) const { return SoftArgmax{}(map); }
};

struct PaddingIsZero {  // takes padding for similarity 0
  Match operator()(const SimilarityMap& map) const {
    double x = 0, y = 0, total = 0;
    const Peak peak = find_peak(map);
    for (Eigen::Index row = 0; row < map.rows(); ++row) {
      for (Eigen::Index col = 0; col < map.cols(); ++col) {
        const double weight = std::exp(4 * static_cast<double>(std::max(map(row, col), 0.0F)));
        x += weight * static_cast<double>(col);
        y += weight * static_cast<double>(row);
        total += weight;
      }
    }
    return {{x / total, y / total}, peak.value};
  }
};

struct Forgetful {  // answers depend on how often it was asked
  mutable std::atomic<int> calls{0};
  Forgetful() = default;
  Match operator()(const SimilarityMap& map) const {
    Match match = Argmax{}(map);
    match.cell.x += 1e-6 * ++calls;
    return match;
  }
};

struct Distance {  // a distance where a similarity belongs
  Match operator()(const SimilarityMap& map) const {
    Match match = Argmax{}(map);
    match.score = 3 - match.score;
    return match;
  }
};

struct Thrower {
  Match operator()(const SimilarityMap&) const { throw ValueError("no answer today"); }
};

struct ByPlaceInBatch {  // the first query is special
  std::vector<Match> match(const MatchProblem& problem) const {
    std::vector<Match> matches = match_queries(Argmax{}, problem);
    if (matches.size() > 1) matches.front().cell = problem.queries[0];
    return matches;
  }
};

}  // namespace

TEST_CASE("every mistake in a matcher breaks the law that is about it") {
  CHECK(broken_by_matcher<SwappedAxes>().contains("self-match is identity"));
  CHECK(broken_by_matcher<SwappedAxes>().contains(
      "an answer lies inside the map, whatever its shape"));
  CHECK(broken_by_matcher<HalfPixelOff>().contains("self-match is identity"));
  CHECK(broken_by_matcher<HalfPixelOff>().contains("a lone peak is the answer"));
  CHECK(broken_by_matcher<LastPeak>().contains(
      "of equal peaks the first counts, or what lies between them"));
  CHECK(broken_by_matcher<LaterPeak>().contains(
      "of equal peaks the first counts, or what lies between them"));
  CHECK(broken_by_matcher<Lopsided>().contains("a map turned by half a turn turns the answer"));
  CHECK(broken_by_matcher<NoScore>().contains("self-match is identity"));
  CHECK(broken_by_matcher<NearSighted>().contains("no cell beyond reach() changes an answer"));
  CHECK(
      broken_by_matcher<FixedTemperature>().contains("a growing temperature tends to the argmax"));
  CHECK(broken_by_matcher<FixedTemperature>().contains(
      "a factor on similarities is one on the temperature"));
  CHECK(broken_by_matcher<Flat>().contains("self-match is identity"));
  CHECK(broken_by_matcher<OutOfWindow>().contains("an answer lies inside the window"));
  CHECK(broken_by_matcher<PaddingIsZero>().contains("padding is never the answer"));
  CHECK(broken_by_matcher<PaddingIsZero>().contains("moving the map moves the answer"));
  CHECK(broken_by_matcher<Forgetful>().contains("the same question gets the same answer"));
  CHECK(
      broken_by_matcher<Distance>().contains("a score is a similarity, finite and within [-1, 1]"));
  CHECK(broken_by_matcher<ByPlaceInBatch>().contains(
      "a batch is answered as one by one, on any number of threads"));
}

TEST_CASE("a law that throws is broken, and says what was thrown") {
  const auto laws = homolog::testing::check_matcher_laws(Thrower{});
  CHECK(broken(laws).size() == laws.size());
  CHECK(homolog::testing::broken_laws(laws).find(
            "self-match is identity: it threw: no answer today") != std::string::npos);
}

TEST_CASE("broken laws are listed a line each, and nothing where all hold") {
  CHECK(homolog::testing::broken_laws({{"a", ""}, {"b", "seen"}, {"c", "too"}}) ==
        "b: seen\nc: too\n");
  CHECK(homolog::testing::broken_laws(homolog::testing::check_matcher_laws(Argmax{})).empty());
}

namespace {

struct Backwards : SyntheticBackbone {  // a batch comes back in the wrong order
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    std::vector<FeatureMap> maps = SyntheticBackbone::operator()(batch);
    std::ranges::reverse(maps);
    return maps;
  }
};

struct Transposed : SyntheticBackbone {
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    std::vector<FeatureMap> maps = SyntheticBackbone::operator()(batch);
    for (FeatureMap& map : maps) std::swap(map.rows, map.cols);
    return maps;
  }
};

struct Constant : SyntheticBackbone {  // every cell looks the same
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    std::vector<FeatureMap> maps = SyntheticBackbone::operator()(batch);
    for (FeatureMap& map : maps) map.values.fill(1);
    return maps;
  }
};

struct NotANumber : SyntheticBackbone {
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    std::vector<FeatureMap> maps = SyntheticBackbone::operator()(batch);
    maps.back().values(0, 0) = NAN;
    return maps;
  }
};

struct NoPatch : SyntheticBackbone {
  int patch_size() const { return 0; }
};

struct BatchNormed : SyntheticBackbone {  // a picture's features depend on its neighbours
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    std::vector<FeatureMap> maps = SyntheticBackbone::operator()(batch);
    for (std::size_t i = 1; i < maps.size(); ++i) maps[0].values.view() += maps[i].values.view();
    return maps;
  }
};

struct Random : SyntheticBackbone {  // dropout left on
  mutable unsigned seed = 0;
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    std::vector<FeatureMap> maps = SyntheticBackbone::operator()(batch);
    maps[0].values.data()[seed++ % 7] += 1;
    return maps;
  }
};

struct OtherBytes : SyntheticBackbone {  // forgets to normalise bytes
  bool takes_bytes() const { return true; }
  using SyntheticBackbone::operator();
  std::vector<FeatureMap> operator()(const ByteBatch& bytes) const {
    InputBatch batch(bytes.batch, bytes.size);
    for (std::size_t i = 0; i < batch.values.size(); ++i) {
      batch.values[i] = static_cast<float>(bytes.values[i]) / 255;
    }
    return SyntheticBackbone::operator()(batch);
  }
};

}  // namespace

TEST_CASE("every mistake in a backbone breaks the law that is about it") {
  CHECK(broken_by_backbone<Backwards>().contains("a batch is answered in order, as one by one"));
  CHECK(broken_by_backbone<Transposed>().contains("one map a picture, one cell a patch"));
  CHECK(broken_by_backbone<Constant>().contains("self-match is identity"));
  CHECK(broken_by_backbone<NotANumber>().contains("features are finite"));
  CHECK(broken_by_backbone<NoPatch>().contains(
      "patch size, input size and normalisation make sense"));
  CHECK(broken_by_backbone<BatchNormed>().contains("a batch is answered in order, as one by one"));
  CHECK(broken_by_backbone<Random>().contains("the same picture gets the same features"));
  CHECK(broken_by_backbone<OtherBytes>().contains("bytes give the features of floats"));
}

namespace {

struct Percent : PckPerPoint {
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    return 100 * PckPerPoint::operator()(pairs, alpha);
  }
};

struct Pixels {  // alpha taken for pixels, not for a fraction of the threshold length
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    if (pairs.empty()) throw ValueError("no pair");
    double correct = 0, total = 0;
    for (const PairErrors& pair : pairs) {
      for (const double distance : pair.distances) {
        correct += distance <= 100 * alpha ? 1 : 0;
        ++total;
      }
    }
    return correct / total;
  }
};

struct Wrong : PckPerPoint {  // the fraction of wrong keypoints
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    return 1 - PckPerPoint::operator()(pairs, alpha);
  }
};

struct NanIsRight : PckPerPoint {  // counts what is not too far
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    if (pairs.empty()) throw ValueError("no pair");
    double wrong = 0, total = 0;
    for (const PairErrors& pair : pairs) {
      for (const double distance : pair.distances) {
        wrong += distance > alpha * pair.threshold_scale ? 1 : 0;
        ++total;
      }
    }
    return 1 - wrong / total;
  }
};

struct OneLength {  // the mean threshold length for all pairs
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    if (pairs.empty()) throw ValueError("no pair");
    double scale = 0;
    for (const PairErrors& pair : pairs) {
      scale += pair.threshold_scale / static_cast<double>(pairs.size());
    }
    std::vector<PairErrors> alike(pairs.begin(), pairs.end());
    for (PairErrors& pair : alike) pair.threshold_scale = scale;
    return PckPerPoint{}(alike, alpha);
  }
};

struct FirstKeypoints {
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    std::vector<PairErrors> first(pairs.begin(), pairs.end());
    for (PairErrors& pair : first) pair.distances.resize(1);
    return PckPerPoint{}(first, alpha);
  }
};

struct NanIsLeftOut {
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    std::vector<PairErrors> found(pairs.begin(), pairs.end());
    for (PairErrors& pair : found) {
      std::erase_if(pair.distances, [](double distance) { return std::isnan(distance); });
    }
    return PckPerPoint{}(found, alpha);
  }
};

struct SilentZero : PckPerPoint {
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    return pairs.empty() ? 0 : PckPerPoint::operator()(pairs, alpha);
  }
};

struct FirstPair : PckPerPoint {
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    return PckPerPoint::operator()(pairs.empty() ? pairs : pairs.first(1), alpha);
  }
};

}  // namespace

TEST_CASE("every mistake in a metric breaks the law that is about it") {
  CHECK(broken_by_metric<Percent>().contains("a value lies in [0, 1]"));
  CHECK(broken_by_metric<Pixels>().contains("the unit of length cancels, in each pair for itself"));
  CHECK(broken_by_metric<Wrong>().contains("errors of 0 px give 1"));
  CHECK(broken_by_metric<Wrong>().contains("a larger alpha never lowers the value"));
  CHECK(broken_by_metric<Wrong>().contains("a smaller error never lowers the value"));
  CHECK(broken_by_metric<NanIsRight>().contains("a prediction that is NaN is never correct"));
  CHECK(broken_by_metric<OneLength>().contains(
      "the unit of length cancels, in each pair for itself"));
  CHECK(broken_by_metric<FirstKeypoints>().contains(
      "the order of pairs and of their keypoints does not count"));
  CHECK(broken_by_metric<NanIsLeftOut>().contains(
      "a prediction that is NaN counts like one beyond every threshold"));
  CHECK(broken_by_metric<SilentZero>().contains("nothing to average is a homolog::Error"));
  CHECK(broken_by_metric<FirstPair>().contains(
      "the order of pairs and of their keypoints does not count"));
}
