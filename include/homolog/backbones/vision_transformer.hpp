// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The plain supervised vision transformer as a Backbone policy. The family's record in
/// families/vision_transformer.hpp describes its files and sizes.

#include "homolog/backbones/families/vision_transformer.hpp"
#include "homolog/backbones/transformer_of.hpp"
