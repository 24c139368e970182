// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// MAE's encoder as a Backbone policy. The family's record in families/mae.hpp describes its files
/// and sizes.

#include "homolog/backbones/families/mae.hpp"
#include "homolog/backbones/transformer_of.hpp"
