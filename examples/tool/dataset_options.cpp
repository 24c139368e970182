// SPDX-License-Identifier: Apache-2.0
#include "dataset_options.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/pf_pascal_matlab.hpp"
#include "homolog/datasets/pf_willow.hpp"
#include "homolog/datasets/select.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/datasets/warnings.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

void add_dataset_options(CLI::App& command, DatasetOptions& options) {
  command.add_option("--dataset", options.dataset, "which data set")
      ->required()
      ->check(CLI::IsMember({"spair-71k", "pf-pascal", "pf-willow", "synthetic", "jsonl"}));
  command.add_option("--root", options.root, "its folder")->required();
  command.add_option("--layout", options.layout, "SPair-71k's list of pairs (default: large)")
      ->check(CLI::IsMember({"large", "small"}));
  command.add_option("--category", options.categories, "only this category (repeatable)");
  command.add_option("--limit", options.limit, "only the first N pairs")->check(number_from(1));
}

namespace {

bool in_spair_layout(const DatasetOptions& options) {
  return options.dataset == "spair-71k" || options.dataset == "synthetic";
}

}  // namespace

void require_fitting(const DatasetOptions& options) {
  if (!options.layout.empty() && !in_spair_layout(options)) {
    throw UsageError("--layout belongs to spair-71k and synthetic; leave it out with --dataset " +
                     options.dataset);
  }
  if (options.dataset == "pf-willow" && options.split != "test") {
    throw UsageError("--dataset pf-willow has test pairs only; leave its split out, not type " +
                     options.split);
  }
}

Dataset load_dataset(const DatasetOptions& options) {
  if (in_spair_layout(options)) {
    const std::string layout = options.layout.empty() ? "large" : options.layout;
    Dataset dataset =
        load_spair(options.root, options.split, {layout, options.categories, options.limit});
    dataset.name = options.dataset;
    return dataset;
  }
  Dataset dataset = options.dataset == "pf-pascal"
                        ? load_pf_pascal_matlab(options.root, options.split)
                    : options.dataset == "pf-willow" ? load_pf_willow(options.root)
                                                     : load_jsonl(options.root, options.split);
  return select_pairs(std::move(dataset), options.categories, options.limit);
}

void print_warnings(const Dataset& dataset) {
  for (const std::string& sentence : dataset_warnings(dataset)) {
    std::fprintf(stderr, "homolog: warning: %s\n", sentence.c_str());
  }
}

void require_writable(const std::vector<NamedFile>& outputs, const DatasetOptions& options,
                      const Dataset& dataset, const std::vector<std::filesystem::path>& made) {
  std::error_code error;
  if (std::none_of(outputs.begin(), outputs.end(), [&](const NamedFile& output) {
        return std::filesystem::exists(output.path, error);
      })) {
    return;  // what is not there yet is no input, and a data set has many files
  }
  std::set<std::filesystem::path> files;
  for (const Pair& pair : dataset.pairs) files.insert({pair.source, pair.target});
  const std::filesystem::path root = options.root;
  if (options.dataset == "jsonl") {
    files.insert(root / (options.split + ".jsonl"));
  } else {
    for (std::filesystem::recursive_directory_iterator entry(root, error), end;
         !error && entry != end; entry.increment(error)) {
      const auto extension = entry->path().extension();
      const bool annotation = in_spair_layout(options) ? entry->path().parent_path() != root
                                                       : extension == ".csv" || extension == ".mat";
      if (annotation) files.insert(entry->path());
    }
  }
  std::vector<NamedFile> inputs;
  for (const auto& file : files) inputs.push_back({"of --dataset,", file});
  require_writable(outputs, inputs, made);
}

}  // namespace tool
