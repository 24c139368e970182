// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The check of a pair's annotation against the pictures it belongs to.

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// Checks a pair against the sizes of its pictures: at least one keypoint, as many in the source as
/// in the target, all finite and inside (0 <= x <= W, 0 <= y <= H, since annotations are partly
/// 1-based), annotated sizes equal to the real ones, and a target box no larger than its picture.
///
/// @param source size of the source picture [px]
/// @param target size of the target picture [px]
/// @throws PointError for a keypoint, DatasetError for anything else, both naming the pair
void validate_pair(const Pair& pair, Size source, Size target);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/validate_inl.hpp"
#endif
