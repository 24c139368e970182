// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SAM's image encoder as a Backbone policy. The family's record in families/sam.hpp describes its
/// files and sizes.

#include "homolog/backbones/families/sam.hpp"
#include "homolog/backbones/transformer_of.hpp"
