// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "homolog/core/files.hpp"

namespace homolog::test {

/// Folder of the data sets used by tests: HOMOLOG_TEST_DATA, else the build's default.
inline std::filesystem::path test_data() {
  const char* folder = std::getenv("HOMOLOG_TEST_DATA");
  return folder != nullptr ? folder : HOMOLOG_DEFAULT_TEST_DATA;
}

/// Folder of the outputs of independent implementations, beside test_data().
inline std::filesystem::path reference_data() { return test_data() / ".." / "reference"; }

/// A fresh folder that is removed with its content at the end of the scope.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::random_device seed;
    path = std::filesystem::temp_directory_path() /
           ("homolog_test_" + std::to_string(seed()) + std::to_string(seed()));
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() { remove_folder(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
};

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace homolog::test
