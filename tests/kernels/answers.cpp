// SPDX-License-Identifier: Apache-2.0
// Prints what the kernels and matchers answer to fixed inputs, for one processor's answers to be
// compared with another's (compare_answers.py). A line `exact` has a hash of all bits, which sets
// with fused multiply-add share; a line `near` has values that the C library or the compiler's own
// contraction of a * b + c may round otherwise.
//   HOMOLOG_INSTRUCTION_SET=avx2 kernel_answers
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "homolog/kernels/attention.hpp"
#include "homolog/kernels/bfloat16_scan.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/mutual_peaks.hpp"
#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/kernels/upsampled_peak.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

using namespace homolog;

namespace {

/// The standard's distributions may differ from one C library to the next; this does not.
class Values {
 public:
  explicit Values(unsigned seed) : random_(seed) {}
  /// In [-1, 1), with all bits of a float32's fraction in use.
  float next() {
    return static_cast<float>(static_cast<int>(random_() >> 8) - (1 << 23)) / (1 << 23);
  }
  std::size_t below(std::size_t most) { return random_() % most; }
  /// `percent` of the values are such as numerical code trips over.
  void fill(float* values, std::size_t count, std::size_t percent = 0) {
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinite = std::numeric_limits<float>::infinity();
    const float special[] = {0.0F, -0.0F, none, infinite, -infinite, 1e-41F, -1e-45F, 3e38F};
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = below(100) < percent ? special[below(8)] : next();
    }
  }

 private:
  std::mt19937 random_;
};

FeatureMap map_of(int rows, int cols, int dim, unsigned seed, std::size_t percent = 0) {
  FeatureMap map(rows, cols, dim);
  Values(seed).fill(map.values.data(), static_cast<std::size_t>(map.values.size()), percent);
  return map;
}

/// Bits of everything that one line speaks of.
struct Exact {
  explicit Exact(std::string name_) : name(std::move(name_)) {}
  ~Exact() {
    std::printf("exact %s: %zu values, %016llx\n", name.c_str(), count,
                static_cast<unsigned long long>(hash));
  }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  template <class T>
  void add(T value) {
    unsigned char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof value);
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3ULL;  // FNV-1a
    ++count;
  }
  void add(const float* values, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) add(values[i]);
  }
  std::string name;
  std::size_t count = 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
};

void near(const char* name, const std::vector<double>& values) {
  std::printf("near %s:", name);
  for (const double value : values) std::printf(" %.9g", value);
  std::printf("\n");
}

void dot_products(InstructionSet set) {
  Values draw(1);
  Exact plain("dot products"), trouble("dot products with NaN, infinities, denormals and overflow");
  for (int round = 0; round < 400; ++round) {
    const std::size_t dims[] = {1, 1 + draw.below(20), 1 + draw.below(200), 384};
    const std::size_t dim = dims[round % 4], padded = detail::padded_dim(dim);
    const std::size_t queries = 1 + draw.below(21), cells = 1 + draw.below(40);
    // Cells need not lie on a cache line, nor on any other.
    std::vector<float> q(queries * padded), c(cells * dim + 16), out(queries * cells, 7);
    float* const first = c.data() + draw.below(16);
    const bool bad = round % 3 == 0;
    draw.fill(q.data(), q.size(), bad ? 3 : 0);
    draw.fill(first, cells * dim, bad ? 3 : 0);
    if (round % 5 == 0) std::memcpy(q.data(), first, dim * sizeof(float));  // ties
    AlignedFloats scratch;
    detail::dot_products({q.data(), queries, padded, first, dim, out.data(), cells}, cells / 3,
                         cells, scratch.room(6 * padded), set);
    (bad ? trouble : plain).add(out.data(), out.size());
  }
}

void peaks(InstructionSet set) {
  Exact similarity("similarity rows"), peak("peaks, also of ties and padding"),
      mutual("mutual peaks"), two("the two largest");
  for (const int dim : {1, 2, 16, 50, 384, 768, 1024}) {
    for (const int count : {1, 4, 20, 70}) {
      FeatureMap target = map_of(19, 23, dim, static_cast<unsigned>(dim), dim % 3 == 0 ? 1 : 0);
      const FeatureMap source = map_of(1, count, dim, static_cast<unsigned>(count));
      if (dim <= 2) {  // few values: many ties
        float* const values = target.values.data();
        for (int i = 0; i < 19 * 23 * dim; ++i) values[i] = std::round(4 * values[i]);
      }
      if (dim == 50) target.content = {2, 3, 20, 17};
      FloatMatrix rows;
      similarity_rows(source.descriptors(), target, rows, {1, set});
      similarity.add(rows.data(), static_cast<std::size_t>(rows.size()));
      const auto add = [](Exact& to, const Peak& found) {
        to.add(static_cast<std::int64_t>(found.row));
        to.add(static_cast<std::int64_t>(found.col));
        to.add(found.value);
      };
      for (const Peak& found : find_peaks(source.descriptors(), target, {2, set})) add(peak, found);
      const MutualPeaks both = find_mutual_peaks(source.descriptors(), target, {2, set});
      for (const Peak& found : both.cell_of_query) add(mutual, found);
      for (const std::int32_t query : both.query_of) mutual.add(query);
      for (int i = 0; i < count; ++i) {
        const TopTwo found = find_top_two(SimilarityMap(detail::row_of(rows, i), 19, 23));
        add(two, found.first);
        add(two, found.second);
      }
    }
  }
}

void softmax(InstructionSet set) {
  Exact moments("softmax moments"), argmax("soft argmax");
  std::vector<double> windows, damped;
  Values draw(3);
  for (std::size_t round = 0; round < 200; ++round) {
    const std::size_t rows = 1 + round % 40, cols = 1 + (round * 7) % 61;
    std::vector<float> values(rows * cols);
    draw.fill(values.data(), values.size());
    for (float& value : values) {
      if (round % 3 == 0 && draw.below(100) < 20) {
        value = draw.below(2) == 0 ? -std::numeric_limits<float>::infinity()
                                   : std::numeric_limits<float>::quiet_NaN();
      }
    }
    values[round % values.size()] = 1;
    for (const float temperature : {0.01F, 1.0F, 50.0F, 1e4F}) {
      const auto found = detail::softmax_moments(values.data(), rows, cols, 1, temperature, set);
      moments.add(found.total);
      moments.add(found.x);
      moments.add(found.y);
    }
    const SimilarityMap map(values.data(), static_cast<int>(rows), static_cast<int>(cols));
    const Match soft = SoftArgmax{}(map), window = WindowSoftArgmax{}(map),
                kernel = KernelSoftArgmax{}(map);
    argmax.add(soft.cell.x);
    argmax.add(soft.cell.y);
    windows.insert(windows.end(), {window.cell.x, window.cell.y});
    damped.insert(damped.end(), {kernel.cell.x, kernel.cell.y});
  }
  near("window soft argmax", windows);
  near("kernel soft argmax", damped);
}

void attention(InstructionSet set) {
  Exact answers("attention");
  for (const std::size_t dim : {16U, 48U, 64U, 80U}) {
    for (const std::size_t tokens : {1U, 5U, 24U, 97U, 257U}) {
      const std::size_t heads = 3, stride = 3 * heads * dim;
      std::vector<float> qkv(tokens * stride), out(tokens * heads * dim);
      Values(static_cast<unsigned>(tokens + dim)).fill(qkv.data(), qkv.size());
      const AttentionInputs<float> in{
          qkv.data(), qkv.data() + heads * dim, qkv.data() + 2 * heads * dim, stride, tokens, heads,
          dim};
      AttentionWorkspace workspace;
      attend(in, 1 / std::sqrt(static_cast<float>(dim)), out.data(), heads * dim, {2, set},
             workspace);
      answers.add(out.data(), out.size());
    }
  }
}

void samples(InstructionSet set) {
  FeatureMap map = map_of(9, 12, 50, 5);
  normalize_rows(map.values);
  Exact("normalised rows").add(map.values.data(), static_cast<std::size_t>(map.values.size()));
  Points<GridFrame> points;
  Values draw(6);
  for (int i = 0; i < 20; ++i) {
    points.push_back(
        {5.5 + 6 * static_cast<double>(draw.next()), 4 + 5 * static_cast<double>(draw.next())});
  }
  const FloatMatrix nearest = sample_descriptors(map, points, Query::nearest);
  Exact("nearest samples").add(nearest.data(), static_cast<std::size_t>(nearest.size()));
  const FloatMatrix between = sample_descriptors(map, points, Query::bilinear);
  near("bilinear samples", {between.data(), between.data() + between.size()});
  const auto norms = upsampled_norms(map, {168, 126}, {2, set});
  std::vector<double> pixels;
  for (const PixelPeak& peak : find_upsampled_peaks(
           MatrixView(between.data(), between.rows(), between.cols()), map, norms, {2, set})) {
    pixels.insert(pixels.end(), {static_cast<double>(peak.x), static_cast<double>(peak.y),
                                 static_cast<double>(peak.value)});
  }
  near("upsampled peaks", pixels);
}

}  // namespace

int main() try {
  const InstructionSet set = active_instruction_set();
  std::printf("instruction set %s\n", std::string(instruction_set_name(set)).c_str());
  dot_products(set);
  peaks(set);
  softmax(set);
  attention(set);
  samples(set);
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "kernel_answers: %s\n", error.what());
  return 1;
}
