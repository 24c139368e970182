// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The plain supervised vision transformer as a Backbone policy; its record says what is known of
/// it.

#include "homolog/backbones/families/vision_transformer.hpp"
#include "homolog/backbones/transformer_of.hpp"
