// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/random_stream.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

using namespace homolog;

TEST_CASE("a random stream depends on its seed and coordinates alone") {
  RandomStream one(1, {2, 3}), same(1, {2, 3}), swapped(1, {3, 2}), other(2, {2, 3});
  // The numbers of every version: drawn pictures and orders of training rest on them.
  for (const std::uint64_t bits : {0x9a90a9f73627e97cU, 0x2a457c9a27bfdbe0U, 0x031d98d77f349e76U}) {
    CHECK(one.bits() == bits);
    CHECK(same.bits() == bits);
    CHECK(swapped.bits() != bits);
    CHECK(other.bits() != bits);
  }
}

TEST_CASE("random numbers fill their ranges evenly and do not leave them") {
  RandomStream random(7);
  double sum = 0, least = 1, most = 0;
  std::set<std::uint64_t> below;
  std::set<std::int64_t> between;
  for (int i = 0; i < 10000; ++i) {
    const double value = random.uniform();
    sum += value;
    least = value < least ? value : least;
    most = value > most ? value : most;
    below.insert(random.below(7));
    between.insert(random.between(-3, 3));
    const double wide = random.uniform(-5, 5);
    CHECK((wide >= -5 && wide < 5));
  }
  CHECK((least >= 0 && least < 0.01 && most > 0.99 && most < 1));
  CHECK(sum / 10000 == doctest::Approx(0.5).epsilon(0.02));
  CHECK(below == std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(between == std::set<std::int64_t>{-3, -2, -1, 0, 1, 2, 3});
  CHECK(random.below(1) == 0);
  CHECK(random.between(5, 5) == 5);
}
