// SPDX-License-Identifier: Apache-2.0
#include "dataset_options.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/pf_pascal_matlab.hpp"
#include "homolog/datasets/pf_willow.hpp"
#include "homolog/datasets/select.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/datasets/warnings.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

namespace {

Dataset load_spair_of(const DatasetOptions& options) {
  const std::string layout = options.layout.empty() ? "large" : options.layout;
  Dataset dataset =
      load_spair(options.root, options.split, {layout, options.categories, options.limit});
  dataset.name = options.dataset;
  return dataset;
}
template <auto Load>
Dataset load_selected(const DatasetOptions& options) {
  return select_pairs(Load(options), options.categories, options.limit);
}
Dataset load_pascal_of(const DatasetOptions& options) {
  return load_pf_pascal_matlab(options.root, options.split);
}
Dataset load_willow_of(const DatasetOptions& options) { return load_pf_willow(options.root); }
Dataset load_jsonl_of(const DatasetOptions& options) {
  return load_jsonl(options.root, options.split);
}

// Where a data set has what is not a picture.
enum class Annotations { folders, tables, list };

// All that the tool knows of a data set; a new one is a line here, and a value above where it keeps
// its pairs in another kind of file.
struct DatasetReader {
  const char* name;
  const char* training_split;  // where the user names none; null: it has test pairs alone
  Dataset (*load)(const DatasetOptions& options);
  Annotations annotations;
};
constexpr DatasetReader readers[] = {
    {"spair-71k", "trn", load_spair_of, Annotations::folders},
    {"pf-pascal", "train", load_selected<load_pascal_of>, Annotations::tables},
    {"pf-willow", nullptr, load_selected<load_willow_of>, Annotations::tables},
    {"synthetic", "trn", load_spair_of, Annotations::folders},
    {"jsonl", "train", load_selected<load_jsonl_of>, Annotations::list}};

const DatasetReader& reader_of(const DatasetOptions& options) {
  for (const DatasetReader& reader : readers) {
    if (options.dataset == reader.name) return reader;
  }
  throw UsageError("--dataset '" + options.dataset + "' is unknown");
}

}  // namespace

void add_dataset_options(CLI::App& command, DatasetOptions& options) {
  std::vector<std::string> names;
  for (const DatasetReader& reader : readers) names.emplace_back(reader.name);
  command.add_option("--dataset", options.dataset, "which data set")
      ->required()
      ->check(CLI::IsMember(names));
  command.add_option("--root", options.root, "its folder")->required();
  command.add_option("--layout", options.layout, "SPair-71k's list of pairs (default: large)")
      ->check(CLI::IsMember({"large", "small"}));
  command.add_option("--category", options.categories, "only this category (repeatable)");
  command.add_option("--limit", options.limit, "only the first N pairs")->check(number_from(1));
}

std::string training_split(const DatasetOptions& options) {
  const char* split = reader_of(options).training_split;
  if (split == nullptr) {
    throw UsageError("--dataset " + options.dataset +
                     " has test pairs alone, which a training must not see; list pairs of your own "
                     "in NAME.jsonl and type --dataset jsonl --split NAME");
  }
  return split;
}

void require_fitting(const DatasetOptions& options) {
  if (!options.layout.empty() && reader_of(options).annotations != Annotations::folders) {
    throw UsageError("--layout belongs to spair-71k and synthetic; leave it out with --dataset " +
                     options.dataset);
  }
  if (reader_of(options).training_split == nullptr && options.split != "test") {
    throw UsageError("--dataset " + options.dataset +
                     " has test pairs only; leave its split out, not type " + options.split);
  }
}

Dataset load_dataset(const DatasetOptions& options) { return reader_of(options).load(options); }

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
  const Annotations annotations = reader_of(options).annotations;
  if (annotations == Annotations::list) {
    files.insert(root / (options.split + ".jsonl"));
  } else {
    for (std::filesystem::recursive_directory_iterator entry(root, error), end;
         !error && entry != end; entry.increment(error)) {
      const auto extension = entry->path().extension();
      const bool annotation = annotations == Annotations::folders
                                  ? entry->path().parent_path() != root
                                  : extension == ".csv" || extension == ".mat";
      if (annotation) files.insert(entry->path());
    }
  }
  std::vector<NamedFile> inputs;
  for (const auto& file : files) inputs.push_back({"of --dataset,", file});
  require_writable(outputs, inputs, made);
}

}  // namespace tool
