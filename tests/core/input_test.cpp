// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/input.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/synthetic.hpp"

using namespace homolog;

namespace {

// Wants bytes and would read all that a batch says it holds.
struct Bytes : SyntheticBackbone {
  using SyntheticBackbone::operator();
  bool takes_bytes() const { return true; }
  std::vector<FeatureMap> operator()(const ByteBatch& batch) const {
    return SyntheticBackbone::operator()(InputBatch(batch.batch, batch.size));
  }
};

template <class Batch, class Change>
void refuse(const Change& change) {
  Batch batch(2, {32, 16});
  CHECK_NOTHROW(AnyBackbone(Bytes{})(batch));
  change(batch);
  CHECK_THROWS_AS(AnyBackbone(Bytes{})(batch), ShapeError);
  if constexpr (std::is_same_v<Batch, InputBatch>) {
    CHECK_THROWS_AS(SyntheticBackbone{}(batch), ShapeError);
  }
}

}  // namespace

TEST_CASE("a batch whose public numbers contradict each other is refused, not read") {
  const auto both = [](const auto& change) {
    refuse<InputBatch>(change);
    refuse<ByteBatch>(change);
  };
  both([](auto& batch) { batch.batch = 3; });
  both([](auto& batch) { batch.batch = 0; });
  both([](auto& batch) { batch.batch = -2; });
  both([](auto& batch) { batch.size.height = 32; });
  both([](auto& batch) { batch.size = {-32, -16}; });
  both([](auto& batch) { batch.size = {0, 0}; });
  both([](auto& batch) { batch.size = {1 << 30, 1 << 30}; });
  both([](auto& batch) { batch.values.pop_back(); });
  both([](auto& batch) { batch.values.clear(); });
  refuse<ByteBatch>([](ByteBatch& batch) { batch.content.pop_back(); });
  refuse<ByteBatch>([](ByteBatch& batch) { batch.content[1].x = 1; });
  refuse<ByteBatch>([](ByteBatch& batch) { batch.content[1].y = -1; });
  refuse<ByteBatch>([](ByteBatch& batch) { batch.content[0].size = {0, 16}; });
  refuse<ByteBatch>([](ByteBatch& batch) {
    batch.content[0] = {std::numeric_limits<int>::max(), 0, {1, 1}};
  });
  const InputBatch none;
  CHECK_THROWS_WITH_AS(SyntheticBackbone{}(none),
                       "input batch: 0 values for 0 pictures of 0x0 px with 3 channels",
                       ShapeError);
}
