// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a command writes: the standard output, and files that must not be what it reads.

#include <filesystem>
#include <string>
#include <vector>

namespace tool {

// Takes the numbers of closed standard streams, so that no file is opened under them and what is
// printed lands in none; false when the standard output was closed.
bool claim_standard_streams();

// Flushes the standard output; false when anything printed was lost.
bool flush_standard_output();

struct NamedFile {
  std::string name;  // of the option, or what it is
  std::filesystem::path path;
};

// Refuses, before any work, an output that is an input (a folder or an index of shards stands for
// the safetensors files there) or another output, by whatever name, link or hard link; and one
// that could not be written at the end. Empty paths are none.
void require_writable(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs,
                      const std::vector<std::filesystem::path>& made = {});

}  // namespace tool
