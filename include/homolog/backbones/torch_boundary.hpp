// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The one place where LibTorch's errors become homolog's.

#include <c10/util/Exception.h>

#include <string>
#include <utility>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// Runs `action` and rethrows c10::Error as DeviceError, with LibTorch's first line as the reason.
///
/// @param what names the action; the error begins with it
/// @return what `action` returns
/// @throws DeviceError; what else `action` throws
template <class Action>
decltype(auto) at_torch_boundary(const std::string& what, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    throw DeviceError(what + ": " + reason.substr(0, reason.find('\n')));
  }
}

}  // namespace homolog::inline v0_1
