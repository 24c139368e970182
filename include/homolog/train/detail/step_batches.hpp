// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which pairs a training step consists of, and what the tuned blocks read of them.

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "homolog/datasets/picture_set.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/train/augment.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/frozen_trunk.hpp"
#include "homolog/train/pair_batch.hpp"
#include "homolog/train/random.hpp"

namespace homolog::inline v0_1::detail {

/// The steps of a training; refers to what finetune() was given.
struct StepBatches {
  const Dataset& train;
  const FinetuneSetting& setting;
  const PictureSet& set;
  FrozenTrunk& trunk;
  std::vector<std::size_t> order{};  ///< pairs of `order_epoch`
  std::int64_t order_epoch = -1;

  /// Pairs of all processes in a step.
  std::size_t pairs_a_step() const {
    return static_cast<std::size_t>(setting.batch_size) *
           static_cast<std::size_t>(setting.accumulate) *
           static_cast<std::size_t>(setting.shard.count);
  }
  /// Steps of an epoch; the last may be smaller.
  std::int64_t an_epoch() const {
    return static_cast<std::int64_t>((train.pairs.size() + pairs_a_step() - 1) / pairs_a_step());
  }

  /// The pairs of this process in a step, in parts of batch_size; `points` counts all processes'.
  std::vector<std::vector<std::size_t>> parts_of_step(std::int64_t epoch, std::int64_t position,
                                                      std::size_t& points) {
    if (epoch != order_epoch) {
      order = shuffled_order(train.pairs.size(), setting.seed, static_cast<std::uint64_t>(epoch));
      order_epoch = epoch;
    }
    const std::size_t begin = static_cast<std::size_t>(position) * pairs_a_step();
    const std::size_t end = (std::min)(begin + pairs_a_step(), order.size());
    std::vector<std::vector<std::size_t>> parts;
    points = 0;
    std::size_t mine = 0;
    for (std::size_t i = begin; i < end; ++i) {
      points += train.pairs[order[i]].source_keypoints.size();
      if ((i - begin) % static_cast<std::size_t>(setting.shard.count) !=
          static_cast<std::size_t>(setting.shard.index)) {
        continue;
      }
      if (mine % static_cast<std::size_t>(setting.batch_size) == 0) parts.emplace_back();
      parts.back().push_back(order[i]);
      ++mine;
    }
    return parts;
  }

  /// Tokens and cells of some pairs, augmented as the epoch and the pair say.
  PairBatch make_batch(const std::vector<std::size_t>& pairs, std::int64_t epoch) {
    PairBatch batch;
    std::vector<torch::Tensor> tokens;
    std::map<std::pair<std::string, bool>, std::size_t> row_of;
    const auto add_row = [&](torch::Tensor picture, const FrameTransform& frame) {
      batch.input = frame.image.input;
      batch.content.push_back(content_cells(frame.image, frame.grid.patch));
      tokens.push_back(std::move(picture));
      return tokens.size() - 1;
    };
    for (const std::size_t i : pairs) {
      const Pair& pair = train.pairs[i];
      RandomStream random(setting.seed,
                          {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(i)});
      PairBatch::Item item;
      if (needs_pixels(setting.augment)) {
        auto [source, target] =
            augment_pair(view(pair, true), view(pair, false), setting.augment, random);
        const auto source_frame = trunk.transform(source.image.size());
        const auto target_frame = trunk.transform(target.image.size());
        item.source = add_row(trunk.compute(source.image), source_frame);
        item.target = add_row(trunk.compute(target.image), target_frame);
        item.source_cells = source_frame.to_grid(source.keypoints);
        item.target_cells = target_frame.to_grid(target.keypoints);
      } else {
        // A flip alone makes another picture, whose tokens are kept like any other's.
        const bool flip = pair.flip != choose_flip(setting.augment, random);
        const auto row = [&](std::size_t picture, const Points<ImageFrame>& points,
                             Points<GridFrame>& cells) {
          const auto& known = set.pictures[picture];
          const int width = known.transform.image.image.width;
          cells = known.transform.to_grid(flip ? flip_points_inside(points, width) : points);
          const auto [found, added] = row_of.try_emplace({known.path, flip}, 0);
          if (added) found->second = add_row(trunk.tokens(known.path, flip), known.transform);
          return found->second;
        };
        item.source = row(set.of_pair[i].first, pair.source_keypoints, item.source_cells);
        item.target = row(set.of_pair[i].second, pair.target_keypoints, item.target_cells);
      }
      batch.pairs.push_back(std::move(item));
    }
    batch.tokens = at::stack(tokens);
    return batch;
  }

 private:
  static View view(const Pair& pair, bool source) {
    View result{load_image(source ? pair.source : pair.target),
                source ? pair.source_keypoints : pair.target_keypoints};
    return pair.flip ? flip_view(result) : result;
  }
};

}  // namespace homolog::inline v0_1::detail
