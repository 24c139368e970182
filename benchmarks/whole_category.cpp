// SPDX-License-Identifier: Apache-2.0
// Matching a whole category, all its pairs grouped by target, next to LibTorch pair by pair; and
// full-resolution matching next to upsampling and normalising the features. Both sides take turns
// in one process, and their answers are compared first.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/types.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <tuple>
#include <vector>

#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/upsampled_peak.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

namespace {

using namespace homolog;

// SPair-71k's test split has some 27 pictures a category and 7 keypoints a pair.
constexpr int pictures = 27, keypoints = 7, side = 37, pixels = 518;

struct Category {
  std::vector<FeatureMap> maps;  // [pictures] L2-normalised
  std::vector<std::vector<std::int64_t>>
      cells;  // [pictures * pictures] of [keypoints] source cells
};

// Neighbouring cells are alike, and pictures of a category have their objects in common.
Category make_category(int dim) {
  std::mt19937 random(static_cast<unsigned>(dim));
  std::normal_distribution<float> normal;
  FeatureMap common(side, side, dim);
  for (float& value : common.values) value = normal(random);
  Category category;
  for (int i = 0; i < pictures; ++i) {
    FeatureMap map(side, side, dim);
    for (float& value : map.values) value = normal(random);
    map.values.view() += common.values.view();
    for (Eigen::Index c = 1; c < map.values.rows(); ++c) {
      map.values.row(c) += 0.7F * map.values.row(c - 1);
    }
    normalize_rows(map.values);
    category.maps.push_back(std::move(map));
  }
  std::uniform_int_distribution<std::int64_t> cell(0, side * side - 1);
  category.cells.resize(pictures * pictures);
  for (auto& cells : category.cells) {
    for (int k = 0; k < keypoints; ++k) cells.push_back(cell(random));
  }
  return category;
}

using Answers = std::vector<std::int64_t>;  // [pictures * pictures * keypoints] target cells

template <class M>
Answers grouped(const Category& category, const M& matcher, int threads,
                KernelWorkspace& workspace) {
  Answers answers(category.cells.size() * keypoints);
  const int dim = category.maps.front().dim();
  FloatMatrix queries((pictures - 1) * keypoints, dim);
  for (int target = 0; target < pictures; ++target) {
    Eigen::Index row = 0;
    for (int source = 0; source < pictures; ++source) {
      if (source == target) continue;
      for (const auto cell : category.cells[static_cast<std::size_t>(source * pictures + target)]) {
        queries.row(row++) = category.maps[static_cast<std::size_t>(source)].values.row(cell);
      }
    }
    const auto matches =
        match_descriptors(matcher, queries, category.maps[static_cast<std::size_t>(target)],
                          {threads, active_instruction_set(), &workspace});
    auto next = matches.begin();
    for (int source = 0; source < pictures; ++source) {
      if (source == target) continue;
      for (int k = 0; k < keypoints; ++k, ++next) {
        answers[static_cast<std::size_t>((source * pictures + target) * keypoints + k)] =
            std::lround(next->cell.y) * side + std::lround(next->cell.x);
      }
    }
  }
  return answers;
}

Answers pair_by_pair(const std::vector<torch::Tensor>& maps,
                     const std::vector<torch::Tensor>& cells) {
  const c10::InferenceMode inference;
  Answers answers(cells.size() * keypoints);
  for (std::size_t source = 0; source < pictures; ++source) {
    for (std::size_t target = 0; target < pictures; ++target) {
      if (source == target) continue;
      const std::size_t pair = source * pictures + target;
      const auto found =
          at::matmul(maps[source].index_select(0, cells[pair]), maps[target].t()).argmax(1);
      std::copy_n(found.const_data_ptr<std::int64_t>(), keypoints,
                  answers.begin() + static_cast<std::ptrdiff_t>(pair * keypoints));
    }
  }
  return answers;
}

double seconds_of(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Medians of turns; the ratio is the median over the pairs of turns.
void compare(const char* what, int repeats, const std::function<void()>& ours,
             const std::function<void()>& theirs) {
  std::vector<double> own, other, ratios;
  for (int i = 0; i < repeats; ++i) {
    own.push_back(seconds_of(ours));
    other.push_back(seconds_of(theirs));
    ratios.push_back(other.back() / own.back());
  }
  std::printf("%s: ours %.2f ms, LibTorch %.2f ms, ratio %.1f\n", what, 1e3 * median(own),
              1e3 * median(other), median(ratios));
}

void compare_grouped(int dim, int threads, int repeats) {
  const Category category = make_category(dim);
  std::vector<torch::Tensor> maps, cells;
  for (const FeatureMap& map : category.maps) {
    maps.push_back(torch::from_blob(const_cast<float*>(map.values.data()), {side * side, dim}));
  }
  for (const auto& list : category.cells) cells.push_back(torch::tensor(list));
  KernelWorkspace workspace;
  if (grouped(category, Argmax{}, threads, workspace) != pair_by_pair(maps, cells)) {
    std::fprintf(stderr, "grouped matching: answers differ from LibTorch's\n");
    std::exit(1);
  }
  char title[120];
  std::snprintf(title, sizeof title, "D %d, %d threads: %d pairs of %d keypoints, 37x37, argmax",
                dim, threads, pictures * (pictures - 1), keypoints);
  compare(
      title, repeats, [&] { grouped(category, Argmax{}, threads, workspace); },
      [&] { pair_by_pair(maps, cells); });
}

void compare_full_resolution(int dim, int threads, int repeats) {
  const Category category = make_category(dim);
  const FeatureMap& target = category.maps[1];
  const FloatMatrix queries = category.maps[0].values.view().middleRows(400, 10);
  const auto map = torch::from_blob(const_cast<float*>(target.values.data()), {side, side, dim})
                       .permute({2, 0, 1})
                       .unsqueeze(0)
                       .contiguous();
  const auto asked = torch::from_blob(const_cast<float*>(queries.data()), {10, dim});
  std::vector<PixelPeak> peaks;
  torch::Tensor values, places;
  KernelWorkspace workspace;
  const auto ours = [&] {
    const auto norms =
        upsampled_norms(target, {pixels, pixels}, {threads, active_instruction_set(), &workspace});
    peaks = find_upsampled_peaks(queries, target, norms,
                                 {threads, active_instruction_set(), &workspace});
  };
  // The target's features at every pixel, normalised once; one product for all queries.
  const auto theirs = [&] {
    const c10::InferenceMode inference;
    const auto wide = at::upsample_bilinear2d(map, {pixels, pixels}, /*align_corners=*/false);
    const auto normal = wide / at::norm(wide, 2, {1}, true).clamp_min(1e-12);
    std::tie(values, places) = at::max(at::matmul(asked, normal[0].flatten(1)), 1);
  };
  ours();
  theirs();
  for (std::size_t q = 0; q < peaks.size(); ++q) {
    const auto place = places[static_cast<std::int64_t>(q)].item<std::int64_t>();
    const float value = values[static_cast<std::int64_t>(q)].item<float>();
    const bool near =
        std::abs(place / pixels - peaks[q].y) <= 1 && std::abs(place % pixels - peaks[q].x) <= 1;
    if (!near || std::abs(value - peaks[q].value) > 1e-5F) {
      std::fprintf(stderr, "full resolution: query %zu has another answer than LibTorch\n", q);
      std::exit(1);
    }
  }
  char title[120];
  std::snprintf(title, sizeof title, "D %d, %d threads: 10 keypoints at 518x518 pixels", dim,
                threads);
  compare(title, repeats, ours, theirs);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Whole categories and full resolution, next to LibTorch");
  int threads = 1, repeats = 9;
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--repeats", repeats)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);
  for (const int dim : {384, 768}) compare_grouped(dim, threads, repeats);
  for (const int dim : {384, 768}) compare_full_resolution(dim, threads, std::min(repeats, 5));
  return 0;
}
