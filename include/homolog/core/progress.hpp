// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How the library tells the progress of what takes long. It never prints; what is shown is the
/// caller's business.

#include <cstddef>
#include <functional>
#include <string_view>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// Called, from the thread that called the library, with the stage ("matching"), what is done of it
/// and its total, in whatever the stage counts; empty: not called.
using ProgressCallback =
    std::function<void(std::string_view stage, std::size_t done, std::size_t total)>;

}  // namespace homolog::inline v0_1
