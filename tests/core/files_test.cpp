// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/files.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/test_data.hpp"

using namespace homolog;

TEST_CASE("a folder is removed with all in it, and what its links lead to stays") {
  const test::TemporaryFolder folder;
  test::write_file(folder.path / "kept" / "file", "x");
  test::write_file(folder.path / "gone" / "deep" / "deeper" / "file", "x");
  std::filesystem::create_directory_symlink(folder.path / "kept", folder.path / "gone" / "link");
  std::filesystem::create_symlink("nowhere", folder.path / "gone" / "broken");
  homolog::detail::remove_folder(folder.path / "gone");
  CHECK(!std::filesystem::exists(folder.path / "gone"));
  CHECK(test::read_file(folder.path / "kept" / "file") == "x");
  homolog::detail::remove_folder(folder.path / "absent");
  homolog::detail::remove_folder(folder.path / "kept" / "file");
  CHECK(!std::filesystem::exists(folder.path / "kept" / "file"));
}
