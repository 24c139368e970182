// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which pairs a command works on.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "homolog/datasets/dataset.hpp"
#include "outputs.hpp"

namespace tool {

struct DatasetOptions {
  std::string dataset, root, split = "test", layout;
  std::vector<std::string> categories;
  std::size_t limit = 0;
};

// --dataset, --root, --layout, --category and --limit; a command adds its splits itself.
void add_dataset_options(CLI::App& command, DatasetOptions& options);

// Refuses, before anything is read, options that the data set does not have.
void require_fitting(const DatasetOptions& options);

// The split that is trained on where the user names none; a UsageError where there is none.
std::string training_split(const DatasetOptions& options);

homolog::Dataset load_dataset(const DatasetOptions& options);

// Says on stderr what is legal in a data set and yet looks wrong.
void print_warnings(const homolog::Dataset& dataset);

// Refuses an output that is one of the data set's pictures or annotations.
void require_writable(const std::vector<NamedFile>& outputs, const DatasetOptions& options,
                      const homolog::Dataset& dataset,
                      const std::vector<std::filesystem::path>& made = {});

}  // namespace tool
