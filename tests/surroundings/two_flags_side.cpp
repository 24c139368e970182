// SPDX-License-Identifier: Apache-2.0
// One side of two_flags.sh, in the namespace SIDE.
#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "two_flags.hpp"

namespace SIDE {
namespace {

homolog::FeatureMap drawn_map(int rows, int cols, int dim) {
  homolog::FeatureMap map(rows, cols, dim);
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      for (int d = 0; d < dim; ++d) {
        map.values(row * cols + col, d) = static_cast<float>((row * 7 + col * 3 + d * d) % 11) - 5;
      }
    }
  }
  homolog::normalize_rows(map.values);
  return map;
}

homolog::Image drawn_image(int width, int height) {
  homolog::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int k = 0; k < 3; ++k) {
        image.at(x, y)[k] = static_cast<std::uint8_t>((x * 5 + y * 3 + x * y / 7 + k * 80) % 256);
      }
    }
  }
  return image;
}

homolog::Execution with_workspace(homolog::KernelWorkspace& workspace, int threads) {
  homolog::Execution execution{threads};
  execution.workspace = &workspace;
  return execution;
}

}  // namespace

std::unique_ptr<Everything> make() {
  auto all = std::make_unique<Everything>();
  all->matrix.resize(13, 7);
  std::fill_n(all->matrix.data(), all->matrix.size(), 0.5F);
  all->floats.room(77);
  all->map = drawn_map(9, 11, 24);
  all->maps.assign(3, drawn_map(4, 5, 6));
  all->image = drawn_image(60, 48);
  all->input = homolog::InputBatch(2, {28, 14});
  all->bytes = homolog::ByteBatch(2, {28, 14});
  all->cells = {{1, 2}, {3.25, 4.5}, {7, 1}};
  all->pipeline.setting.image_size = 64;
  all->features = all->pipeline.features(all->image);
  all->result = all->pipeline.match(all->image, all->image, {{10, 10}, {30, 20}});
  all->norms = homolog::upsampled_norms(all->map, {40, 30}, with_workspace(all->workspace, 1));
  all->rounded = homolog::to_bfloat16(all->map);
  all->peaks = homolog::find_mutual_peaks(all->map.descriptors(), all->map);
  all->backbone = homolog::AnyBackbone(homolog::SyntheticBackbone{});
  all->store = std::make_unique<homolog::FeatureStore>(100000000);
  all->store->put(all->stored++, all->map);
  return all;
}

void change(Everything& all) {
  // Larger and smaller than before, over the memory of the other side.
  all.matrix.resize(31, 9);
  all.floats.room(1000);
  homolog::FeatureMap map = drawn_map(6, 8, 40);
  std::swap(all.map, map);
  all.maps.front() = map;
  all.maps.back() = std::move(map);
  for (int i = 0; i < 20; ++i) all.maps.push_back(all.maps[1]);
  all.maps.erase(all.maps.begin() + 1);
  all.image = drawn_image(90, 30);
  all.input = homolog::InputBatch(5, {14, 14});
  all.bytes.values.resize(3000);
  all.cells.push_back({5, 5});
  all.features = all.pipeline.features(all.image);
  all.result = all.pipeline.match(all.features, all.features, {{40, 20}, {3, 3}, {80, 10}});
  const auto sampled = homolog::sample_descriptors(all.map, all.cells, homolog::Query::bilinear);
  const homolog::MatrixView descriptors(sampled.data(), sampled.rows(), sampled.cols());
  homolog::similarity_rows(descriptors, all.map, all.matrix, with_workspace(all.workspace, 2));
  all.workspace.per_thread.resize(5);
  all.norms = homolog::upsampled_norms(all.map, {20, 20}, with_workspace(all.workspace, 1));
  all.rounded = homolog::to_bfloat16(all.map);
  all.peaks = homolog::find_mutual_peaks(descriptors, all.map);
  const auto found = all.backbone(homolog::InputBatch(2, {64, 48}));
  all.maps.insert(all.maps.end(), found.begin(), found.end());
  all.store->put(all.stored, *all.store->get(all.stored - 1));
  all.store->put(all.stored + 1, all.map);
  all.stored += 2;
}

double sum(const Everything& all) {
  const auto of = [](const homolog::FloatMatrix& matrix) {
    return std::accumulate(matrix.data(), matrix.data() + matrix.size(), 0.0);
  };
  double total = of(all.matrix) + of(all.map.values) + of(all.features.map.values);
  for (const auto& map : all.maps) total += of(map.values);
  for (std::size_t i = 0; i < all.stored; ++i) total += of(all.store->get(i)->values);
  total += of(all.norms.inverse) + of(all.norms.largest);
  for (const auto point : all.result.points) total += point.x + point.y;
  return total + static_cast<double>(all.image.pixels.size() + all.input.values.size());
}

Everything by_value(Everything all) {
  change(all);
  return all;
}

void destroy(std::unique_ptr<Everything> all) { all.reset(); }

}  // namespace SIDE
