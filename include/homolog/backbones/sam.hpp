// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SAM's image encoder as a Backbone policy; its record says what is known of it.

#include "homolog/backbones/families/sam.hpp"
#include "homolog/backbones/transformer_of.hpp"
