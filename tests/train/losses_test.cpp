// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <algorithm>
#include <limits>

#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/tensor/host_path.hpp"
#include "homolog/train/losses.hpp"
#include "support/maps.hpp"
#include "support/one_path.hpp"

using namespace homolog;
using namespace homolog::test;

static_assert(CorrespondenceLoss<CoordinateMse<>>);
static_assert(CorrespondenceLoss<GaussianCrossEntropy>);
static_assert(CorrespondenceLoss<InfoNce>);
static_assert(!CorrespondenceLoss<torch::Tensor>);

namespace {

/// One map as plain numbers, with the formulas of the losses written out.
struct PlainMap {
  std::vector<double> similarity;
  int rows, cols;
  double x, y;  ///< truth

  bool seen(std::size_t cell) const { return std::isfinite(similarity[cell]); }
  int row(std::size_t cell) const { return static_cast<int>(cell) / cols; }
  int col(std::size_t cell) const { return static_cast<int>(cell) % cols; }
  double squared_distance(std::size_t cell) const {
    return (col(cell) - x) * (col(cell) - x) + (row(cell) - y) * (row(cell) - y);
  }

  /// Of equally near cells that show the picture, the first.
  std::size_t nearest() const {
    std::size_t best = similarity.size();
    for (std::size_t cell = 0; cell < similarity.size(); ++cell) {
      if (!seen(cell)) continue;
      if (best == similarity.size() || squared_distance(cell) < squared_distance(best)) best = cell;
    }
    return best;
  }

  double log_probability(std::size_t cell, double temperature) const {
    double maximum = -INFINITY, sum = 0;
    for (const double value : similarity) {
      if (std::isfinite(value)) maximum = std::max(maximum, value);
    }
    for (const double value : similarity) {
      if (std::isfinite(value)) sum += std::exp(temperature * (value - maximum));
    }
    return temperature * (similarity[cell] - maximum) - std::log(sum);
  }

  std::vector<double> gaussian_target(double sigma, int radius) const {
    std::vector<double> target(similarity.size(), 0);
    const std::size_t centre = nearest();
    double sum = 0;
    for (std::size_t cell = 0; cell < target.size(); ++cell) {
      if (!seen(cell) || std::abs(row(cell) - row(centre)) > radius ||
          std::abs(col(cell) - col(centre)) > radius) {
        continue;
      }
      target[cell] =
          std::exp((squared_distance(centre) - squared_distance(cell)) / 2 / (sigma * sigma));
      sum += target[cell];
    }
    for (double& value : target) value /= sum;
    return target;
  }

  double coordinate_mse(double temperature) const {
    double mean_x = 0, mean_y = 0;
    for (std::size_t cell = 0; cell < similarity.size(); ++cell) {
      if (!seen(cell)) continue;
      const double probability = std::exp(log_probability(cell, temperature));
      mean_x += probability * col(cell);
      mean_y += probability * row(cell);
    }
    return (mean_x - x) * (mean_x - x) + (mean_y - y) * (mean_y - y);
  }

  double gaussian_cross_entropy(double sigma, int radius, double temperature) const {
    const auto target = gaussian_target(sigma, radius);
    double sum = 0;
    for (std::size_t cell = 0; cell < target.size(); ++cell) {
      if (target[cell] > 0) sum -= target[cell] * log_probability(cell, temperature);
    }
    return sum;
  }

  double info_nce(double temperature) const { return -log_probability(nearest(), temperature); }
};

struct Loss {
  std::string name;
  std::function<torch::Tensor(const CorrespondenceBatch&)> on_batch;
  std::function<double(const PlainMap&)> on_map;
};

Loss mse(double temperature) {
  return {homolog::detail::text("CoordinateMse, temperature ", temperature),
          CoordinateMse<>{{{static_cast<float>(temperature)}}},
          [=](const PlainMap& map) { return map.coordinate_mse(temperature); }};
}

Loss gaussian(double sigma, int radius, double temperature) {
  return {homolog::detail::text("GaussianCrossEntropy, sigma ", sigma, ", radius ", radius,
                                ", temperature ", temperature),
          GaussianCrossEntropy{{sigma, radius, temperature}}, [=](const PlainMap& map) {
            return map.gaussian_cross_entropy(sigma, radius, temperature);
          }};
}

Loss info_nce(double temperature) {
  return {homolog::detail::text("InfoNce, temperature ", temperature), InfoNce{{temperature}},
          [=](const PlainMap& map) { return map.info_nce(temperature); }};
}

std::vector<Loss> losses() {
  return {mse(1),
          mse(50),
          gaussian(1, 3, 1 / 0.03),
          gaussian(0.5, 1, 10),
          gaussian(2, 0, 20),
          gaussian(20, 9, 1),
          info_nce(1 / 0.07),
          info_nce(1)};
}

/// Quarters of cells, from two cells before the grid to two behind it: ties of distances are exact.
torch::Tensor random_truth(const MapShape& shape, std::uint64_t seed) {
  const auto fraction = (random_tensor({shape.batch, shape.keypoints, 2}, seed) + 1) / 2;
  const auto span = torch::tensor(
      {static_cast<double>(shape.cols) + 3, static_cast<double>(shape.rows) + 3}, torch::kFloat64);
  return (fraction * span * 4).round() / 4 - 2;
}

/// All keypoints are valid.
CorrespondenceBatch whole_batch(const MapShape& shape, std::uint64_t seed) {
  return {distinct_maps(shape, seed), random_truth(shape, seed + 1000),
          torch::ones({shape.batch, shape.keypoints}, torch::kBool)};
}

/// Every third keypoint, never the first, is padding that holds `filling`.
CorrespondenceBatch padded(const CorrespondenceBatch& whole, double filling) {
  const auto index = torch::arange(whole.valid.numel()).reshape(whole.valid.sizes());
  const auto padding = index % 3 == 1;
  return {whole.similarity.masked_fill(padding.unsqueeze(-1).unsqueeze(-1), filling),
          whole.truth.masked_fill(padding.unsqueeze(-1), filling), padding.logical_not()};
}

CorrespondenceBatch letterboxed(const CorrespondenceBatch& batch) {
  return {homolog::test::letterboxed(batch.similarity), batch.truth, batch.valid};
}

CorrespondenceBatch to(const CorrespondenceBatch& batch, torch::Dtype dtype) {
  return {batch.similarity.to(dtype), batch.truth.to(torch::kFloat32), batch.valid};
}

PlainMap plain_map(const CorrespondenceBatch& batch, std::int64_t b, std::int64_t n) {
  const auto map = batch.similarity[b][n].to(torch::kFloat64).contiguous();
  const auto* values = map.const_data_ptr<double>();
  return {{values, values + map.numel()},
          static_cast<int>(map.size(0)),
          static_cast<int>(map.size(1)),
          batch.truth[b][n][0].item<double>(),
          batch.truth[b][n][1].item<double>()};
}

/// The losses of valid keypoints, each with a weight of its own, as a function of the similarity;
/// [K,B,N,rows,cols] to [K].
ScalarFunction weighed(const Loss& loss, const CorrespondenceBatch& batch) {
  const auto weights = random_tensor(batch.valid.sizes(), 77);
  return [=](const torch::Tensor& similarity) {
    const auto count = similarity.size(0);
    const auto values = loss.on_batch({similarity.flatten(0, 1), batch.truth.repeat({count, 1, 1}),
                                       batch.valid.repeat({count, 1})});
    return (values.view({count, -1}) * weights.flatten()).sum(-1);
  };
}

/// Scalar product of unit vectors: [K,B,N,D] and [K,B,cells,D] to [K,B,N,rows,cols].
torch::Tensor cosine(const torch::Tensor& source, const torch::Tensor& target,
                     const MapShape& shape) {
  const auto unit = [](const torch::Tensor& x) { return x / x.norm(2, -1, true); };
  return at::matmul(unit(source), unit(target).transpose(-2, -1))
      .unflatten(-1, {shape.rows, shape.cols});
}

}  // namespace

TEST_CASE("the gradient of each loss is that of central differences") {
  for (const Loss& loss : losses()) {
    CAPTURE(loss.name);
    double largest_gradient = 0;
    for (const MapShape& shape : map_shapes) {
      CAPTURE(shown(shape));
      const auto whole = whole_batch(shape, 1);
      for (const auto& batch :
           {whole, letterboxed(whole), padded(whole, 0.5), padded(letterboxed(whole), NAN)}) {
        largest_gradient =
            std::max(largest_gradient, check_gradient(weighed(loss, batch), batch.similarity));
      }
    }
    CHECK(largest_gradient > 0.1);
  }
}

TEST_CASE("gradients pass through cosines to the features of both pictures") {
  for (const MapShape& shape : {MapShape{1, 2, 3, 4}, {2, 3, 2, 5}}) {
    CAPTURE(shown(shape));
    const auto source = random_tensor({shape.batch, shape.keypoints, 6}, 2);
    const auto target = random_tensor({shape.batch, shape.rows * shape.cols, 6}, 3);
    const auto whole = whole_batch(shape, 4);
    for (const Loss& loss : losses()) {
      CAPTURE(loss.name);
      for (const bool letterbox : {false, true}) {
        const auto mean = [&](const torch::Tensor& sources, const torch::Tensor& targets) {
          auto similarity = cosine(sources, targets, shape);
          if (letterbox) {
            similarity = similarity.masked_fill(
                at::isinf(homolog::test::letterboxed(whole.similarity)), -INFINITY);
          }
          return weighed(loss, padded(whole, NAN))(similarity);
        };
        check_gradient([&](const torch::Tensor& x) { return mean(x, target.unsqueeze(0)); },
                       source);
        check_gradient([&](const torch::Tensor& x) { return mean(source.unsqueeze(0), x); },
                       target);
      }
    }
  }
}

TEST_CASE("each loss equals its formula written out, in float64 and float32") {
  const MapShape shapes[] = {{2, 3, 4, 5}, {3, 4, 9, 6}, {1, 5, 1, 9}, {2, 4, 8, 1}, {2, 3, 1, 1}};
  for (const Loss& loss : losses()) {
    CAPTURE(loss.name);
    for (const MapShape& shape : shapes) {
      CAPTURE(shown(shape));
      const auto whole = whole_batch(shape, 5);
      for (const auto& batch : {whole, letterboxed(whole)}) {
        const auto wide = loss.on_batch(batch);
        const auto single = loss.on_batch(to(batch, torch::kFloat32));
        CHECK(has_dtype(wide, torch::kFloat64));
        CHECK(has_dtype(single, torch::kFloat32));
        CHECK(wide.sizes() == batch.valid.sizes());
        for (int b = 0; b < shape.batch; ++b) {
          for (int n = 0; n < shape.keypoints; ++n) {
            const double expected = loss.on_map(plain_map(batch, b, n));
            const double bound = 1 + std::abs(expected);
            CHECK(std::abs(wide[b][n].item<double>() - expected) <= 1e-12 * bound);
            CHECK(std::abs(single[b][n].item<double>() - expected) <= 1e-5 * bound);
          }
        }
      }
    }
  }
}

TEST_CASE("what stands in padded places changes no loss and no gradient") {
  for (const Loss& loss : losses()) {
    CAPTURE(loss.name);
    for (const auto dtype : {torch::kFloat64, torch::kFloat32, torch::kBFloat16}) {
      const auto whole = to(letterboxed(whole_batch({2, 4, 3, 5}, 6)), dtype);
      const auto losses_of = [&](const CorrespondenceBatch& batch, torch::Tensor& gradient) {
        const auto leaf = batch.similarity.clone().requires_grad_();
        const auto values = loss.on_batch({leaf, batch.truth, batch.valid});
        mean_loss(values, batch.valid).backward();
        gradient = leaf.grad();
        return values.detach();
      };
      torch::Tensor expected_gradient, gradient;
      const auto harmless = padded(whole, 0);
      const auto expected = losses_of(harmless, expected_gradient);
      CHECK(largest(expected.masked_select(harmless.valid.logical_not())) == 0);
      CHECK(expected.masked_select(harmless.valid).abs().min().item<double>() > 0);
      // The valid ones are those of the batch without padding.
      CHECK(at::equal(expected.masked_select(harmless.valid),
                      loss.on_batch(whole).masked_select(harmless.valid)));
      for (const double filling : {double{NAN}, double{INFINITY}, -double{INFINITY}, 1e30}) {
        CAPTURE(filling);
        const auto batch = padded(whole, filling);
        CHECK(at::equal(losses_of(batch, gradient), expected));
        CHECK(at::equal(gradient, expected_gradient));
        CHECK(largest(gradient.masked_select(
                  batch.valid.logical_not().unsqueeze(-1).unsqueeze(-1))) == 0);
      }
    }
  }
}

TEST_CASE("uniform maps: the logarithm of the cells, the squared distance from their centre") {
  const auto maps = torch::full({1, 1, 5, 7}, 0.3, torch::kFloat64);
  const auto truth = torch::tensor({5.0, 0.5}, torch::kFloat64).reshape({1, 1, 2});
  const auto valid = torch::ones({1, 1}, torch::kBool);
  for (const auto& [similarity, cells, x, y] :
       {std::tuple{maps, 35.0, 3.0, 2.0}, {homolog::test::letterboxed(maps), 24.0, 2.5, 1.5}}) {
    const CorrespondenceBatch batch{similarity, truth, valid};
    CHECK(InfoNce{}(batch).item<double>() == doctest::Approx(std::log(cells)).epsilon(1e-12));
    CHECK(GaussianCrossEntropy{}(batch).item<double>() ==
          doctest::Approx(std::log(cells)).epsilon(1e-12));
    CHECK(CoordinateMse<>{}(batch).item<double>() ==
          doctest::Approx((x - 5) * (x - 5) + (y - 0.5) * (y - 0.5)).epsilon(1e-12));
  }
}

TEST_CASE("a Gaussian of one cell is InfoNCE, whatever leads to it") {
  const MapShape shape{3, 4, 6, 5};
  auto batch = letterboxed(whole_batch(shape, 7));
  const double temperature = 12;
  const auto expected = InfoNce{{temperature}}(batch);
  CHECK(largest(GaussianCrossEntropy{{2.0, 0, temperature}}(batch)-expected) < 1e-12);
  // Nearest cells that tie would share a narrow Gaussian: move the truth off the middle.
  batch.truth += torch::tensor({0.05, 0.03}, torch::kFloat64);
  const auto moved = InfoNce{{temperature}}(batch);
  for (const double sigma : {0.01, 1e-9, 1e-20, 1e-37}) {
    CAPTURE(sigma);
    CHECK(largest(GaussianCrossEntropy{{sigma, 3, temperature}}(batch)-moved) < 1e-12);
    CHECK(largest(GaussianCrossEntropy{{sigma, 3, temperature}}(to(batch, torch::kFloat32)) -
                  moved) < 1e-4);
  }
}

TEST_CASE("a very wide Gaussian is the mean over the window, cells without picture left out") {
  const auto batch = to(letterboxed(whole_batch({1, 2, 4, 5}, 8)), torch::kFloat32);
  const auto wide = GaussianCrossEntropy{{1e6, 9, 5}}(batch);
  const auto log_probability = at::log_softmax(batch.similarity.flatten(2) * 5, -1);
  const auto seen = at::isfinite(log_probability);
  const auto expected =
      -at::where(seen, log_probability, at::zeros_like(log_probability)).sum(-1) / seen.sum(-1);
  CHECK(largest(wide - expected) < 1e-4);
  for (const double sigma : {1e19, 1e30, 3e38}) {
    CHECK(largest(GaussianCrossEntropy{{sigma, 9, 5}}(batch)-expected) < 1e-4);
  }
}

TEST_CASE("the Gaussian cross-entropy is least where the map is its target") {
  const double sigma = 1.3, temperature = 20;
  const int radius = 2;
  const GaussianCrossEntropy loss{{sigma, radius, temperature}};
  for (const auto& [x, y] : {std::pair{2.25, 1.5}, {-3.0, 7.75}, {4.5, 3.5}, {0.0, 0.0}}) {
    PlainMap map{std::vector<double>(24, 0.0), 4, 6, x, y};
    const auto target = map.gaussian_target(sigma, radius);
    double entropy = 0;
    torch::Tensor best = torch::empty({24}, torch::kFloat64);
    for (std::size_t cell = 0; cell < 24; ++cell) {
      const double share = target[cell];
      if (share > 0) entropy -= share * std::log(share);
      // A probability of 1e-300 instead of zero: the cell still shows the picture.
      best[static_cast<std::int64_t>(cell)] = (share > 0 ? std::log(share) : -690) / temperature;
    }
    const auto truth = torch::tensor({x, y}, torch::kFloat64).reshape({1, 1, 2});
    const auto valid = torch::ones({1, 1}, torch::kBool);
    const auto value = [&](const torch::Tensor& similarity) {
      return loss({similarity.reshape({1, 1, 4, 6}), truth, valid});
    };
    CHECK(value(best).item<double>() == doctest::Approx(entropy).epsilon(1e-12));
    const auto gradient = automatic_gradient(
        [&](const torch::Tensor& similarity) { return value(similarity).flatten(); }, best);
    CHECK(largest(gradient) < 1e-12);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      CHECK(value(best + 0.01 * random_tensor({24}, seed)).item<double>() > entropy);
      CHECK(value(random_tensor({24}, seed)).item<double>() > entropy);
    }
  }
}

TEST_CASE("keypoints and pairs do not know each other: one by one, in any order") {
  const auto batch = padded(letterboxed(whole_batch({3, 5, 4, 6}, 10)), NAN);
  const auto pairs = torch::tensor({2, 0, 1}), keypoints = torch::tensor({3, 1, 4, 0, 2});
  const auto shuffled = [&](const torch::Tensor& x) {
    return x.index_select(0, pairs).index_select(1, keypoints);
  };
  for (const Loss& loss : losses()) {
    CAPTURE(loss.name);
    const auto all = loss.on_batch(batch);
    CHECK(at::equal(
        loss.on_batch({shuffled(batch.similarity), shuffled(batch.truth), shuffled(batch.valid)}),
        shuffled(all)));
    for (int b = 0; b < 3; ++b) {
      for (int n = 0; n < 5; ++n) {
        const auto only = [&](const torch::Tensor& x) {
          return x.slice(0, b, b + 1).slice(1, n, n + 1);
        };
        const auto single =
            loss.on_batch({only(batch.similarity), only(batch.truth), only(batch.valid)});
        CHECK(largest(single - only(all)) <= 1e-13 * (1 + largest(all)));
      }
    }
  }
}

TEST_CASE("the mean counts valid keypoints only, for a loss that leaves numbers in padding too") {
  const auto loss =
      torch::tensor({{1.0, 5.0, double{NAN}}, {2.0, double{INFINITY}, 1e9}}, torch::kFloat64)
          .requires_grad_();
  const auto valid = torch::tensor({{1, 1, 0}, {1, 0, 0}}).to(torch::kBool);
  const auto mean = mean_loss(loss, valid);
  CHECK(mean.item<double>() == doctest::Approx(8.0 / 3).epsilon(1e-15));
  mean.backward();
  CHECK(largest(loss.grad() - valid.to(torch::kFloat64) / 3) < 1e-15);
  CHECK_THROWS_WITH_AS(mean_loss(loss, torch::zeros({2, 3}, torch::kBool)),
                       "mean_loss: no keypoint is valid", ValueError);
  CHECK_THROWS_AS(mean_loss(torch::zeros({2, 0}), torch::zeros({2, 0}, torch::kBool)), ValueError);
  CHECK_THROWS_WITH_AS(mean_loss(torch::zeros({2}), valid),
                       "mean_loss: expected a loss [2, 3], one value a keypoint, got [2]",
                       ShapeError);
}

TEST_CASE("a batch without keypoints has no losses") {
  for (const Loss& loss : losses()) {
    const auto values = loss.on_batch(
        {torch::zeros({2, 0, 3, 4}), torch::zeros({2, 0, 2}), torch::zeros({2, 0}, torch::kBool)});
    CHECK(values.sizes() == at::IntArrayRef({2, 0}));
  }
}

TEST_CASE("a valid keypoint without a finite cell has a loss of NaN, never one of zero") {
  auto batch = whole_batch({1, 3, 3, 4}, 11);
  const auto untouched = batch.similarity.clone();
  batch.similarity[0][1].fill_(-INFINITY);
  for (const Loss& loss : losses()) {
    CAPTURE(loss.name);
    const auto values = loss.on_batch(batch);
    const auto expected = loss.on_batch({untouched, batch.truth, batch.valid});
    CHECK(values[0][1].isnan().item<bool>());
    CHECK(at::equal(values[0][0], expected[0][0]));
    CHECK(at::equal(values[0][2], expected[0][2]));
  }
}

TEST_CASE("autocast changes no loss and no gradient, and is on again afterwards") {
  const auto batch = to(padded(letterboxed(whole_batch({2, 3, 4, 5}, 12)), NAN), torch::kFloat32);
  const auto run = [&](const Loss& loss, torch::Tensor& gradient) {
    const auto leaf = batch.similarity.clone().requires_grad_();
    const auto values = loss.on_batch({leaf, batch.truth, batch.valid});
    mean_loss(values, batch.valid).backward();
    gradient = leaf.grad();
    return values.detach();
  };
  for (const Loss& loss : losses()) {
    CAPTURE(loss.name);
    torch::Tensor expected_gradient, gradient;
    const auto expected = run(loss, expected_gradient);
    const CallersAutocast autocast;
    const auto values = run(loss, gradient);
    CHECK(has_dtype(values, torch::kFloat32));
    CHECK(at::equal(values, expected));
    CHECK(at::equal(gradient, expected_gradient));
    CHECK(autocast.on());
    CHECK_THROWS_AS(CoordinateMse<>{{{-1}}}(batch), SettingError);
    CHECK(autocast.on());
    CHECK_THROWS_AS(loss.on_batch({batch.similarity, batch.truth.select(2, 0), batch.valid}),
                    ShapeError);
    CHECK(autocast.on());
  }
}

TEST_CASE("similarities of half precision give float32 losses") {
  for (const auto dtype : {torch::kBFloat16, torch::kFloat16}) {
    const auto batch = to(padded(letterboxed(whole_batch({2, 3, 4, 5}, 13)), NAN), dtype);
    for (const Loss& loss : losses()) {
      CAPTURE(loss.name);
      const auto leaf = batch.similarity.clone().requires_grad_();
      const auto values = loss.on_batch({leaf, batch.truth, batch.valid});
      CHECK(has_dtype(values, torch::kFloat32));
      CHECK(at::equal(values, loss.on_batch(to(batch, torch::kFloat32))));
      mean_loss(values, batch.valid).backward();
      CHECK(has_dtype(leaf.grad(), dtype));
      CHECK(leaf.grad().isfinite().all().item<bool>());
      CHECK(largest(leaf.grad()) > 0);
    }
  }
}

TEST_CASE("losses refuse batches that do not fit together") {
  const auto maps = torch::zeros({2, 3, 4, 5}), truth = torch::zeros({2, 3, 2});
  const auto valid = torch::ones({2, 3}, torch::kBool);
  const struct {
    CorrespondenceBatch batch;
    const char* got;
  } cases[] = {
      {{maps[0], truth, valid}, "got [3, 4, 5], [2, 3, 2] and Bool [2, 3]"},
      {{maps, torch::zeros({2, 3, 3}), valid}, "got [2, 3, 4, 5], [2, 3, 3] and Bool [2, 3]"},
      {{maps, torch::zeros({2, 4, 2}), valid}, "got [2, 3, 4, 5], [2, 4, 2] and Bool [2, 3]"},
      {{maps, torch::zeros({6, 2}), valid}, "got [2, 3, 4, 5], [6, 2] and Bool [2, 3]"},
      {{maps, truth, torch::ones({3, 2}, torch::kBool)}, "[2, 3, 2] and Bool [3, 2]"},
      {{maps, truth, torch::ones({6}, torch::kBool)}, "[2, 3, 2] and Bool [6]"},
      {{torch::zeros({2, 2, 4, 5}), truth, valid}, "got [2, 2, 4, 5], [2, 3, 2] and Bool"},
      {{maps, truth, torch::ones({2, 3})}, "[2, 3, 2] and Float [2, 3]"},
      {{maps, truth, torch::ones({2, 3}, torch::kLong)}, "[2, 3, 2] and Long [2, 3]"},
      {{maps, {}, {}}, "got [2, 3, 4, 5], [0] and UNKNOWN_SCALAR [0]"},
      {{maps.to(torch::kLong), truth, valid}, "got Long [2, 3, 4, 5]"},
      {{torch::zeros({2, 3, 0, 5}), truth, valid}, "got Float [2, 3, 0, 5]"},
      {{{}, truth, valid}, "got UNKNOWN_SCALAR [0]"}};
  for (const Loss& loss : losses()) {
    for (const auto& [batch, got] : cases) {
      CHECK_THROWS_WITH_AS(loss.on_batch(batch), doctest::Contains(got), ShapeError);
      CHECK_THROWS_WITH_AS(loss.on_batch(batch),
                           doctest::Contains(loss.name.substr(0, loss.name.find(',')).c_str()),
                           ShapeError);
    }
  }
}

TEST_CASE("losses refuse settings out of range") {
  const auto batch = whole_batch({1, 1, 3, 4}, 14);
  for (const double value : {0.0, -1.0, double{NAN}, double{INFINITY}, 1e-50, 1e50}) {
    CAPTURE(value);
    const auto refused = [&](const Loss& loss, double seen) {
      const auto line = homolog::detail::text("temperature is ", seen, ", expected a positive");
      CHECK_THROWS_WITH_AS(loss.on_batch(batch), doctest::Contains(line.c_str()), SettingError);
    };
    refused(mse(value), static_cast<double>(static_cast<float>(value)));  // a matcher's is a float
    refused(gaussian(1, 3, value), value);
    refused(info_nce(value), value);
    CHECK_THROWS_WITH_AS(gaussian(value, 3, 10).on_batch(batch),
                         doctest::Contains(homolog::detail::text("GaussianCrossEntropy: sigma is ",
                                                                 value, " and radius 3")
                                               .c_str()),
                         SettingError);
  }
  CHECK_THROWS_WITH_AS(gaussian(1, -1, 10).on_batch(batch),
                       doctest::Contains("sigma is 1 and radius -1"), SettingError);
}

TEST_CASE("the coordinate loss trains any matcher as it matches, one of a user's own too") {
  const auto check = [](const auto& matcher) {
    const CoordinateMse<std::remove_cvref_t<decltype(matcher)>> loss{matcher};
    const auto batch = whole_batch({2, 3, 4, 5}, 21);
    const auto values = loss(batch);
    for (int b = 0; b < 2; ++b) {
      for (int n = 0; n < 3; ++n) {
        const auto map = batch.similarity[b][n].to(torch::kFloat32).contiguous();
        const auto found = match_map(matcher, SimilarityMap(map.const_data_ptr<float>(), 4, 5));
        const auto answer = torch::tensor({found.cell.x, found.cell.y}, torch::kFloat64);
        const auto square = (answer - batch.truth[b][n]).square().sum();
        CHECK(largest(values[b][n] - square) < 1e-4 * (1 + largest(square)));
      }
    }
    const auto each = [&](const torch::Tensor& similarity) {
      std::vector<torch::Tensor> sums;
      for (std::int64_t i = 0; i < similarity.size(0); ++i) {
        sums.push_back(loss({similarity[i], batch.truth, batch.valid}).sum());
      }
      return at::stack(sums);
    };
    CHECK(check_gradient(each, batch.similarity) > 0.01);
  };
  check(WindowSoftArgmax{});
  check(KernelSoftArgmax{});
  check(OnePath{10});

  auto batch = whole_batch({1, 2, 3, 4}, 22);
  batch.similarity.requires_grad_();
  CHECK_THROWS_WITH_AS(CoordinateMse<Argmax>{}(batch),
                       "CoordinateMse: the matcher's answer has no gradient, so nothing would be "
                       "trained; take a soft one",
                       SettingError);
}
