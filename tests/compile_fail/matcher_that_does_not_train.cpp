// SPDX-License-Identifier: Apache-2.0
// A host path alone where a tensor path is needed.
#include "homolog/core/concepts.hpp"

struct HostOnly {
  homolog::Match operator()(const homolog::SimilarityMap&) const { return {}; }
};

int main() { homolog::require_tensor_matcher<HostOnly>(); }
