// SPDX-License-Identifier: Apache-2.0
// Inputs that no memory holds are refused before the forward.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/core/detail/available_memory.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

// Says that each patch takes a GiB, and must not run on more than one machine has.
struct Hungry : SyntheticBackbone {
  std::uint64_t forward_bytes(Size input, int pictures) const {
    return (static_cast<std::uint64_t>(input.width / 16) *
            static_cast<std::uint64_t>(input.height / 16) * static_cast<std::uint64_t>(pictures))
           << 30;
  }
  std::vector<FeatureMap> operator()(const InputBatch&) const {
    throw ValueError("the backbone must not run");
  }
};

}  // namespace

TEST_CASE("a picture whose input takes more memory than there is is refused before the forward") {
  if (!homolog::detail::available_memory()) return skip("the available memory is not known");
  const Image picture(2048, 1024);
  Pipeline<AnyBackbone> pipeline{AnyBackbone(Hungry{})};
  pipeline.setting.resize = Resize::native;
  CHECK_THROWS_WITH_AS(
      pipeline.match(picture, picture, {{3, 3}}),
      doctest::Contains("features: the picture, of 2048x1024 px, becomes an input of 2048x1024 px "
                        "with 8192 patches; 1 at once would take at least 8192 GiB, "),
      SettingError);

  const TemporaryFolder folder;
  Dataset dataset{"large", "test", ThresholdNorm::image_size, {}};
  dataset.pairs.resize(1);
  dataset.pairs[0].source = dataset.pairs[0].target = folder.path / "large.png";
  dataset.pairs[0].source_keypoints = dataset.pairs[0].target_keypoints = {{1, 1}};
  save_image(folder.path / "large.png", picture);
  CHECK_THROWS_WITH_AS(evaluate(pipeline, dataset), doctest::Contains("large.png, of 2048x1024 px"),
                       SettingError);
  // Nothing is forwarded here, so nothing is refused.
  Pipeline<Hungry, CopyCoordinates> copied;
  copied.setting.resize = Resize::native;
  CHECK_NOTHROW(evaluate(copied, dataset));
}

TEST_CASE("a control group's limit counts, but for the pages of files in it") {
  const TemporaryFolder folder;
  CHECK(!homolog::detail::left_in_group(folder.path));
  homolog::test::write_file(folder.path / "memory.max", "max\n");
  homolog::test::write_file(folder.path / "memory.current", "700\n");
  CHECK(!homolog::detail::left_in_group(folder.path));
  homolog::test::write_file(folder.path / "memory.max", "1000\n");
  CHECK(homolog::detail::left_in_group(folder.path) == 300);
  homolog::test::write_file(folder.path / "memory.stat", "anon 5\ninactive_file 200\nother 9\n");
  CHECK(homolog::detail::left_in_group(folder.path) == 500);
  homolog::test::write_file(folder.path / "memory.current", "1700\n");
  CHECK(homolog::detail::left_in_group(folder.path) == 0);
  const TemporaryFolder older;
  homolog::test::write_file(older.path / "memory.limit_in_bytes", "900\n");
  homolog::test::write_file(older.path / "memory.usage_in_bytes", "400\n");
  CHECK(homolog::detail::left_in_group(older.path) == 500);
}
