// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The contracts of the three policies. Each has a minimum that a policy must give and optional
/// members that are detected; what is missing is deduced from the minimum.

#include "homolog/core/backbone_concept.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/core/metric_concept.hpp"
