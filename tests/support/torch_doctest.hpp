// SPDX-License-Identifier: Apache-2.0
#pragma once

// LibTorch first, its CHECK macros away, doctest last: in the other order LibTorch's CHECK replaces
// doctest's without a word. Tests that use LibTorch include this header before anything else.
#include <torch/torch.h>
#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_GT
#undef CHECK_GE
#include <doctest/doctest.h>
