// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/attention.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "homolog/kernels/bfloat16_scan.hpp"
#include "kernels/supported_sets.hpp"
#include "support/skip.hpp"

using namespace homolog;
using homolog::test::supported_sets;

namespace {

float to_float(float value) { return value; }
float to_float(std::uint16_t bits) { return detail::from_bfloat16(bits); }
void from_float(float value, float& out) { out = value; }
void from_float(float value, std::uint16_t& out) {  // cut off: any bfloat16 will do
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  out = static_cast<std::uint16_t>(bits >> 16);
}

/// One matrix of queries, keys and values with room between tokens.
template <class Value>
struct Problem {
  Problem(std::size_t tokens, std::size_t heads, std::size_t dim, std::mt19937& random)
      : values((tokens + 1) * (3 * heads * dim + 5)) {
    std::normal_distribution<float> normal;
    for (Value& value : values) from_float(normal(random), value);
    in = {values.data() + 1,
          values.data() + 1 + heads * dim,
          values.data() + 1 + 2 * heads * dim,
          3 * heads * dim + 5,
          tokens,
          heads,
          dim};
  }
  std::vector<Value> values;
  AttentionInputs<Value> in;
};

/// softmax(scale Q K^T) V in float64.
template <class Value>
std::vector<double> expected(const AttentionInputs<Value>& in, double scale) {
  std::vector<double> out(in.tokens * in.heads * in.dim);
  const auto at = [&](const Value* rows, std::size_t token, std::size_t head, std::size_t d) {
    return static_cast<double>(to_float(rows[token * in.stride + head * in.dim + d]));
  };
  for (std::size_t head = 0; head < in.heads; ++head) {
    for (std::size_t q = 0; q < in.tokens; ++q) {
      std::vector<double> scores(in.tokens);
      for (std::size_t k = 0; k < in.tokens; ++k) {
        for (std::size_t d = 0; d < in.dim; ++d) {
          scores[k] += at(in.queries, q, head, d) * at(in.keys, k, head, d);
        }
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      double total = 0;
      for (double& score : scores) total += score = std::exp(scale * (score - largest));
      for (std::size_t k = 0; k < in.tokens; ++k) {
        for (std::size_t d = 0; d < in.dim; ++d) {
          out[(q * in.heads + head) * in.dim + d] += scores[k] / total * at(in.values, k, head, d);
        }
      }
    }
  }
  return out;
}

template <class Value>
double largest_difference(const std::vector<Value>& got, const std::vector<double>& wanted) {
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(to_float(got[i])) - wanted[i]);
    largest = difference <= largest ? largest : difference;  // NaN counts
  }
  return largest;
}

template <class Value>
void check_random_problems(double tolerance) {
  std::mt19937 random(7);
  const auto draw = [&](std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random);
  };
  AttentionWorkspace workspace;  // one for all, so that what another left behind would show
  for (int repeat = 0; repeat < 40; ++repeat) {
    // Around the edges of panels and blocks too.
    const std::size_t edges[] = {1, 2, 7, 8, 9, 23, 24, 25, 47, 48, 49, 95, 96, 97, 193};
    const std::size_t tokens = repeat < 15 ? edges[repeat] : draw(1, 230);
    const std::size_t dim = repeat % 3 == 0 ? 64 : 16 * draw(1, 9), heads = draw(1, 3);
    const Problem<Value> problem(tokens, heads, dim, random);
    const float scale = 1 / std::sqrt(static_cast<float>(dim));
    const auto wanted = expected(problem.in, static_cast<double>(scale));
    CAPTURE(tokens);
    CAPTURE(dim);
    for (const InstructionSet set : supported_sets()) {
      if (!attends<Value>(set)) continue;
      CAPTURE(instruction_set_name(set));
      std::vector<Value> one(wanted.size()), four(wanted.size());
      attend(problem.in, scale, one.data(), heads * dim, {1, set}, workspace);
      CHECK(largest_difference(one, wanted) < tolerance);
      attend(problem.in, scale, four.data(), heads * dim, {4, set}, workspace);
      CHECK(std::memcmp(one.data(), four.data(), one.size() * sizeof(Value)) == 0);
    }
  }
}

}  // namespace

TEST_CASE("attention in float32 is softmax(scale Q K^T) V, whatever the sizes and threads") {
  check_random_problems<float>(3e-6);
}

TEST_CASE("attention in bfloat16 differs by what rounding weights and answers takes") {
  if (!is_supported(InstructionSet::avx512_bf16)) {
    return homolog::test::skip("no bfloat16 instructions here");
  }
  check_random_problems<std::uint16_t>(2e-2);
}

TEST_CASE("scores that would overflow an exponential") {
  std::mt19937 random(3);
  Problem<float> problem(60, 1, 16, random);
  for (float& value : problem.values) value *= 40;
  const auto wanted = expected(problem.in, 1.0);
  AttentionWorkspace workspace;
  for (const InstructionSet set : supported_sets()) {
    std::vector<float> out(wanted.size());
    attend(problem.in, 1.0F, out.data(), 16, {1, set}, workspace);
    CHECK(largest_difference(out, wanted) < 0.05);  // of values around 100, one weight near 1
  }
}

TEST_CASE("a NaN among the values reaches every answer of its head and no other head") {
  std::mt19937 random(4);
  Problem<float> problem(70, 2, 16, random);
  const_cast<float*>(problem.in.values)[33 * problem.in.stride + 3] =
      std::numeric_limits<float>::quiet_NaN();
  AttentionWorkspace workspace;
  for (const InstructionSet set : supported_sets()) {
    std::vector<float> out(70 * 32);
    attend(problem.in, 0.25F, out.data(), 32, {1, set}, workspace);
    for (std::size_t t = 0; t < 70; ++t) {
      for (std::size_t d = 0; d < 32; ++d) CHECK(std::isnan(out[t * 32 + d]) == (d == 3));
    }
  }
}

TEST_CASE("what attention has no kernel for") {
  std::mt19937 random(5);
  const Problem<float> problem(4, 1, 24, random);
  AttentionWorkspace workspace;
  std::vector<float> out(4 * 24);
  CHECK_THROWS_WITH_AS(attend(problem.in, 1.0F, out.data(), 24, {}, workspace),
                       "attend: a head has 24 dimensions, expected a multiple of 16", ShapeError);
  const Problem<std::uint16_t> narrow(4, 1, 16, random);
  std::vector<std::uint16_t> bits(4 * 16);
  CHECK_THROWS_AS(attend(narrow.in, 1.0F, bits.data(), 16, {1, InstructionSet::avx512}, workspace),
                  SettingError);
}
