// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINO (ViT-S and B) as a Backbone policy. The family's record in families/dino.hpp describes its
/// files and sizes.

#include "homolog/backbones/families/dino.hpp"
#include "homolog/backbones/transformer_of.hpp"
