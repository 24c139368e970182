// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The laws of matchers.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/core/points.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/testing/detail/law_maps.hpp"
#include "homolog/testing/laws.hpp"

namespace homolog::inline v0_1::testing {

namespace detail {

/// Laws of every matcher, on feature maps.
template <class M>
// NOLINTNEXTLINE(readability-function-size): a list of laws, one behind the other
void add_feature_laws(std::vector<Law>& laws, const M& matcher) {
  add_law(laws, "self-match is identity", [&]() -> std::string {
    for (unsigned seed = 0; seed < 5; ++seed) {
      const FeatureMap map = random_features(9, 12, 96, seed);
      const Points<GridFrame> cells = inner_cells(map, 0);
      const std::vector<Match> matches = match_cells(matcher, map, map, cells);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (!(largest_step(matches[i].cell, cells[i]) < 0.5)) {
          return text("query ", point_text(cells[i]), " was answered with ",
                      point_text(matches[i].cell));
        }
        // The score is below 1 when the answer lies between cells.
        if (needs_features<M>() && !(matches[i].score > 0.9F)) {
          return text("query ", point_text(cells[i]), " has a score of ", matches[i].score,
                      ", expected the cosine, 1");
        }
      }
    }
    return {};
  });
  if (needs_features<M>()) {
    add_law(laws, "moving the target moves the answer", [&]() -> std::string {
      for (unsigned seed = 0; seed < 5; ++seed) {
        const FeatureMap source = random_features(7, 8, 96, seed);
        FeatureMap target = random_features(15, 18, 96, seed + 100);
        constexpr int right = 6, down = 5;
        for (int y = 0; y < source.rows; ++y) {
          for (int x = 0; x < source.cols; ++x) {
            std::copy_n(source.values.data() + (y * source.cols + x) * 96, 96,
                        target.values.data() + ((y + down) * target.cols + x + right) * 96);
          }
        }
        const Points<GridFrame> cells = inner_cells(source, 0);
        const std::vector<Match> matches = match_cells(matcher, source, target, cells);
        for (std::size_t i = 0; i < cells.size(); ++i) {
          const Point<GridFrame> expected{cells[i].x + right, cells[i].y + down};
          if (!(largest_step(matches[i].cell, expected) < 0.5)) {
            return text("a thing moved to ", point_text(expected), " was found at ",
                        point_text(matches[i].cell));
          }
        }
      }
      return {};
    });
  }
  add_law(laws, "an answer lies inside the target's content", [&]() -> std::string {
    const FeatureMap source = random_features(6, 7, 16, 1);
    FeatureMap target = random_features(12, 10, 16, 2);
    target.content = {2, 3, 9, 8};
    for (const Match& match : match_cells(matcher, source, target, inner_cells(source, 0))) {
      if (!(distance_to_box(match.cell, 1.5, 2.5, 8.5, 7.5) <= 0)) {
        return text(point_text(match.cell), " for content of columns 2 to 8 and rows 3 to 7");
      }
    }
    return {};
  });
  add_law(laws, "a score is a similarity, finite and within [-1, 1]", [&]() -> std::string {
    const FeatureMap source = random_features(6, 7, 16, 3), target = random_features(8, 9, 16, 4);
    for (const Match& match : match_cells(matcher, source, target, inner_cells(source, 0))) {
      if (!(std::abs(match.score) <= 1.0001F)) return text("a score of ", match.score);
    }
    return {};
  });
  add_law(laws, "a batch is answered as one by one, on any number of threads",
          [&]() -> std::string {
            const FeatureMap source = random_features(8, 8, 40, 5),
                             target = random_features(11, 9, 40, 6);
            const Points<GridFrame> cells = inner_cells(source, 0);
            const std::vector<Match> together = match_cells(matcher, source, target, cells);
            const std::vector<Match> shared = match_cells(matcher, source, target, cells, 2);
            for (std::size_t i = 0; i < cells.size(); ++i) {
              const Match alone = match_cells(matcher, source, target, {cells[i]}).front();
              for (const Match& other : {together[i], shared[i]}) {
                // Parts of a map may be counted from their own corner: 1e-9 covers that rounding.
                if (!(largest_step(alone.cell, other.cell) < 1e-9) || alone.score != other.score ||
                    alone.mutual != other.mutual) {
                  return text("query ", i, " has ", point_text(alone.cell), " alone and ",
                              point_text(other.cell), " among ", cells.size());
                }
              }
            }
            return {};
          });
  add_law(laws, "the same question gets the same answer", [&]() -> std::string {
    const FeatureMap source = random_features(8, 8, 40, 7), target = random_features(11, 9, 40, 8);
    const Points<GridFrame> cells = inner_cells(source, 0);
    const std::vector<Match> first = match_cells(matcher, source, target, cells);
    const FeatureMap elsewhere = target;  // the same values at other addresses
    const std::vector<Match> second = match_cells(matcher, source, elsewhere, cells);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!same(first[i], second[i])) {
        return text("query ", i, ": ", point_text(first[i].cell), ", then ",
                    point_text(second[i].cell));
      }
    }
    return {};
  });
}

/// Laws of matchers that read one similarity map.
template <class M>
// NOLINTNEXTLINE(readability-function-size): a list of laws, one behind the other
void add_map_laws(std::vector<Law>& laws, const M& matcher) {
  add_law(laws, "an answer lies inside the map, whatever its shape", [&]() -> std::string {
    for (const auto& [rows, cols] : {std::pair(1, 1), {1, 9}, {9, 1}, {12, 7}, {16, 37}}) {
      for (unsigned seed = 0; seed < 10; ++seed) {
        const FloatMatrix map = random_matrix(rows, cols, seed, -1, 1);
        const Match match = match_map(matcher, view(map));
        if (!(distance_to_box(match.cell, 0, 0, cols - 1, rows - 1) <= 1e-4)) {
          return text(point_text(match.cell), " on a map of ", rows, "x", cols);
        }
      }
    }
    return {};
  });
  add_law(laws, "a lone peak is the answer", [&]() -> std::string {
    for (const Point<GridFrame> peak : {Point<GridFrame>{0, 0}, {6, 3}, {10, 7}, {10, 0}}) {
      FloatMatrix map = random_matrix(8, 11, 0, -1, -1);
      map(static_cast<Eigen::Index>(peak.y), static_cast<Eigen::Index>(peak.x)) = 1;
      const Match match = match_map(matcher, view(map));
      if (!(largest_step(match.cell, peak) < 0.5)) {
        return text("a peak at ", point_text(peak), " was answered with ", point_text(match.cell));
      }
    }
    return {};
  });
  add_law(laws, "moving the map moves the answer", [&]() -> std::string {
    for (const float background : {-1.0F, padding}) {
      for (unsigned seed = 0; seed < 10; ++seed) {
        const Match here = match_map(matcher, view(patch_at(4, 5, seed, background)));
        const Match there = match_map(matcher, view(patch_at(12, 20, seed, background)));
        const Point<GridFrame> expected{here.cell.x + 15, here.cell.y + 8};
        // A background with weight in the softmax pulls the answer slightly towards the middle of
        // the map.
        if (!(largest_step(there.cell, expected) < (background == padding ? 1e-3 : 0.5))) {
          return text("by (15, 8), on a background of ", background, ", from ",
                      point_text(here.cell), " to ", point_text(there.cell));
        }
      }
    }
    return {};
  });
  add_law(laws, "a map turned by half a turn turns the answer", [&]() -> std::string {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const FloatMatrix map = random_matrix(14, 19, seed, -1, 1);
      FloatMatrix turned = map;
      std::reverse(turned.data(), turned.data() + turned.size());
      const Match match = match_map(matcher, view(map)), other = match_map(matcher, view(turned));
      if (!(largest_step(match.cell, {18 - other.cell.x, 13 - other.cell.y}) < 1e-4)) {
        return text("on a map of 14x19 from ", point_text(match.cell), " to ",
                    point_text(other.cell));
      }
    }
    return {};
  });
  add_law(laws, "padding is never the answer", [&]() -> std::string {
    for (unsigned seed = 0; seed < 10; ++seed) {
      const Match match = match_map(matcher, view(patch_at(7, 9, seed, padding)));
      if (!(distance_to_box(match.cell, 9, 7, 13, 10) <= 1e-4)) {
        return text(point_text(match.cell), " where columns 9 to 13 of rows 7 to 10 are finite");
      }
    }
    return {};
  });
  add_law(laws, "of equal peaks the first counts, or what lies between them", [&]() -> std::string {
    FloatMatrix map = random_matrix(16, 24, 0, -1, -1);
    map(3, 17) = map(12, 4) = 1;
    const Match match = match_map(matcher, view(map));
    std::optional<int> reach;
    if constexpr (LocalMatcher<M>) reach = matcher.reach();
    if (reach && !(largest_step(match.cell, {17, 3}) <= *reach + 1e-4)) {
      return text(point_text(match.cell), ", more than reach() = ", *reach,
                  " from the first peak, (17, 3)");
    }
    if (largest_step(match.cell, {4, 12}) < 0.5) {
      return text(point_text(match.cell), ", the second of peaks at (17, 3) and (4, 12)");
    }
    if (!(distance_to_box(match.cell, 3.5, 2.5, 17.5, 12.5) <= 0)) {
      return text(point_text(match.cell), " for peaks at (17, 3) and (4, 12)");
    }
    return {};
  });
}

/// Laws of matchers that say how far from the peak they look.
template <class M>
void add_reach_laws(std::vector<Law>& laws, const M& matcher) {
  add_law(laws, "no cell beyond reach() changes an answer", [&]() -> std::string {
    const std::optional<int> said = matcher.reach();
    if (!said || *said < 0) return {};
    const int reach = *said;
    for (unsigned seed = 0; seed < 20; ++seed) {
      const FloatMatrix map = random_matrix(14, 19, seed, -1, 1);
      const Peak peak = find_peak(view(map));
      const int row = static_cast<int>(peak.row), col = static_cast<int>(peak.col);
      const int y1 = (std::max)(row - reach, 0), y2 = (std::min)(row + reach + 1, 14);
      const int x1 = (std::max)(col - reach, 0), x2 = (std::min)(col + reach + 1, 19);
      FloatMatrix other = random_matrix(14, 19, seed + 50, -1, peak.value - 0.1F);
      FloatMatrix part(y2 - y1, x2 - x1);
      for (int y = y1; y < y2; ++y) {
        for (int x = x1; x < x2; ++x) other(y, x) = part(y - y1, x - x1) = map(y, x);
      }
      const Match whole = match_map(matcher, view(map)), changed = match_map(matcher, view(other));
      if (!same(whole, changed)) {
        return text("with other values beyond ", reach, " cells: ", point_text(whole.cell), ", ",
                    point_text(changed.cell));
      }
      const Match alone = match_map(matcher, view(part));
      const Point<GridFrame> moved{alone.cell.x + x1, alone.cell.y + y1};
      if (!(largest_step(moved, whole.cell) < 1e-6) || alone.score != whole.score) {
        return text("the part within ", reach, " cells alone: ", point_text(moved),
                    ", the map: ", point_text(whole.cell));
      }
    }
    return {};
  });
}

/// The law of matchers with a window: the answer lies inside it.
template <class M>
void add_window_laws(std::vector<Law>& laws, const M& matcher) {
  add_law(laws, "an answer lies inside the window", [&]() -> std::string {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const FloatMatrix map = random_matrix(14, 19, seed, -1, 1);
      const Match match = match_map(matcher, view(map));
      const Point<GridFrame> peak = find_peak(view(map)).cell();
      if (!(largest_step(match.cell, peak) <= matcher.setting.window_radius + 1e-4)) {
        return text(point_text(match.cell), " for a peak at ", point_text(peak),
                    " and a radius of ", matcher.setting.window_radius);
      }
    }
    return {};
  });
}

/// Laws of soft matchers about their temperature, which multiplies the cosine.
template <class M>
void add_temperature_laws(std::vector<Law>& laws, const M& matcher) {
  using Temperature = std::remove_cvref_t<decltype(matcher.setting.temperature)>;
  add_law(laws, "a growing temperature tends to the argmax", [&]() -> std::string {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const FloatMatrix map = random_matrix(12, 9, seed, -1, 1);
      const Point<GridFrame> peak = find_peak(view(map)).cell();
      M hard = matcher;
      hard.setting.temperature = static_cast<Temperature>(1e6);
      const Match match = match_map(hard, view(map));
      if (!(largest_step(match.cell, peak) < 1e-2)) {
        return text("at 1e6 ", point_text(match.cell), ", the peak is ", point_text(peak));
      }
    }
    return {};
  });
  add_law(laws, "a factor on similarities is one on the temperature", [&]() -> std::string {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const FloatMatrix map = random_matrix(12, 9, seed, -1, 1);
      FloatMatrix half = map;
      for (Eigen::Index i = 0; i < half.size(); ++i) half.data()[i] *= 0.5F;
      M twice = matcher;
      twice.setting.temperature *= 2;
      const Match match = match_map(matcher, view(map)), scaled = match_map(twice, view(half));
      if (!(largest_step(match.cell, scaled.cell) < 1e-3)) {
        return text("half the similarities at twice the temperature: ", point_text(scaled.cell),
                    ", before ", point_text(match.cell));
      }
    }
    return {};
  });
}

}  // namespace detail

/// Checks a matcher against the laws that every matcher keeps, and those that its optional members
/// promise: self-match, translation, padding, ties, batches, threads, determinism; `reach()`,
/// `setting.window_radius`, `setting.temperature`.
///
/// It uses synthetic maps, no pictures, and takes about a tenth of a second. A softmax that is so
/// flat that a single peak of 1 among cells of -1 does not win violates the laws.
///
/// @param matcher any Matcher policy, with its setting
/// @return every law, see Law::broken; throws nothing of its own
template <class M>
std::vector<Law> check_matcher_laws(const M& matcher) {
  require_matcher<M>();
  std::vector<Law> laws;
  if constexpr (Matcher<M>) detail::add_feature_laws(laws, matcher);
  if constexpr (MapMatcher<M> || TensorMatcher<M>) {
    detail::add_map_laws(laws, matcher);
    if constexpr (LocalMatcher<M>) detail::add_reach_laws(laws, matcher);
    if constexpr (requires { matcher.setting.window_radius; }) {
      detail::add_window_laws(laws, matcher);
    }
    if constexpr (requires(M changed) { changed.setting.temperature *= 2; }) {
      detail::add_temperature_laws(laws, matcher);
    }
  }
  return laws;
}

}  // namespace homolog::inline v0_1::testing
