// SPDX-License-Identifier: Apache-2.0
// What the CUDA decoders refuse, which needs no device.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "homolog/kernels/cuda/decoder.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

using namespace homolog;

namespace {

template <class Action>
bool is_refused(const Action& action) {
  try {
    action();
  } catch (const SettingError&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the device's decoders refuse the settings that the host's matchers refuse") {
  const float values[4] = {0.1F, 0.4F, 0.2F, 0.3F};
  const SimilarityMap map(values, 2, 2);
  const cuda::Grid grid{2, 2, 0, 0, 2, 2};
  const auto device = [&](cuda::DecoderSetting setting) {
    return is_refused([&] { cuda::detail::require_decodable(grid, setting, 1); });
  };
  const float infinity = std::numeric_limits<float>::infinity();
  int refused = 0;
  for (const float number : {1.0F, 0.0F, -1.0F, infinity, -infinity, std::nanf("")}) {
    const bool soft = is_refused([&] { SoftArgmax{{number}}(map); });
    CHECK(device({cuda::Decoder::soft_argmax, number}) == soft);
    CHECK(device({cuda::Decoder::window_soft_argmax, number}) == is_refused([&] {
            WindowSoftArgmax{{2, number}}(map);
          }));
    CHECK(device({cuda::Decoder::kernel_soft_argmax, number}) == is_refused([&] {
            KernelSoftArgmax{{7, number}}(map);
          }));
    CHECK(device({cuda::Decoder::kernel_soft_argmax, 10, 2, number}) == is_refused([&] {
            KernelSoftArgmax{{number, 10}}(map);
          }));
    CHECK(!device({cuda::Decoder::argmax, number, -1, number}));  // it reads none of them
    refused += soft;
  }
  CHECK(refused == 5);
  for (const int radius : {-1, 0, 3, std::numeric_limits<int>::max()}) {
    CHECK(device({cuda::Decoder::window_soft_argmax, 10, radius}) == is_refused([&] {
            WindowSoftArgmax{{radius, 10}}(map);
          }));
  }
  CHECK(device({static_cast<cuda::Decoder>(9)}));
}

TEST_CASE("the device's decoders refuse grids without cells and launches that are too large") {
  const auto refuse = [](const cuda::Grid& grid, std::size_t count) {
    CHECK_THROWS_AS(cuda::detail::require_decodable(grid, {}, count), ShapeError);
  };
  cuda::detail::require_decodable({2, 3, 0, 0, 3, 2}, {}, 0);
  refuse({}, 1);
  refuse({-1, -1, 0, 0, 1, 1}, 1);
  refuse({2, 3, 0, 0, 4, 2}, 1);
  refuse({2, 3, 1, 0, 1, 2}, 1);
  refuse({2, 3, -1, 0, 3, 2}, 1);
  refuse({1 << 16, 1 << 15, 0, 0, 1, 1}, 1);
  refuse({1, 0x7fffffff, 0, 0, 1, 1}, 1);
  refuse({2, 3, 0, 0, 3, 2}, std::size_t{1} << 31);
}
