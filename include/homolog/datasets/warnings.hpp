// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What is legal in a data set and yet looks wrong.

#include <string>
#include <vector>

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// What a reader of the scores should know about a data set, one sentence each; empty when there is
/// nothing to say. The library never prints: result files carry the list, the tool prints it.
///
/// Reported are names that are not UTF-8, and target keypoints outside their target box by more
/// than a twentieth of its larger side when the box gives the PCK threshold: boxes written as x, y,
/// width, height look valid but change every threshold.
std::vector<std::string> dataset_warnings(const Dataset& dataset);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/warnings_inl.hpp"
#endif
