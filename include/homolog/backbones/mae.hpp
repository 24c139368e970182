// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// MAE's encoder as a Backbone policy; its record says what is known of it.

#include "homolog/backbones/families/mae.hpp"
#include "homolog/backbones/transformer_of.hpp"
