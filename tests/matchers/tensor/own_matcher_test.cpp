// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <tuple>
#include <vector>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/kernels/normalize.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/tensor/host_path.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/testing/matcher_laws.hpp"
#include "homolog/testing/tensor_matcher_laws.hpp"
#include "support/one_path.hpp"
#include "support/skip.hpp"

using namespace homolog;
using test::OnePath;

namespace {

static_assert(TensorMatcher<OnePath> && !MapMatcher<OnePath> && Matcher<OnePath>);

/// Its host path disagrees.
struct TwoAnswers {
  Match operator()(const SimilarityMap& map) const { return Argmax{}(map); }
  at::Tensor decode(const at::Tensor& similarity) const { return OnePath{}.decode(similarity); }
};

/// Its answer depends on the batch.
struct WholeBatch {
  at::Tensor decode(const at::Tensor& similarity) const {
    return OnePath{}.decode(similarity).mean(0, true).expand({similarity.size(0), 2});
  }
};

struct WrongShape {
  at::Tensor decode(const at::Tensor& similarity) const {
    return OnePath{}.decode(similarity).transpose(0, 1);
  }
};

/// Its backward is not its forward's.
struct WrongGradient {
  at::Tensor decode(const at::Tensor& similarity) const {
    const auto cells = OnePath{}.decode(similarity);
    return cells * 2 - cells.detach();
  }
};

/// The softmax over the three best cells: of equal ones its host path takes the first, and its
/// tensor path those that at::topk happens to give.
struct BestThree {
  static constexpr double temperature = 50;
  Match operator()(const SimilarityMap& map) const {
    std::vector<Eigen::Index> cells(static_cast<std::size_t>(map.size()));
    std::iota(cells.begin(), cells.end(), Eigen::Index{0});
    const auto value = [&](Eigen::Index cell) {
      return static_cast<double>(map(cell / map.cols(), cell % map.cols()));
    };
    std::ranges::stable_sort(cells, std::greater{}, value);
    double x = 0, y = 0, total = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, cells.size()); ++i) {
      const double weight = std::exp(temperature * (value(cells[i]) - value(cells[0])));
      x += weight * static_cast<double>(cells[i] % map.cols());
      y += weight * static_cast<double>(cells[i] / map.cols());
      total += weight;
    }
    return {{x / total, y / total}, static_cast<float>(value(cells[0]))};
  }
  at::Tensor decode(const at::Tensor& similarity) const {
    const auto flat = similarity.flatten(1);
    return mean_of(at::topk(flat, std::min<std::int64_t>(3, flat.size(1))), similarity.size(2));
  }
  static at::Tensor mean_of(const std::tuple<at::Tensor, at::Tensor>& best, std::int64_t cols) {
    const auto& [values, cells] = best;
    const auto weights = at::softmax(values * temperature, 1);
    return at::stack({(weights * at::remainder(cells, cols)).sum(1),
                      (weights * at::floor_divide(cells, cols)).sum(1)},
                     1);
  }
};

/// The same with a sort that keeps the order of equal cells.
struct SortedBestThree {
  Match operator()(const SimilarityMap& map) const { return BestThree{}(map); }
  at::Tensor decode(const at::Tensor& similarity) const {
    const auto [values, cells] = at::sort(similarity.flatten(1), /*stable=*/true, 1, true);
    return BestThree::mean_of({values.slice(1, 0, 3), cells.slice(1, 0, 3)}, similarity.size(2));
  }
};

}  // namespace

TEST_CASE_TEMPLATE("laws of the tensor paths", M, Argmax, SoftArgmax, WindowSoftArgmax,
                   KernelSoftArgmax, OnePath, SortedBestThree) {
  CHECK(testing::broken_laws(testing::check_tensor_matcher_laws(M{})) == "");
}

TEST_CASE("a matcher that is written for tensors alone keeps the laws of matchers") {
  CHECK(testing::broken_laws(testing::check_matcher_laws(OnePath{})) == "");
}

TEST_CASE("the laws of tensor paths see what is wrong") {
  const auto first_broken = [](const auto& matcher) {
    for (const auto& law : testing::check_tensor_matcher_laws(matcher)) {
      if (!law.holds()) return law.name + ": " + law.broken;
    }
    return std::string();
  };
  const std::string paths = "all paths give the same answer, alone and in a batch: ";
  CHECK(first_broken(TwoAnswers{}).starts_with(paths + "map "));
  CHECK(first_broken(WholeBatch{}).starts_with(paths));
  CHECK(first_broken(WrongShape{})
            .starts_with(paths + "it threw: decode: expected floating [7, 2] for maps [7, 1, 1], "
                                 "the matcher gave Float [2, 7]"));
  CHECK(first_broken(WrongGradient{}).starts_with("a gradient is that of central differences"));
}

TEST_CASE("a tensor path that takes other cells of equal ones than the host is seen") {
  CHECK(testing::broken_laws(testing::check_matcher_laws(BestThree{})) == "");
  const std::string broken = testing::broken_laws(testing::check_tensor_matcher_laws(BestThree{}));
  CHECK(broken.starts_with("all paths give the same answer where cells are equal: map "));
  CHECK(std::ranges::count(broken, '\n') == 1);
}

TEST_CASE("a tensor path alone matches in a pipeline, in blocks, and refuses a map of nothing") {
  FeatureMap map = testing::detail::random_features(17, 23, 32, 1);
  const Points<GridFrame> cells = testing::detail::inner_cells(map, 0);  // more than a block
  for (const int threads : {1, 2}) {
    const auto matches = match_descriptors(OnePath{}, map.descriptors(), map, {threads});
    REQUIRE(matches.size() == cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      CHECK(testing::detail::largest_step(matches[i].cell, cells[i]) < 0.5);
      CHECK(matches[i].score == doctest::Approx(1));
      CHECK(matches[i].mutual);
    }
  }
  Pipeline<SyntheticBackbone, OnePath> pipeline;
  Image picture(64, 48);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = static_cast<std::uint8_t>(i * 37 % 251);
  }
  CHECK(pipeline.match(picture, picture, {{20, 20}}).points.size() == 1);

  FloatMatrix nothing(3, 4, -std::numeric_limits<float>::infinity());
  CHECK_THROWS_WITH_AS(match_map(OnePath{}, nothing), "similarity map [3, 4] holds no finite value",
                       ValueError);
  nothing(2, 1) = 0.5F;
  const Match lone = match_map(OnePath{}, nothing);
  CHECK(lone.cell == Point<GridFrame>{1, 2});
  CHECK(lone.score == 0.5F);
  CHECK(match_map(Argmax{}, nothing).cell == lone.cell);
  CHECK_THROWS_AS(match_map(WrongShape{}, nothing), ShapeError);
}

TEST_CASE("laws of the tensor paths on a CUDA device") {
  if (!torch::cuda::is_available()) return test::skip("no CUDA device here");
  const at::Device device(at::kCUDA);
  CHECK(testing::broken_laws(testing::check_tensor_matcher_laws(Argmax{}, device)) == "");
  CHECK(testing::broken_laws(testing::check_tensor_matcher_laws(SoftArgmax{}, device)) == "");
  CHECK(testing::broken_laws(testing::check_tensor_matcher_laws(WindowSoftArgmax{}, device)) == "");
  CHECK(testing::broken_laws(testing::check_tensor_matcher_laws(KernelSoftArgmax{}, device)) == "");
  CHECK(testing::broken_laws(testing::check_tensor_matcher_laws(OnePath{}, device)) == "");
}
