// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The pairs of a training step, and the tokens that the tuned blocks read for them.

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
#include "homolog/train/frozen_trunk.hpp"
#include "homolog/train/pair_batch.hpp"
#include "homolog/train/random.hpp"
#include "homolog/train/training.hpp"

namespace homolog::inline v0_1::detail {

/// The steps of a training. It refers to its arguments, which must outlive it.
template <class Augment>
struct StepBatches {
  const Dataset& train;
  const TrainingSetting& setting;
  const Augment& augment;
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

  /// Whether any pair of the training is mirrored in any epoch.
  bool ever_mirrors() const {
    if constexpr (MirrorsPairs<Augment>) {
      for (std::uint64_t epoch = 0; epoch < static_cast<std::uint64_t>(setting.epochs); ++epoch) {
        for (std::uint64_t i = 0; i < train.pairs.size(); ++i) {
          RandomStream random(setting.seed, {epoch, i});
          if (augment.mirrors(random)) return true;
        }
      }
    }
    return false;
  }

  /// The names of some pairs, for an error message.
  std::string names_of(const std::vector<std::vector<std::size_t>>& parts) const {
    constexpr std::size_t shown = 8;
    std::string names;
    std::size_t count = 0;
    for (const auto& part : parts) {
      for (const std::size_t i : part) {
        if (++count <= shown) names += (count > 1 ? ", " : "") + train.pairs[i].name;
      }
    }
    if (count > shown) names += text(" and ", count - shown, " more");
    return text(count == 1 ? "pair " : "pairs ", names);
  }

  /// The pairs of this process in a step, in parts of batch_size; `points` receives the number of
  /// keypoints of all processes.
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

  /// Tokens and cells of some pairs, augmented with random numbers that depend on the epoch and the
  /// pair.
  ///
  /// @throws PointError, ShapeError when the augmentation moves a keypoint out of its picture or
  /// drops one
  PairBatch make_batch(const std::vector<std::size_t>& pairs, std::int64_t epoch) {
    Rows rows;
    for (const std::size_t i : pairs) {
      RandomStream random(setting.seed,
                          {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(i)});
      rows.batch.pairs.push_back(changes_views(augment) ? changed_pair(rows, i, random)
                                                        : kept_pair(rows, i, random));
    }
    rows.batch.tokens = at::stack(rows.tokens);
    return std::move(rows.batch);
  }

 private:
  /// A batch whose pictures' tokens are not yet stacked into one tensor.
  struct Rows {
    PairBatch batch;
    std::vector<torch::Tensor> tokens;
    std::map<std::pair<std::string, bool>, std::size_t> of_picture;  ///< path, flip

    std::size_t add(torch::Tensor picture, const FrameTransform& frame) {
      batch.input = frame.image.input;
      batch.content.push_back(content_cells(frame.image, frame.grid.patch));
      tokens.push_back(std::move(picture));
      return tokens.size() - 1;
    }
  };

  /// A pair whose pictures the augmentation has changed; their tokens are computed anew.
  PairBatch::Item changed_pair(Rows& rows, std::size_t i, RandomStream& random) {
    PairBatch::Item item;
    if constexpr (ChangesViews<Augment>) {
      const auto [source, target] =
          augment(view(train.pairs[i], true), view(train.pairs[i], false), random);
      const auto row = [&](const AnnotatedImage& changed, Points<GridFrame>& cells) {
        require_kept(changed, train.pairs[i]);
        const FrameTransform frame = trunk.transform(changed.image.size());
        cells = frame.to_grid(changed.keypoints);
        return rows.add(trunk.compute(changed.image), frame);
      };
      item.source = row(source, item.source_cells);
      item.target = row(target, item.target_cells);
    }
    return item;
  }

  /// A pair as it is or mirrored. A mirrored picture counts as another picture, whose tokens are
  /// kept as well.
  PairBatch::Item kept_pair(Rows& rows, std::size_t i, RandomStream& random) {
    PairBatch::Item item;
    if constexpr (MirrorsPairs<Augment>) {
      const Pair& pair = train.pairs[i];
      const bool flip = pair.flip != augment.mirrors(random);
      const auto row = [&](std::size_t picture, const Points<ImageFrame>& points,
                           Points<GridFrame>& cells) {
        const auto& known = set.pictures[picture];
        const int width = known.transform.image.image.width;
        cells = known.transform.to_grid(flip ? flip_points_inside(points, width) : points);
        const auto [found, added] = rows.of_picture.try_emplace({known.path, flip}, 0);
        if (added) found->second = rows.add(trunk.tokens(known.path, flip), known.transform);
        return found->second;
      };
      item.source = row(set.of_pair[i].first, pair.source_keypoints, item.source_cells);
      item.target = row(set.of_pair[i].second, pair.target_keypoints, item.target_cells);
    }
    return item;
  }

  /// Checks that an augmentation neither drops a keypoint nor moves one out of its picture.
  static void require_kept(const AnnotatedImage& changed, const Pair& pair) {
    const std::string where = "augmentation of pair " + pair.name + ": ";
    if (changed.keypoints.size() != pair.source_keypoints.size()) {
      throw ShapeError(text(where, "expected ", pair.source_keypoints.size(), " keypoints, got ",
                            changed.keypoints.size()));
    }
    try {
      require_inside(changed.keypoints, changed.image.size());
    } catch (const PointError& error) {
      throw PointError(where + error.what());
    }
  }

  static AnnotatedImage view(const Pair& pair, bool source) {
    AnnotatedImage result{load_image(source ? pair.source : pair.target),
                          source ? pair.source_keypoints : pair.target_keypoints};
    return pair.flip ? flip_view(result) : result;
  }
};

}  // namespace homolog::inline v0_1::detail
