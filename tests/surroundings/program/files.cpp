// SPDX-License-Identifier: Apache-2.0
// Data sets, evaluation, and weights files: written, read and evaluated.
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

#include "drawn_set/generate.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/core/decimal_number.hpp"
#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/pf_pascal.hpp"
#include "homolog/datasets/pf_willow_csv.hpp"
#include "homolog/datasets/select.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/safetensors.hpp"
#include "program.hpp"

int failures_of_files() {
  int failures = 0;
  const auto expect = [&](const char* what, bool fine) {
    if (!fine) std::printf("%s is wrong\n", what);
    failures += fine ? 0 : 1;
  };
  const std::filesystem::path folder = "program_files";  // in the current folder
  drawn_set::Setting drawn;
  drawn.train_images = drawn.val_images = 2;
  drawn.test_images = 2;
  drawn_set::generate(folder, drawn);
  const homolog::Dataset dataset =
      homolog::select_pairs(homolog::load_spair(folder, "test"), {}, 4);
  const homolog::Pipeline<homolog::SyntheticBackbone, homolog::Argmax> pipeline;
  const homolog::Evaluation evaluation = homolog::evaluate(pipeline, dataset);
  expect("the number of pairs", evaluation.total.pairs == 4 && evaluation.pairs.size() == 4);
  const auto json = homolog::evaluation_json(evaluation, dataset, homolog::Resize::squash, 518);
  expect("the JSON", json["pck"]["per_point"].size() == evaluation.alphas.size());

  homolog::TensorFile tensors;
  homolog::add_owned_tensor(tensors, "weight", homolog::DType::f32, {2, 3})[5] = std::byte{7};
  homolog::write_safetensors(folder / "weights.safetensors", tensors);
  const auto read = homolog::read_weights(folder / "weights.safetensors");
  expect("a weights file", read.tensors.at("weight").bytes[5] == std::byte{7});
  expect("a number", homolog::decimal_number("-0.1") == -0.1);
  expect("no number", !homolog::decimal_number("1,5"));
  return failures;
}
