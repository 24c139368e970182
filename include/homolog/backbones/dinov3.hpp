// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv3's vision transformers as a Backbone policy. The family's record in families/dinov3.hpp
/// describes its files and sizes.

#include "homolog/backbones/families/dinov3.hpp"
#include "homolog/backbones/transformer_of.hpp"
