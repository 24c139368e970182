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

/// A function that is called in the thread that called the library, with the stage ("matching"),
/// how many units of it are done and how many there are; the unit depends on the stage. An empty
/// function is not called.
using ProgressCallback =
    std::function<void(std::string_view stage, std::size_t done, std::size_t total)>;

}  // namespace homolog::inline v0_1
