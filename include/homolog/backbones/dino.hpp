// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINO (ViT-S and B) as a Backbone policy; its record says what is known of it.

#include "homolog/backbones/families/dino.hpp"
#include "homolog/backbones/transformer_of.hpp"
