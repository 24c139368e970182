// SPDX-License-Identifier: Apache-2.0
#include "report/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "homolog/core/concepts.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/images/resize.hpp"
#include "homolog/metrics/pck.hpp"
#include "homolog/visualization/draw_matches.hpp"
#include "report/read_result.hpp"

namespace tool::report {

using namespace homolog;

namespace {

// A picture resized for a page.
struct SmallPicture {
  Image image;
  double across = 1, down = 1;  // new pixels a pixel
  int width = 0;                // [px] as decoded

  Points<ImageFrame> moved(Points<ImageFrame> points) const {
    for (auto& point : points) {
      point.x = (point.x + 0.5) * across - 0.5;
      point.y = (point.y + 0.5) * down - 0.5;
    }
    return points;
  }
};

// Reads a picture and brings it to the height all pictures of a page share.
SmallPicture load_small(const std::string& named, const ReportResult& result, bool flip) {
  constexpr double height = 240, most_width = 480;
  const auto path = find_beside(named, result.file);
  if (!path) {
    throw ReportError(text(result.file.string(), ": picture of its predictions: no such file: ",
                           printable_text(named, 200)));
  }
  Image image = load_image(*path);
  if (flip) image = flip_horizontally(image);
  const double scale = (std::min)(height / image.height, most_width / image.width);
  const auto scaled = [scale](int length) {
    return (std::max)(1, static_cast<int>(std::lround(length * scale)));
  };
  const Size size{scaled(image.width), scaled(image.height)};
  return {resize_image(image, size), static_cast<double>(size.width) / image.width,
          static_cast<double>(size.height) / image.height, image.width};
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t at = i + k;
      group = group << 8 | (at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      result += padding ? '=' : digits[group >> (18 - 6 * k) & 63U];
    }
  }
  return result;
}

std::vector<PairOutcome> pair_outcomes(const ReportResult& result, double alpha) {
  std::vector<PairOutcome> outcomes;
  for (std::size_t i = 0; i < result.errors.size(); ++i) {
    const PairErrors& pair = result.errors[i];
    const double count = static_cast<double>(pair.distances.size());
    const double mean = std::accumulate(pair.distances.begin(), pair.distances.end(), 0.0) / count;
    const auto correct = std::ranges::count_if(pair.distances, [&](double distance) {
      return is_correct(distance, alpha, pair.threshold_scale);
    });
    outcomes.push_back(
        {i, 100 * static_cast<double>(correct) / count, mean, mean / pair.threshold_scale});
  }
  return outcomes;
}

std::pair<std::vector<PairOutcome>, std::vector<PairOutcome>> best_and_worst(
    std::vector<PairOutcome> outcomes, std::size_t count) {
  std::ranges::sort(outcomes, [](const PairOutcome& a, const PairOutcome& b) {
    if (a.pck != b.pck) return a.pck > b.pck;
    if (a.relative != b.relative) return a.relative < b.relative;
    return a.index < b.index;
  });
  const auto distance = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  const std::size_t best = (std::min)(count, (outcomes.size() + 1) / 2);
  const std::size_t worst = (std::min)(count, outcomes.size() - best);
  return {{outcomes.begin(), outcomes.begin() + distance(best)},
          {outcomes.rbegin(), outcomes.rbegin() + distance(worst)}};
}

Image draw_pair(const ReportResult& result, std::size_t index, double alpha) {
  const DrawSetting setting;
  const ReportPair& pair = result.pairs[index];
  const SmallPicture source = load_small(pair.source, result, pair.flip);
  const SmallPicture target = load_small(pair.target, result, pair.flip);
  const auto predicted = target.moved(pair.predicted), truth = target.moved(pair.truth);
  const double threshold =
      alpha * result.errors[index].threshold_scale * (target.across + target.down) / 2;
  if (!pair.queries.empty()) {
    Points<ImageFrame> queries =
        pair.queries;  // as annotated; predictions are of mirrored pictures
    for (auto& point : queries) point.x = pair.flip ? source.width - 1 - point.x : point.x;
    return draw_matches(source.image, target.image, source.moved(std::move(queries)), predicted,
                        &truth, threshold, setting);
  }
  Image canvas = draw_matches(source.image, target.image, {}, {}, nullptr, 0, setting);
  const int shift = source.image.width + setting.gap;
  for (std::size_t n = 0; n < truth.size(); ++n) {
    const Colour colour = match_colour(n);
    const Point<ImageFrame> from{truth[n].x + shift, truth[n].y};
    const Point<ImageFrame> to{predicted[n].x + shift, predicted[n].y};
    draw_line(canvas, from, from, 2 * setting.radius + 3, colour);
    draw_line(canvas, from, from, 2 * setting.radius, {255, 255, 255});
    draw_line(canvas, from, to, setting.line_width, colour);
    draw_point(canvas, to, setting.radius, colour);
  }
  return canvas;
}

std::string picture_address(const Image& image) {
  constexpr int quality = 85;
  return "data:image/jpeg;base64," + base64(encode_jpeg(image, quality));
}

}  // namespace tool::report
