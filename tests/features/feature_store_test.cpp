// SPDX-License-Identifier: Apache-2.0
#include "homolog/features/feature_store.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "homolog/core/errors.hpp"
#include "support/test_data.hpp"

using namespace homolog;

namespace {

FeatureMap numbered(int index) {
  FeatureMap map(3 + index % 2, 4, 8);
  for (Eigen::Index i = 0; i < map.values.size(); ++i) {
    map.values.data()[i] = static_cast<float>(index) + 0.001F * static_cast<float>(i);
  }
  map.content = {1, 0, 3, 3};
  return map;
}

}  // namespace

TEST_CASE("whatever the memory limit, every map comes back bit for bit") {
  const std::size_t one = numbered(0).bytes();
  for (const std::size_t limit : {std::size_t{0}, one, 5 * one, 1000 * one}) {
    FeatureStore store(limit);
    for (int i = 0; i < 20; ++i) store.put(static_cast<std::size_t>(i), numbered(i));
    std::mt19937 random(3);
    for (int trial = 0; trial < 200; ++trial) {
      const int i = static_cast<int>(random() % 20);
      const auto map = store.get(static_cast<std::size_t>(i));
      const FeatureMap expected = numbered(i);
      CHECK(map->rows == expected.rows);
      CHECK(map->content == expected.content);
      CHECK(map->values == expected.values);
    }
    CHECK(store.memory_bytes() <= std::max(limit, 2 * one));
    CHECK((store.spilled_bytes() == 0) == (limit == 1000 * one));
  }
}

TEST_CASE("a held map outlives its place in memory") {
  FeatureStore store(0);
  store.put(0, numbered(0));
  const auto held = store.get(0);
  for (std::size_t i = 1; i < 5; ++i) store.put(i, numbered(static_cast<int>(i)));
  CHECK(held->values == numbered(0).values);
}

TEST_CASE("an index gets one map") {
  FeatureStore store(1000);
  store.put(3, FeatureMap(2, 2, 4));
  CHECK_THROWS_WITH_AS(store.put(3, FeatureMap(2, 2, 4)),
                       "feature store: index 3 has a map already", SettingError);
  CHECK(store.get(3)->cells() == 4);
}

TEST_CASE("an index that was never stored is an error") {
  FeatureStore store(100);
  CHECK_THROWS_AS(store.get(7), SettingError);
}

TEST_CASE("what is spilled lies on a disk, in TMPDIR where that is on one") {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before ? before : "";
  const auto folder_of = [](const homolog::detail::SpillFile& file) {
    const std::filesystem::path open = "/proc/self/fd";
    return std::filesystem::read_symlink(open / std::to_string(fileno(file.get()))).parent_path();
  };
  const homolog::test::TemporaryFolder chosen;
  setenv("TMPDIR", chosen.path.c_str(), 1);
  const bool chosen_on_disk = !homolog::detail::lies_in_memory(chosen.path);
  CHECK((folder_of(homolog::detail::make_spill_file()) == chosen.path) == chosen_on_disk);
  CHECK(std::filesystem::is_empty(chosen.path));
  setenv("TMPDIR", "/no/such/folder", 1);
  CHECK(!homolog::detail::lies_in_memory(folder_of(homolog::detail::make_spill_file())));
  if (homolog::detail::lies_in_memory("/dev/shm")) {
    setenv("TMPDIR", "/dev/shm", 1);
    CHECK(!homolog::detail::lies_in_memory(folder_of(homolog::detail::make_spill_file())));
  }
  before ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}
