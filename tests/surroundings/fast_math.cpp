// SPDX-License-Identifier: Apache-2.0
// What -ffast-math takes from a program that relies on NaN, infinity and the order of sums.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <homolog/kernels/mutual_peaks.hpp>
#include <homolog/kernels/sample.hpp>
#include <homolog/matchers/argmax.hpp>
#include <homolog/matchers/soft_argmax.hpp>
#include <homolog/matchers/window_soft_argmax.hpp>
#include <limits>

namespace {

int wrong = 0;

void expect(bool right, const char* sentence) {
  if (right) return;
  std::printf("not so: %s\n", sentence);
  ++wrong;
}

// Made of their bits, which no option changes.
float of_bits(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

int main() {
  const float infinity = of_bits(0x7f800000U), not_a_number = of_bits(0x7fc00000U);
  homolog::FeatureMap map(20, 30, 40);
  unsigned state = 1;
  for (float* value = map.values.data(); value != map.values.data() + map.values.size(); ++value) {
    state = state * 1664525U + 1013904223U;
    *value = static_cast<float>(state >> 8) * 0x1p-24F - 0.5F;
  }
  homolog::normalize_rows(map.values);

  const auto refuses = [&](double x) {
    try {
      homolog::sample_descriptors(map, {{x, 3}}, homolog::Query::nearest);
      return false;
    } catch (const homolog::PointError&) {
      return true;
    }
  };
  expect(refuses(static_cast<double>(not_a_number)), "a keypoint that is NaN is refused");
  expect(refuses(static_cast<double>(infinity)), "a keypoint at infinity is refused");
  expect(!refuses(4), "a keypoint inside is taken");

  homolog::FeatureMap spoilt = map;
  spoilt.content = {2, 1, 28, 18};
  spoilt.values(7 * 30 + 9, 5) = not_a_number;
  spoilt.values(8 * 30 + 9, 5) = infinity;
  homolog::normalize_rows(spoilt.values);
  homolog::FloatMatrix similarity;
  for (const auto set : {homolog::InstructionSet::portable, homolog::active_instruction_set()}) {
    homolog::similarity_rows(map.descriptors(), spoilt, similarity, {1, set});
    expect(!std::signbit(similarity(40, 40)), "a cell is like itself");
    const auto bits_at = [&](int cell) {
      unsigned bits;
      std::memcpy(&bits, &similarity(40, cell), sizeof bits);
      return bits;
    };
    expect(bits_at(0) == 0xff800000U, "padding has similarity -infinity");
    expect(bits_at(7 * 30 + 9) == 0xff800000U, "a feature with NaN has similarity -infinity");
    expect(bits_at(8 * 30 + 9) == 0xff800000U, "a feature with infinity has similarity -infinity");
  }
  const homolog::SimilarityMap padded(similarity.data() + 40 * 600, 20, 30);
  expect(homolog::find_peak(padded).cell() == homolog::Point<homolog::GridFrame>{10, 1},
         "the peak lies in the content");

  // An expectation by hand, whose exponentials are summed in float64.
  double total = 0, x = 0, y = 0;
  for (int cell = 0; cell < 600; ++cell) {
    const int row = cell / 30, col = cell % 30;
    const bool finite =
        spoilt.content.contains(col, row) && cell != 7 * 30 + 9 && cell != 8 * 30 + 9;
    if (!finite) continue;
    const double weight = std::exp(5.0 * (static_cast<double>(padded(row, col)) - 1));
    total += weight;
    x += weight * col;
    y += weight * row;
  }
  homolog::SoftArgmax soft;
  soft.setting.temperature = 5;
  const auto answer = soft(padded).cell;
  expect(std::abs(answer.x - x / total) < 1e-4 && std::abs(answer.y - y / total) < 1e-4,
         "soft-argmax is the expectation of the softmax");
  std::printf("%d sentences are wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
