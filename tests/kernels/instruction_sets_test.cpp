// SPDX-License-Identifier: Apache-2.0
// Every instruction set of this machine against plain loops, and each other.
#include "homolog/core/instruction_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "homolog/kernels/attention.hpp"
#include "homolog/kernels/bfloat16_scan.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/mutual_peaks.hpp"
#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/kernels/upsampled_peak.hpp"
#include "kernels/supported_sets.hpp"
#include "support/random_features.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// Rows of floats that start `offset` floats behind a cache line, with guards around them.
struct Rows {
  Rows(std::size_t rows, std::size_t dim, std::size_t offset) : memory(rows * dim + offset + 64) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::size_t to_line = (64 - address % 64) % 64 / sizeof(float);
    values = memory.data() + to_line + offset;
    count = rows * dim;
  }
  float* begin() { return values; }
  float* end() { return values + count; }
  std::vector<float> memory;
  float* values = nullptr;
  std::size_t count = 0;
};

/// Values that numerical code trips over, among ordinary ones.
void fill(Rows& rows, std::mt19937& random, int trouble) {
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> percent(0, 99);
  const float special[] = {0.0F, -0.0F, not_a_number, infinity, -infinity, 1e-41F, -1e-45F, 3e38F};
  for (float& value : rows) {
    value = percent(random) < trouble ? special[static_cast<std::size_t>(percent(random)) % 8]
                                      : normal(random);
  }
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("names, and the set in use is one that is supported") {
  CHECK(instruction_set_name(InstructionSet::avx512_bf16) == "avx512_bf16");
  CHECK(is_supported(InstructionSet::portable));
  CHECK(is_supported(active_instruction_set()));
  std::string names;
  for (const auto set : supported_sets()) names.append(" ").append(instruction_set_name(set));
  MESSAGE("this machine has", names);
}

TEST_CASE("a set includes its own kind's smaller ones, and none of another processor") {
  using enum InstructionSet;
  for (const auto set : all_instruction_sets) CHECK(includes(set, portable));
  CHECK(includes(avx512_bf16, avx512));
  CHECK(includes(avx512, avx2));
  CHECK_FALSE(includes(avx2, avx512));
  for (const auto x86 : {avx2, avx512, avx512_bf16}) {
    CHECK_FALSE(includes(neon, x86));
    CHECK_FALSE(includes(x86, neon));
    CHECK_FALSE((is_supported(x86) && is_supported(neon)));
  }
}

TEST_CASE("the environment may name a set of this machine, and nothing else") {
  CHECK(detail::chosen_instruction_set(nullptr) == supported_sets().back());
  for (const auto set : all_instruction_sets) {
    const std::string name(instruction_set_name(set));
    if (is_supported(set)) {
      CHECK(detail::chosen_instruction_set(name.c_str()) == set);
    } else {
      CHECK_THROWS_WITH_AS(
          detail::chosen_instruction_set(name.c_str()),
          ("HOMOLOG_INSTRUCTION_SET is " + name + ", which this machine does not have").c_str(),
          SettingError);
    }
  }
  for (const char* unknown : {"", "NEON", "sse"}) {
    CHECK_THROWS_WITH_AS(
        detail::chosen_instruction_set(unknown),
        doctest::Contains("expected one of portable, avx2, avx512, avx512_bf16, neon"),
        SettingError);
  }
}

TEST_CASE("a set that this machine does not have is refused by name, wherever one can be given") {
  FeatureMap target(2, 2, 16);
  target.values.fill(1);
  FloatMatrix out;
  const auto queries = target.descriptors();
  const auto norms = upsampled_norms(target, {4, 4});
  std::vector<float> tokens(16, 1);
  AttentionWorkspace workspace;
  const AttentionInputs<float> in{tokens.data(), tokens.data(), tokens.data(), 16, 1, 1, 16};
  int refused = 0;
  for (const auto set : all_instruction_sets) {
    if (is_supported(set)) continue;
    ++refused;
    const std::string name(instruction_set_name(set));
    const std::string sentence = "instruction set " + name + ": this machine does not have it";
    const auto text = sentence.c_str();
    const Execution setting{1, set};
    CHECK_THROWS_WITH_AS(similarity_rows(queries, target, out, setting), text, SettingError);
    CHECK_THROWS_WITH_AS(find_peaks(queries, target, setting), text, SettingError);
    CHECK_THROWS_WITH_AS(find_mutual_peaks(queries, target, setting), text, SettingError);
    CHECK_THROWS_WITH_AS(upsampled_norms(target, {4, 4}, setting), text, SettingError);
    CHECK_THROWS_WITH_AS(find_upsampled_peaks(queries, target, norms, setting), text, SettingError);
    CHECK_THROWS_WITH_AS(to_bfloat16(target, set), text, SettingError);
    CHECK_THROWS_WITH_AS(attend(in, 1.0F, tokens.data(), 16, setting, workspace), text,
                         SettingError);
  }
  CHECK(refused > 0);  // no machine has x86's and ARM's
}

TEST_CASE("dot products of every set are those of plain loops") {
  std::mt19937 random(1);
  const auto draw = [&](std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random);
  };
  for (int round = 0; round < 600; ++round) {
    const std::size_t dim = round % 3 == 0 ? draw(1, 20) : round % 3 == 1 ? draw(1, 200) : 384;
    const std::size_t queries = draw(1, 21), cells = draw(1, 40), stride = cells + draw(0, 3);
    Rows q(queries, detail::padded_dim(dim), 0), c(cells, dim, draw(0, 15));
    const int trouble = round % 4 == 0 ? 3 : 0;
    fill(q, random, trouble);
    fill(c, random, trouble);
    if (round % 5 == 0) std::copy(c.begin(), c.begin() + dim, q.begin());  // equal, and ties
    if (round % 7 == 0) std::fill(c.begin(), c.begin() + dim, 0.0F);
    const std::size_t first = draw(0, cells - 1), last = draw(first, cells);
    CAPTURE(dim);
    CAPTURE(queries);
    CAPTURE(cells);
    CAPTURE(first);
    CAPTURE(last);

    AlignedFloats scratch;
    std::vector<std::vector<float>> answers;
    for (const auto set : supported_sets()) {
      std::vector<float> out(queries * stride, 7);
      const detail::DotInputs in{q.values,   queries, detail::padded_dim(dim), c.values, dim,
                                 out.data(), stride};
      detail::dot_products(in, first, last, scratch.room(6 * detail::padded_dim(dim)), set);
      answers.push_back(out);
    }
    bool close = true, untouched = true;
    for (std::size_t i = 0; i < queries; ++i) {
      for (std::size_t k = 0; k < stride; ++k) {
        const float expected = answers[0][i * stride + k];
        if (k < first || k >= last) untouched = untouched && expected == 7.0F;
        double size = 0;
        for (std::size_t d = 0; d < dim && k < cells; ++d) {
          size += std::abs(static_cast<double>(q.values[i * detail::padded_dim(dim) + d]) *
                           static_cast<double>(c.values[k * dim + d]));
        }
        for (const auto& answer : answers) {
          const float value = answer[i * stride + k];
          const bool near = std::abs(static_cast<double>(value) - static_cast<double>(expected)) <=
                            2e-6 * size + 1e-38;
          // Where a sum overflows on the way, one order of rounding may end there and another not.
          close = close && (value == expected || near || size > 1e38);
        }
      }
    }
    CHECK(close);
    CHECK(untouched);
    for (std::size_t s = 2; s < answers.size(); ++s) {
      CHECK(same_bits(answers[s], answers[1]));  // all with fused multiply-add
    }
  }
}

TEST_CASE("similarities have the same bits for any number of threads, alone or in company") {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (const auto set : supported_sets()) {
    for (const int count : {1, 5, 9, 150}) {
      FeatureMap target(19, 23, 50);
      for (float& value : target.values) value = normal(random);
      target.content = count == 5 ? CellRange{2, 3, 20, 17} : target.content;
      FloatMatrix queries(count, 50), expected, out, alone;
      for (float& value : queries) value = normal(random);
      const MatrixView view(queries.data(), count, 50);
      similarity_rows(view, target, expected, {1, set});
      for (const int threads : {2, 3, 8}) {
        for (int repeat = 0; repeat < 5; ++repeat) {
          similarity_rows(view, target, out, {threads, set});
          CHECK(out == expected);
        }
      }
      for (const int q : {0, count - 1}) {
        similarity_rows(MatrixView(queries.row(q).data(), 1, 50), target, alone, {2, set});
        CHECK(alone == expected.row(q));
      }
    }
  }
}

TEST_CASE("a workspace is reused, and any workspace gives the same") {
  FeatureMap target(4, 5, 20);
  target.values.view().setRandom();
  FloatMatrix queries(9, 20), first, second;
  queries.view().setRandom();
  KernelWorkspace workspace;
  const MatrixView view(queries.data(), 9, 20);
  Execution execution;
  execution.workspace = &workspace;
  similarity_rows(view, target, first, execution);
  const float* const memory = workspace.room(1)->queries.room(1);
  similarity_rows(view, target, second, execution);
  CHECK(first == second);
  CHECK(workspace.room(1)->queries.room(1) == memory);
  CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
}

TEST_CASE("the largest finite value and its first place") {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> small(-3, 3), percent(0, 99);
  for (int round = 0; round < 400; ++round) {
    const auto count = static_cast<std::size_t>(round < 150 ? round : 10 * round);
    std::vector<float> values(count);
    const int trouble = round % 3 == 0 ? 60 : round % 3 == 1 ? 100 : 0;
    for (float& value : values) {
      const float special[] = {not_a_number, infinity, -infinity};
      value = percent(random) < trouble ? special[percent(random) % 3]
                                        : static_cast<float>(small(random));  // many ties
    }
    const float largest = detail::portable::largest_finite(values.data(), count);
    const auto place = detail::portable::first_equal(values.data(), count, largest);
    for (const auto set : supported_sets()) {
      CHECK(detail::largest_finite(values.data(), count, set) == largest);
      CHECK(detail::first_equal(values.data(), count, largest, set) == place);
    }
  }
}

TEST_CASE("expected positions of every set are those of plain loops") {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 0.3F);
  std::uniform_int_distribution<int> percent(0, 99);
  for (int round = 0; round < 200; ++round) {
    const auto rows = static_cast<std::size_t>(1 + round % 40);
    const auto cols = static_cast<std::size_t>(1 + (round * 7) % 61);
    std::vector<float> values(rows * cols);
    for (float& value : values) {
      value = std::clamp(normal(random), -1.0F, 1.0F);
      if (round % 3 == 0 && percent(random) < 20)
        value = percent(random) < 50 ? -infinity : not_a_number;
    }
    values[static_cast<std::size_t>(round) % values.size()] = 1;
    for (const float temperature : {0.01F, 1.0F, 50.0F, 1e4F}) {
      const auto expected =
          detail::portable::softmax_moments(values.data(), rows, cols, 1, temperature);
      for (const auto set : supported_sets()) {
        const auto found = detail::softmax_moments(values.data(), rows, cols, 1, temperature, set);
        CHECK(found.total == doctest::Approx(expected.total).epsilon(2e-6));
        CHECK(std::abs(found.x / found.total - expected.x / expected.total) < 2e-4);
        CHECK(std::abs(found.y / found.total - expected.y / expected.total) < 2e-4);
      }
    }
  }
}

TEST_CASE("the exponential of the soft matchers") {
  for (const auto set : supported_sets()) {
    double worst = 0;
    for (float x = 0; x > -86.9F; x -= 0.0137F) {
      // One cell: its weight is exp(temperature * (value - maximum)).
      const double found =
          detail::softmax_moments(&x, 1, 1, 0, 1, set).total / std::exp(static_cast<double>(x));
      worst = std::max(worst, std::abs(found - 1));
    }
    CHECK(worst < 3e-7);
    const float far = -200;
    CHECK(detail::softmax_moments(&far, 1, 1, 0, 1, set).total < 1e-37);
  }
}

TEST_CASE("the process's instruction set can be set, and calls that name none use it") {
  const InstructionSet before = active_instruction_set();
  for (const InstructionSet set : all_instruction_sets) {
    if (is_supported(set)) {
      set_active_instruction_set(set);
      CHECK(active_instruction_set() == set);
      CHECK(Execution{}.instructions == set);
    } else {
      CHECK_THROWS_AS(set_active_instruction_set(set), SettingError);
    }
  }
  set_active_instruction_set(before);
}
