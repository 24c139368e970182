// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/files.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/test_data.hpp"

using namespace homolog;

TEST_CASE("threads that write one file at once leave the whole content of one of them") {
  const test::TemporaryFolder folder;
  const auto path = folder.path / "file";
  const std::size_t length = 300000;
  write_file_atomically(path, std::string(length, 'A'));
  std::atomic<int> failed{0}, writing{2};
  std::vector<std::thread> writers;
  for (const char letter : {'B', 'C'}) {
    writers.emplace_back([&, letter] {
      for (int i = 0; i < 20; ++i) {
        try {
          write_file_atomically(path, std::string(length, letter));
        } catch (const Error&) {
          ++failed;
        }
      }
      --writing;
    });
  }
  int torn = 0;
  do {
    const std::string read = test::read_file(path);
    if (read != std::string(length, read.empty() ? '?' : read[0])) ++torn;
  } while (writing > 0);
  for (std::thread& writer : writers) writer.join();
  CHECK(failed == 0);
  CHECK(torn == 0);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  CHECK(files == 1);
}

TEST_CASE("a folder is removed with all in it, and what its links lead to stays") {
  const test::TemporaryFolder folder;
  test::write_file(folder.path / "kept" / "file", "x");
  test::write_file(folder.path / "gone" / "deep" / "deeper" / "file", "x");
  std::filesystem::create_directory_symlink(folder.path / "kept", folder.path / "gone" / "link");
  std::filesystem::create_symlink("nowhere", folder.path / "gone" / "broken");
  homolog::remove_folder(folder.path / "gone");
  CHECK(!std::filesystem::exists(folder.path / "gone"));
  CHECK(test::read_file(folder.path / "kept" / "file") == "x");
  homolog::remove_folder(folder.path / "absent");
  homolog::remove_folder(folder.path / "kept" / "file");
  CHECK(!std::filesystem::exists(folder.path / "kept" / "file"));
}
