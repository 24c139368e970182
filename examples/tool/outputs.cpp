// SPDX-License-Identifier: Apache-2.0
#include "outputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <optional>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/weights/sharded_safetensors.hpp"
#include "usage.hpp"

namespace tool {

namespace {

using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> id_of(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return std::nullopt;  // terminals, pipes and devices are no content
  return FileId{status.st_dev, status.st_ino};
}

std::optional<FileId> id_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return id_of(status);
}

// Files that an input's path stands for.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  std::error_code error;
  const bool shards = path.string().ends_with(homolog::shard_index_suffix);
  const auto folder = shards ? path.parent_path() : path;
  std::vector<std::filesystem::path> files{path};
  if (!shards && !std::filesystem::is_directory(path, error)) return files;
  for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".safetensors") files.push_back(entry->path());
  }
  return files;
}

// Whether a folder is one of those that will be made, or on the way to one.
bool will_be_there(const std::filesystem::path& folder,
                   const std::vector<std::filesystem::path>& made) {
  std::error_code error;
  const auto place = std::filesystem::weakly_canonical(std::filesystem::absolute(folder), error);
  return std::any_of(made.begin(), made.end(), [&](const std::filesystem::path& one) {
    if (one.empty()) return false;
    const auto all = std::filesystem::weakly_canonical(std::filesystem::absolute(one), error);
    return std::mismatch(place.begin(), place.end(), all.begin(), all.end()).first == place.end();
  });
}

void require_place(const NamedFile& output, const std::vector<std::filesystem::path>& made) {
  std::error_code error;
  const auto status = std::filesystem::status(output.path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw homolog::FileError(output.name + " " + output.path.string() +
                             ": is not a regular file, and only those are replaced");
  }
  const auto folder = output.path.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, error) &&
      !will_be_there(folder, made)) {
    throw homolog::FileError(output.name + " " + output.path.string() + ": there is no folder " +
                             folder.string());
  }
}

}  // namespace

bool claim_standard_streams() {
  bool printable = true;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    if (stream == STDOUT_FILENO) printable = false;
    // The lowest free number is this one.
    static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY));
  }
  return printable;
}

bool flush_standard_output() {
  std::cout.flush();
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
}

void require_writable(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs,
                      const std::vector<std::filesystem::path>& made) {
  std::vector<std::pair<std::string, FileId>> read;
  for (const auto& input : inputs) {
    if (input.path.empty()) continue;
    for (const auto& file : files_of(input.path)) {
      if (const auto id = id_of(file)) read.emplace_back(input.name + " " + file.string(), *id);
    }
  }
  std::vector<NamedFile> written;
  std::error_code error;
  struct stat printed {};
  const auto standard_output =
      ::fstat(STDOUT_FILENO, &printed) == 0 ? id_of(printed) : std::nullopt;
  const auto require_new = [&](const std::string& what, const std::optional<FileId>& id) {
    for (const auto& [input, input_id] : read) {
      if (id == input_id) {
        throw UsageError(what + " is the input " + input + "; type another output");
      }
    }
  };
  require_new("the standard output", standard_output);
  for (const auto& output : outputs) {
    if (output.path.empty()) continue;
    const std::string what = output.name + " " + output.path.string();
    const auto id = id_of(output.path);
    if (id) require_new(what, id);
    if (id && id == standard_output) {
      throw UsageError(what + " is the standard output too; type another output");
    }
    const auto place = std::filesystem::weakly_canonical(output.path, error);
    for (const auto& other : written) {
      if ((id && id == id_of(other.path)) ||
          place == std::filesystem::weakly_canonical(other.path, error)) {
        throw UsageError(what + " is " + other.name + " too; type two names");
      }
    }
    written.push_back(output);
  }
  for (const auto& output : written) require_place(output, made);
}

}  // namespace tool
