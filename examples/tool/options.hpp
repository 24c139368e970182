// SPDX-License-Identifier: Apache-2.0
#pragma once

// Options that several subcommands share, and what they mean.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "homolog/pipeline/pipeline.hpp"
#include "homolog/selection/matchers.hpp"

namespace tool {

struct BackboneOptions {
  std::string backbone;  // empty: as recognised from the weights
  std::string weights;
  std::string checkpoint;  // file or folder of tuned weights
  std::optional<std::uint64_t> random_weights;
  int layer = -1;
  int blocks = 0;
  bool final_norm = true;
  std::string facet = "token";
  std::string position_interpolation = "auto";
  std::string normalization = "auto";
  std::string device = "cpu";
  std::string dtype = "float32";
  int threads = 0;
};

struct InputOptions {
  int image_size = 0;
  std::string resize;  // empty: squash, or as the checkpoint was tuned
  std::string filter = "auto";
};

struct MatcherOptions {
  std::string matcher = "argmax";
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();  // the fields that were typed
  bool mutual = false, margin = false;
  std::string query;  // empty: nearest, or as the checkpoint was tuned
};

void add_timeout_option(CLI::App& command, double& seconds);  // of several processes
void add_backbone_options(CLI::App& command, BackboneOptions& options);
void add_input_options(CLI::App& command, InputOptions& options);
void add_matcher_options(CLI::App& command, MatcherOptions& options);  // and the query
void add_query_option(CLI::App& command, MatcherOptions& options);

// bicubic or bilinear, where the options may say auto.
std::string resize_filter_name(const InputOptions& input);

// How pictures are prepared and queries read.
homolog::PipelineSetting pipeline_setting(const InputOptions& input,
                                          const MatcherOptions& matcher = {});

// Says on stderr that a picture becomes an input far larger than usual, before hours are spent.
void announce_large_input(const std::string& name, const homolog::FrameTransform& transform);

// The matcher a user named; an option that this matcher does not have is a UsageError.
homolog::AnyMatcher make_matcher(const MatcherOptions& options);

// Refuses a backbone's name that is none; one that begins like a family's is answered with these.
void require_known(const std::string& backbone);

// Refuses, before anything is read, backbone options that do not fit together.
void require_fitting(const BackboneOptions& options);

// Name and settings, for result files.
nlohmann::ordered_json describe_matcher(const homolog::AnyMatcher& matcher, bool mutual);

}  // namespace tool
