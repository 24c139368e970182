// SPDX-License-Identifier: Apache-2.0
// Shows what a matcher sees and what it answers: the source with its keypoint, the similarity map
// over the target, and the cells around the peak with the answers of four matchers.
//   07_similarity_maps WEIGHTS LAYER SOURCE TARGET x y OUTPUT.png
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <homolog/homolog.hpp>
#include <homolog/visualization/draw_matches.hpp>
#include <homolog/visualization/draw_similarity.hpp>

using homolog::Colour, homolog::Image, homolog::ImageFrame, homolog::Point;

void paste(Image& canvas, const Image& part, int left) {
  for (int y = 0; y < std::min(part.height, canvas.height); ++y) {
    std::copy_n(part.at(0, y), part.width * 3, canvas.at(left, y));
  }
}

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr, "usage: %s WEIGHTS LAYER SOURCE TARGET x y OUTPUT.png\n", argv[0]);
    return 2;
  }
  try {
    homolog::Pipeline<homolog::DinoV2> pipeline;
    pipeline.backbone.load(argv[1]);
    pipeline.backbone.setting.layer = std::atoi(argv[2]);
    Image source = homolog::load_image(argv[3]);
    const Image target = homolog::load_image(argv[4]);
    const Point<ImageFrame> keypoint{std::atof(argv[5]), std::atof(argv[6])};

    const homolog::ImageFeatures from = pipeline.features(source), to = pipeline.features(target);
    const auto query = homolog::sample_descriptors(from.map, {from.transform.to_grid(keypoint)},
                                                   homolog::Query::bilinear);
    homolog::FloatMatrix similarity;
    homolog::similarity_rows({query.data(), 1, query.cols()}, to.map, similarity);
    const homolog::SimilarityMap map(similarity.data(), to.map.rows, to.map.cols);

    homolog::draw_point(source, keypoint, 6, {255, 60, 40});
    homolog::DrawSimilaritySetting smooth;
    smooth.smooth = true;
    Image heat = homolog::draw_similarity(target, map, to.transform, smooth);
    Image cells = homolog::draw_similarity(target, map, to.transform);

    // The peak's neighbourhood, enlarged: pixels of the target to pixels of the enlargement.
    const Point<ImageFrame> peak = to.transform.answer_to_image(homolog::Argmax{}(map).cell);
    const int side = target.height, span = std::min({96, target.width, target.height});
    const int left = std::clamp(static_cast<int>(peak.x) - span / 2, 0, target.width - span);
    const int top = std::clamp(static_cast<int>(peak.y) - span / 2, 0, target.height - span);
    const double scale = static_cast<double>(side) / span;
    Image zoom(side, side);
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const int u = left + static_cast<int>(x / scale), v = top + static_cast<int>(y / scale);
        std::copy_n(cells.at(u, v), 3, zoom.at(x, y));
      }
    }
    const auto show = [&](const char* name, const auto& matcher, Colour colour) {
      const auto at = to.transform.answer_to_image(matcher(map).cell);
      std::printf("%-18s (%.1f, %.1f)\n", name, at.x, at.y);
      homolog::draw_point(zoom, {(at.x - left + 0.5) * scale, (at.y - top + 0.5) * scale}, 7,
                          colour);
    };
    show("Argmax", homolog::Argmax{}, {255, 60, 40});
    show("SoftArgmax", homolog::SoftArgmax{}, {60, 110, 255});
    show("KernelSoftArgmax", homolog::KernelSoftArgmax{}, {255, 170, 30});
    show("WindowSoftArgmax", homolog::WindowSoftArgmax{}, {255, 90, 220});
    homolog::draw_point(heat, peak, 6, {255, 60, 40});

    Image strip(source.width + target.width + side + 16, std::max(source.height, target.height));
    std::ranges::fill(strip.pixels, std::uint8_t{255});
    paste(strip, source, 0);
    paste(strip, heat, source.width + 8);
    paste(strip, zoom, source.width + target.width + 16);
    homolog::save_image(argv[7], strip);
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
