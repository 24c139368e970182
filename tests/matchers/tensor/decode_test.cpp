// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/tensor/decode.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "support/maps.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// A matcher on tensors and the policy of matchers/ that it must equal.
struct MatcherPair {
  std::string name;
  std::function<torch::Tensor(const torch::Tensor&)> on_tensors;
  std::function<Match(const SimilarityMap&)> on_map;
};

template <class M>
MatcherPair both_paths(std::string name, const M& matcher) {
  static_assert(MapMatcher<M> && TensorMatcher<M>);
  return {std::move(name), [=](const torch::Tensor& maps) { return matcher.decode(maps); },
          matcher};
}

SoftArgmax soft_argmax(float temperature) { return {{temperature}}; }
WindowSoftArgmax window_soft_argmax(
    int radius, float temperature,
    WindowSoftArgmax::Outside outside = WindowSoftArgmax::Outside::excluded) {
  return {{radius, temperature, outside}};
}
KernelSoftArgmax kernel_soft_argmax(float sigma, float temperature) {
  return {{sigma, temperature}};
}

MatcherPair soft(float temperature) {
  return both_paths(homolog::detail::text("soft, temperature ", temperature),
                    soft_argmax(temperature));
}

MatcherPair window(int radius, float temperature) {
  return both_paths(homolog::detail::text("window, radius ", radius, ", temperature ", temperature),
                    window_soft_argmax(radius, temperature));
}

MatcherPair masked(int radius, float temperature) {
  return both_paths(
      homolog::detail::text("masked window, radius ", radius, ", temperature ", temperature),
      window_soft_argmax(radius, temperature, WindowSoftArgmax::Outside::masked_zero));
}

MatcherPair kernel(float sigma, float temperature) {
  return both_paths(homolog::detail::text("kernel, sigma ", sigma, ", temperature ", temperature),
                    kernel_soft_argmax(sigma, temperature));
}

std::vector<MatcherPair> matchers() {
  return {soft(1),          soft(50),      soft(100),     window(0, 10), window(1, 1),
          window(2, 10),    window(9, 50), kernel(7, 25), kernel(1, 50), kernel(2, 1),
          kernel(0.3F, 10), masked(2, 10), masked(1, 1),  masked(0, 50)};
}

/// Cells of all maps as the policy of matchers/ gives them, [B,N,2] float64.
torch::Tensor one_by_one(const MatcherPair& matcher, const torch::Tensor& maps) {
  const auto flat = maps.to(torch::kFloat32).contiguous();
  const auto count = maps.size(0) * maps.size(1), rows = maps.size(2), cols = maps.size(3);
  torch::Tensor cells = torch::empty({count, 2}, torch::kFloat64);
  for (std::int64_t i = 0; i < count; ++i) {
    const Match match =
        matcher.on_map(SimilarityMap(flat.const_data_ptr<float>() + i * rows * cols, rows, cols));
    cells[i][0] = match.cell.x;
    cells[i][1] = match.cell.y;
  }
  return cells.reshape({maps.size(0), maps.size(1), 2});
}

/// Column and row of the largest finite cell.
torch::Tensor peaks(const torch::Tensor& maps) {
  const auto index = maps.flatten(2).argmax(-1);
  return at::stack({index.remainder(maps.size(3)), at::floor_divide(index, maps.size(3))}, -1)
      .to(maps.scalar_type());
}

}  // namespace

TEST_CASE("the gradient of each matcher is that of central differences") {
  double largest_gradient = 0;
  for (const MatcherPair& matcher : matchers()) {
    CAPTURE(matcher.name);
    for (const MapShape& shape : map_shapes) {
      CAPTURE(shown(shape));
      const auto maps = distinct_maps(shape, 1);
      // Both coordinates of all keypoints count, each with a weight of its own.
      const auto weights = random_tensor({shape.batch, shape.keypoints, 2}, 2);
      const auto weighed = [&](const torch::Tensor& similarity) {
        return (matcher.on_tensors(similarity) * weights).flatten(1).sum(-1);
      };
      largest_gradient = std::max(largest_gradient, check_gradient(weighed, maps));
      check_gradient(weighed, letterboxed(maps));
      auto broken = letterboxed(maps);
      broken.flatten(2).select(2, 0).fill_(NAN);  // a single cell leaves no finite one
      if (shape.rows * shape.cols > 1) check_gradient(weighed, broken);
    }
  }
  CHECK(largest_gradient > 1);
}

TEST_CASE("the window's place is a constant: outside of it the gradient is exactly zero") {
  const auto maps = distinct_maps({2, 3, 6, 7}, 3);
  const auto gradient = automatic_gradient(
      [](const torch::Tensor& similarity) {
        return window_soft_argmax(1, 10).decode(similarity).sum();
      },
      maps);
  const auto peak = peaks(maps);
  const auto xs = torch::arange(7, torch::kFloat64), ys = torch::arange(6, torch::kFloat64);
  const auto dx = (xs - peak.select(2, 0).unsqueeze(-1)).abs().unsqueeze(-2);
  const auto dy = (ys - peak.select(2, 1).unsqueeze(-1)).abs().unsqueeze(-1);
  const auto inside = at::logical_and(dx <= 1, dy <= 1);
  CHECK(inside.sum().item<int>() > 6);
  CHECK(largest(gradient.masked_select(at::logical_not(inside))) == 0);
  CHECK(gradient.masked_select(inside).abs().min().item<double>() > 0);
}

TEST_CASE("each matcher equals the policy of its name in matchers/") {
  const MapShape shapes[] = {
      {2, 3, 4, 5}, {1, 4, 9, 6}, {2, 2, 1, 9}, {1, 2, 8, 1}, {2, 2, 16, 11}};
  for (const MatcherPair& matcher : matchers()) {
    CAPTURE(matcher.name);
    std::uint64_t seed = 10;
    for (const MapShape& shape : shapes) {
      CAPTURE(shown(shape));
      const auto random =
          random_tensor({shape.batch, shape.keypoints, shape.rows, shape.cols}, ++seed);
      const auto ties = (random * 2).round() / 2;
      auto broken = random.clone();
      broken.flatten(2).select(2, 1).fill_(NAN);
      broken.flatten(2).select(2, 2).fill_(INFINITY);
      for (const auto& maps : {random, random - 1, random * 0.2, letterboxed(random), ties,
                               letterboxed(ties), torch::zeros_like(random), broken}) {
        const auto expected = one_by_one(matcher, maps);
        const auto single = matcher.on_tensors(maps.to(torch::kFloat32));
        CHECK(has_dtype(single, torch::kFloat32));
        CHECK(largest(single - expected) <= 1e-5);
        // The policies' weights are float32.
        CHECK(largest(matcher.on_tensors(maps.to(torch::kFloat32).to(torch::kFloat64)) -
                      expected) <= 1e-5);
      }
    }
  }
}

TEST_CASE("any number of leading dimensions, the maps one by one") {
  const auto maps = distinct_maps({2, 3, 4, 5}, 4).to(torch::kFloat32);
  for (const MatcherPair& matcher : matchers()) {
    CAPTURE(matcher.name);
    const auto all = matcher.on_tensors(maps);
    CHECK(all.sizes() == at::IntArrayRef({2, 3, 2}));
    CHECK(matcher.on_tensors(maps[0]).sizes() == at::IntArrayRef({3, 2}));
    for (int b = 0; b < 2; ++b) {
      for (int n = 0; n < 3; ++n) {
        CHECK(matcher.on_tensors(maps[b][n]).sizes() == at::IntArrayRef({2}));
        CHECK(largest(matcher.on_tensors(maps[b][n]) - all[b][n]) <= 1e-6);
      }
    }
    // Views that are not contiguous: rows and columns exchanged exchange x and y.
    const bool symmetric = matcher.name.starts_with("soft");
    if (symmetric) CHECK(largest(matcher.on_tensors(maps.transpose(2, 3)) - all.flip(2)) <= 1e-5);
  }
}

TEST_CASE("limits: steep is argmax, a window of one cell too, wide is the whole map") {
  const auto maps = distinct_maps({2, 3, 5, 7}, 5);
  const auto peak = peaks(maps);
  CHECK(largest(soft_argmax(1e6).decode(maps) - peak) < 1e-12);
  CHECK(largest(soft_argmax(3e38F).decode(maps.to(torch::kFloat32)) - peak) == 0);
  CHECK(largest(window_soft_argmax(2, 1e6).decode(maps) - peak) < 1e-12);
  CHECK(largest(window_soft_argmax(0, 1).decode(maps) - peak) < 1e-12);
  CHECK(largest(window_soft_argmax(7, 10).decode(maps) - soft_argmax(10).decode(maps)) < 1e-12);
  CHECK(largest(window_soft_argmax(2147483647, 10).decode(maps) - soft_argmax(10).decode(maps)) <
        1e-12);
  CHECK(largest(kernel_soft_argmax(1e9, 10).decode(maps) - soft_argmax(10).decode(maps)) < 1e-9);
  CHECK(largest(kernel_soft_argmax(3e38F, 10).decode(letterboxed(maps)) -
                soft_argmax(10).decode(letterboxed(maps))) < 1e-9);
  // A flat distribution: the centre of the cells that show the picture.
  const auto centre = torch::tensor({3.0, 2.0}, torch::kFloat64);
  CHECK(largest(soft_argmax(1e-12F).decode(maps) - centre) < 1e-9);
  CHECK(largest(soft_argmax(1e-12F).decode(letterboxed(maps)) - (centre - 0.5)) < 1e-9);
}

TEST_CASE("a Gaussian narrower than any cell leaves the peak and zeros, and no NaN") {
  const auto maps = distinct_maps({1, 4, 3, 4}, 6).to(torch::kFloat32);
  for (const float sigma : {1e-3F, 1e-20F, 1e-37F}) {
    CAPTURE(sigma);
    CHECK(largest(kernel_soft_argmax(sigma, 5).decode(maps) -
                  kernel_soft_argmax(0.05F, 5).decode(maps)) < 1e-6);
  }
}

TEST_CASE("a map without a finite cell gives NaN, other maps are untouched") {
  auto maps = distinct_maps({1, 3, 4, 5}, 7);
  const auto untouched = maps.clone();
  maps[0][1].fill_(-INFINITY);
  for (const MatcherPair& matcher : matchers()) {
    CAPTURE(matcher.name);
    const auto cells = matcher.on_tensors(maps);
    CHECK(cells[0][1].isnan().all().item<bool>());
    CHECK(at::equal(cells[0][0], matcher.on_tensors(untouched)[0][0]));
    CHECK(at::equal(cells[0][2], matcher.on_tensors(untouched)[0][2]));
  }
}

TEST_CASE("autocast changes nothing and is on again afterwards") {
  const auto maps = letterboxed(distinct_maps({2, 3, 4, 5}, 8)).to(torch::kFloat32);
  for (const MatcherPair& matcher : matchers()) {
    CAPTURE(matcher.name);
    const auto plain = matcher.on_tensors(maps);
    const CallersAutocast autocast;
    const auto within = matcher.on_tensors(maps);
    CHECK(has_dtype(within, torch::kFloat32));
    CHECK(at::equal(within, plain));
    CHECK(autocast.on());
    CHECK_THROWS_AS(soft_argmax(-1).decode(maps), SettingError);
    CHECK(autocast.on());
  }
  CHECK_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
}

TEST_CASE("half similarities count as float32, and their gradient comes back in half") {
  for (const auto dtype : {torch::kBFloat16, torch::kFloat16}) {
    const auto maps = letterboxed(distinct_maps({1, 2, 4, 5}, 9)).to(dtype);
    for (const MatcherPair& matcher : matchers()) {
      CAPTURE(matcher.name);
      const auto leaf = maps.clone().requires_grad_();
      const auto cells = matcher.on_tensors(leaf);
      CHECK(has_dtype(cells, torch::kFloat32));
      CHECK(at::equal(cells, matcher.on_tensors(maps.to(torch::kFloat32))));
      cells.sum().backward();
      CHECK(has_dtype(leaf.grad(), dtype));
      CHECK(leaf.grad().isfinite().all().item<bool>());
    }
  }
}

TEST_CASE("the scopes of autocast put back what was there, also when an error passes through") {
  const auto product = [] { return at::matmul(torch::ones({2, 2}), torch::ones({2, 2})); };
  {
    const CallersAutocast autocast;
    {
      const homolog::detail::FullPrecisionScope scope(torch::ones(1));
      CHECK(has_dtype(product(), torch::kFloat32));
      {
        const homolog::detail::AutocastScope inner(at::kCPU, true, at::kHalf);
        CHECK(has_dtype(product(), torch::kFloat16));
      }
      CHECK(has_dtype(product(), torch::kFloat32));
    }
    CHECK(autocast.on());
    try {
      const homolog::detail::FullPrecisionScope scope(torch::ones(1));
      throw ValueError("inside");
    } catch (const ValueError&) {
      CHECK(autocast.on());
    }
  }
  CHECK(has_dtype(product(), torch::kFloat32));
}

TEST_CASE("matchers refuse what is no map, and settings out of range") {
  const std::function<void(const torch::Tensor&)> calls[] = {
      [](const torch::Tensor& maps) { soft_argmax(1).decode(maps); },
      [](const torch::Tensor& maps) { window_soft_argmax(1, 1).decode(maps); },
      [](const torch::Tensor& maps) { kernel_soft_argmax(1, 1).decode(maps); }};
  const char* names[] = {"SoftArgmax: ", "WindowSoftArgmax: ", "KernelSoftArgmax: "};
  const struct {
    torch::Tensor maps;
    const char* text;
  } inputs[] = {{torch::ones({5}), "got Float [5]"},
                {torch::ones({2, 0, 5}), "got Float [2, 0, 5]"},
                {torch::ones({2, 5, 0}), "got Float [2, 5, 0]"},
                {torch::ones({2, 5}, torch::kLong), "got Long [2, 5]"},
                {torch::ones({2, 5}, torch::kBool), "got Bool [2, 5]"},
                {torch::ones({2, 5}, torch::kComplexDouble), "got ComplexDouble [2, 5]"},
                {torch::Tensor(), "got UNKNOWN_SCALAR [0]"}};
  for (std::size_t i = 0; i < 3; ++i) {
    for (const auto& input : inputs) {
      CHECK_THROWS_WITH_AS(
          calls[i](input.maps),
          (std::string(names[i]) + "expected floating [..., rows, cols], " + input.text).c_str(),
          ShapeError);
    }
  }
  const auto maps = torch::zeros({3, 4});
  const struct {
    float value;
    const char* text;
  } values[] = {{0, "is 0,"},
                {-1, "is -1,"},
                {NAN, "is nan,"},
                {INFINITY, "is inf,"},
                {-INFINITY, "is -inf,"}};
  for (const auto& [value, text] : values) {
    const doctest::Contains temperature((std::string("temperature ") + text).c_str());
    CHECK_THROWS_WITH_AS(soft_argmax(value).decode(maps), temperature, SettingError);
    CHECK_THROWS_WITH_AS(window_soft_argmax(1, value).decode(maps), temperature, SettingError);
    CHECK_THROWS_WITH_AS(kernel_soft_argmax(1, value).decode(maps), temperature, SettingError);
    CHECK_THROWS_WITH_AS(kernel_soft_argmax(value, 1).decode(maps),
                         doctest::Contains((std::string("sigma ") + text).c_str()), SettingError);
  }
  CHECK_THROWS_WITH_AS(window_soft_argmax(-1, 1).decode(maps),
                       "WindowSoftArgmax: window_radius is -1, expected at least 0", SettingError);
}
