// SPDX-License-Identifier: Apache-2.0
#include "homolog/matchers/match_queries.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <optional>

#include "homolog/kernels/sample.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "matchers/maps.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE_TEMPLATE("every cell of a map, matched with the map itself, finds itself", M, Argmax,
                   SoftArgmax, WindowSoftArgmax, KernelSoftArgmax) {
  M matcher;
  if constexpr (requires { matcher.setting.temperature; }) matcher.setting.temperature = 2000;
  for (const bool letterbox : {false, true}) {
    FeatureMap map = random_unit_map(13, 10, 48, 1);
    if (letterbox) map.content = {2, 0, 8, 13};
    const auto cells = all_cells(map);
    const FloatMatrix descriptors = sample_descriptors(map, cells, Query::nearest);
    const auto matches =
        match_queries(matcher, MatchProblem{map, map, cells, view_of(descriptors)});
    REQUIRE(matches.size() == cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      CHECK(distance(matches[i].cell, cells[i]) < 1e-6);
      CHECK(matches[i].score == doctest::Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("several blocks of similarities give the answers of one query at a time") {
  const FeatureMap target = random_unit_map(37, 37, 3, 2);
  const FeatureMap source = random_unit_map(64, 64, 3, 3);  // 4096 queries of 1369 similarities
  const auto matches = match_descriptors(Argmax{}, source.descriptors(), target);
  REQUIRE(matches.size() == 4096);
  for (std::size_t i = 0; i < matches.size(); i += 7) {
    const auto row = static_cast<Eigen::Index>(i);
    const auto alone =
        match_descriptors(Argmax{}, MatrixView(source.values.row(row).data(), 1, 3), target);
    // Two cells can be best to the last bit of the sum, so compare what was found, not where.
    CHECK(alone[0].score == doctest::Approx(matches[i].score).epsilon(1e-6));
    const auto cell =
        target.cell(static_cast<int>(matches[i].cell.y), static_cast<int>(matches[i].cell.x));
    CHECK(static_cast<double>(cell.dot(source.values.row(row))) ==
          doctest::Approx(matches[i].score).epsilon(1e-5));
  }
}

namespace {

// Asks other queries of the same thread before it answers.
struct AsksAgain {
  const FeatureMap* map;
  std::optional<int> reach() const { return 0; }
  Match operator()(const SimilarityMap& similarity) const {
    match_descriptors(Argmax{}, map->descriptors(), *map);
    return Argmax{}(similarity);
  }
};

}  // namespace

TEST_CASE("a matcher that matches other queries meanwhile answers as if it did not") {
  const FeatureMap target = random_unit_map(12, 14, 64, 6), source = random_unit_map(8, 8, 64, 7);
  const FeatureMap other = random_unit_map(20, 20, 64, 8);
  const auto expected = match_descriptors(Argmax{}, source.descriptors(), target);
  for (const int threads : {1, 3}) {
    const auto got = match_descriptors(AsksAgain{&other}, source.descriptors(), target, {threads});
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].cell == expected[i].cell);
      CHECK(got[i].score == expected[i].score);
    }
  }
}

TEST_CASE("a query without an answer is named by its own number, in later blocks too") {
  const FeatureMap target = random_unit_map(37, 37, 3, 4);
  FloatMatrix queries = random_unit_map(64, 64, 3, 5).values;
  queries(3001, 1) = not_a_number;
  CHECK_THROWS_WITH_AS(match_descriptors(Argmax{}, view_of(queries), target),
                       doctest::Contains("query 3001:"), ValueError);
}

TEST_CASE("no answer lies in the padding, and a target of NaN cells answers with the rest") {
  FeatureMap target = random_unit_map(9, 9, 16, 6);
  target.content = {0, 3, 9, 6};
  const FeatureMap source = random_unit_map(5, 5, 16, 7);
  for (const Match& match : match_descriptors(Argmax{}, source.descriptors(), target)) {
    CHECK(target.content.contains(static_cast<int>(match.cell.x), static_cast<int>(match.cell.y)));
  }
  for (int cell = 0; cell < 80; ++cell) target.values.row(cell).setConstant(not_a_number);
  target.content = {0, 0, 9, 9};
  for (const Match& match : match_descriptors(SoftArgmax{}, source.descriptors(), target)) {
    CHECK(match.cell == Point<GridFrame>{8, 8});
  }
}

TEST_CASE("numbers of queries, descriptors and answers must agree") {
  struct Forgetful {
    std::vector<Match> match(const MatchProblem&) const { return {}; }
  };
  const FeatureMap map = random_unit_map(4, 4, 8, 8);
  const Points<GridFrame> queries{{0, 0}, {1, 1}};
  const FloatMatrix descriptors = sample_descriptors(map, queries, Query::nearest);
  CHECK_THROWS_WITH_AS(
      match_queries(Forgetful{}, MatchProblem{map, map, queries, view_of(descriptors)}),
      "match_queries: the matcher gave 0 answers for 2 queries", ShapeError);
  CHECK_THROWS_WITH_AS(
      match_queries(Argmax{}, MatchProblem{map, map, queries, MatrixView(nullptr, 0, 8)}),
      "match_queries: 0 descriptors for 2 queries", ShapeError);
  const FeatureMap other = random_unit_map(4, 4, 7, 8);
  CHECK_THROWS_AS(match_queries(Argmax{}, MatchProblem{map, other, queries, view_of(descriptors)}),
                  ShapeError);
  CHECK(match_descriptors(Argmax{}, MatrixView(nullptr, 0, 8), map).empty());
}

TEST_CASE("what a matcher throws arrives, and what it says of a match is kept") {
  struct Picky {
    Match operator()(const SimilarityMap& map) const {
      if (map.rows() != 3 || map.cols() != 5) throw ShapeError("not 3x5");
      return {{1.5, 2.5}, -0.25F, false};
    }
  };
  const FeatureMap source = random_unit_map(2, 2, 6, 9);
  const auto matches =
      match_descriptors(Picky{}, source.descriptors(), random_unit_map(3, 5, 6, 10));
  REQUIRE(matches.size() == 4);
  CHECK(matches[3].cell == Point<GridFrame>{1.5, 2.5});
  CHECK(matches[3].score == -0.25F);
  CHECK_FALSE(matches[3].mutual);
  CHECK_THROWS_AS(match_descriptors(Picky{}, source.descriptors(), random_unit_map(5, 3, 6, 10)),
                  ShapeError);
}

TEST_CASE_TEMPLATE("many queries of a local matcher: the answers of few at a time", M, Argmax,
                   WindowSoftArgmax) {
  M matcher;
  for (const int dim : {3, 40, 96}) {
    FeatureMap target = random_unit_map(19, 23, dim, 4);
    target.content = {1, 2, 22, 18};
    target.values.row(5 * 23 + 7).setConstant(std::numeric_limits<float>::quiet_NaN());
    const FeatureMap source = random_unit_map(20, 15, dim, 5);
    for (const int threads : {1, 3}) {
      const auto many = match_descriptors(matcher, source.descriptors(), target, {threads});
      REQUIRE(many.size() == 300);
      for (std::size_t begin = 0; begin < many.size(); begin += 20) {
        const auto few = match_descriptors(
            matcher,
            MatrixView(source.values.row(static_cast<Eigen::Index>(begin)).data(), 20, dim),
            target);
        for (std::size_t i = 0; i < few.size(); ++i) {
          CHECK(many[begin + i].score == few[i].score);
          CHECK(distance(many[begin + i].cell, few[i].cell) < 1e-12);
        }
      }
    }
  }
}

TEST_CASE("a matcher's reach: nothing where cells far away count") {
  CHECK(Argmax{}.reach() == 0);
  CHECK(WindowSoftArgmax{{3}}.reach() == 3);
  CHECK(!WindowSoftArgmax{{-1}}.reach());
  CHECK(!WindowSoftArgmax{{2, 10, WindowSoftArgmax::Outside::masked_zero}}.reach());
  static_assert(!LocalMatcher<SoftArgmax> && !LocalMatcher<KernelSoftArgmax>);
}

TEST_CASE("a reach below zero is none: the matcher is given whole maps") {
  struct Careless : Argmax {
    std::optional<int> reach() const { return -3; }
    Match operator()(const SimilarityMap& map) const {
      CHECK(map.size() == 42);
      return Argmax::operator()(map);
    }
  };
  const FeatureMap target = random_unit_map(6, 7, 40, 1), source = random_unit_map(8, 8, 40, 2);
  CHECK(match_descriptors(Careless{}, source.descriptors(), target).size() == 64);
}

namespace {

/// Answers with how it was told to run.
struct Told {
  Match operator()(const SimilarityMap& map, const Execution& execution) const {
    const bool own = execution.workspace != nullptr && execution.threads == 1;
    return {{static_cast<double>(execution.instructions), own ? 1.0 : 0.0}, map(0, 0)};
  }
};

/// A matcher of whole problems that answers with the threads it may use.
struct ToldWhole {
  std::vector<Match> match(const MatchProblem& problem, const Execution& execution) const {
    return std::vector<Match>(problem.queries.size(),
                              Match{{static_cast<double>(execution.threads), 0}, 0});
  }
};

}  // namespace

TEST_CASE("a matcher that takes an Execution is told how its caller runs") {
  const FeatureMap source = random_unit_map(20, 20, 8, 5), target = random_unit_map(9, 7, 8, 6);
  for (const InstructionSet set : all_instruction_sets) {
    if (!is_supported(set)) continue;
    for (const auto& match : match_descriptors(Told{}, source.descriptors(), target, {3, set})) {
      CHECK(match.cell.x == static_cast<double>(set));
      CHECK(match.cell.y == 1);
    }
  }
  const auto cells = all_cells(source);
  const MatchProblem problem{source, target, cells, source.descriptors()};
  CHECK(match_queries(ToldWhole{}, problem, {5})[0].cell.x == 5);
  CHECK(match_queries(ToldWhole{}, problem)[0].cell.x == 1);
}

TEST_CASE("instructions that the machine lacks are refused, not run") {
  const FeatureMap map = random_unit_map(3, 3, 8, 5);
  for (const InstructionSet set : all_instruction_sets) {
    if (is_supported(set)) continue;
    CHECK_THROWS_AS(match_map(Argmax{}, map.values, {1, set}), SettingError);
    CHECK_THROWS_AS(match_descriptors(Argmax{}, map.descriptors(), map, {1, set}), SettingError);
  }
}

TEST_CASE("a pool of one's own serves as the process's does") {
  const FeatureMap source = random_unit_map(20, 20, 8, 7), target = random_unit_map(19, 17, 8, 8);
  WorkerPool pool;
  KernelWorkspace workspace;
  Execution execution{3};
  execution.pool = &pool;
  execution.workspace = &workspace;
  const auto expected = match_descriptors(KernelSoftArgmax{}, source.descriptors(), target);
  const auto found = match_descriptors(KernelSoftArgmax{}, source.descriptors(), target, execution);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i].cell == expected[i].cell);
}
