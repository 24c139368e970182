// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv3's vision transformers as a Backbone policy; its record says what is known of it.

#include "homolog/backbones/families/dinov3.hpp"
#include "homolog/backbones/transformer_of.hpp"
