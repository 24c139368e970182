// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv2 (ViT-S, B, L, g; plain and with registers) as a Backbone policy. The family's record in
/// families/dinov2.hpp describes its files and sizes.

#include "homolog/backbones/families/dinov2.hpp"
#include "homolog/backbones/transformer_of.hpp"
