// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Objects that each thread has one of, and that may be used while the thread ends.

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// The calling thread's own T.
///
/// Destructors of static objects run after the main thread's thread_local objects are gone, and may
/// still match keypoints. Such a late call gets a new T, which lives until the process ends.
template <class T>
T& thread_object() {
  thread_local T* object = nullptr;
  if (object == nullptr) {
    struct Owner {
      ~Owner() {
        delete object;
        object = nullptr;
      }
    };
    thread_local Owner owner;
    (void)owner;
    object = new T;
  }
  return *object;
}

}  // namespace homolog::inline v0_1::detail
