// SPDX-License-Identifier: Apache-2.0
// A user's own policies, held to the laws that homolog installs.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <homolog/metrics/pck.hpp>
#include <homolog/testing/doctest.hpp>
#include <span>
#include <utility>
#include <vector>

// The peak, moved by the parabola through its neighbours.
struct ParabolaPeak {
  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    const homolog::Peak peak = homolog::find_peak(map);
    const auto shift = [&](Eigen::Index rows, Eigen::Index cols) {
      const Eigen::Index y1 = peak.row - rows, x1 = peak.col - cols;
      const Eigen::Index y2 = peak.row + rows, x2 = peak.col + cols;
      if (y1 < 0 || x1 < 0 || y2 >= map.rows() || x2 >= map.cols()) return 0.0;
      const double a = double(map(y1, x1)), b = double(peak.value), c = double(map(y2, x2));
      const double bend = a - 2 * b + c;
      return bend < 0 && bend > -1e9 ? 0.5 * (a - c) / bend : 0.0;
    };
    return {{double(peak.col) + shift(0, 1), double(peak.row) + shift(1, 0)}, peak.value};
  }
};

struct MeanColour {
  int patch_size() const { return 8; }
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch& batch) const {
    std::vector<homolog::FeatureMap> maps;
    const int width = batch.size.width, height = batch.size.height;
    for (int i = 0; i < batch.batch; ++i) {
      homolog::FeatureMap map(height / 8, width / 8, 3 * 64);
      for (int channel = 0; channel < 3; ++channel) {
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) {
            map.cell(y / 8, x / 8)[(channel * 8 + y % 8) * 8 + x % 8] =
                batch.picture(i)[(channel * height + y) * width + x];
          }
        }
      }
      maps.push_back(std::move(map));
    }
    return maps;
  }
};

struct WorstPair {
  double operator()(std::span<const homolog::PairErrors> pairs, double alpha) const {
    if (pairs.empty()) throw homolog::ValueError("no pair");
    double worst = 1;
    for (const auto& pair : pairs) {
      double right = 0;
      for (const double distance : pair.distances) {
        right += homolog::is_correct(distance, alpha, pair.threshold_scale) ? 1 : 0;
      }
      worst = std::min(worst, right / double(pair.distances.size()));
    }
    return worst;
  }
};

HOMOLOG_TEST_MATCHER(ParabolaPeak);
HOMOLOG_TEST_BACKBONE(MeanColour);
HOMOLOG_TEST_METRIC(WorstPair);
