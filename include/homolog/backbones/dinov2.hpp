// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv2 (ViT-S, B, L, g; plain and with registers) as a Backbone policy; its record says what is
/// known of it.

#include "homolog/backbones/families/dinov2.hpp"
#include "homolog/backbones/transformer_of.hpp"
