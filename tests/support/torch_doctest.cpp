// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
