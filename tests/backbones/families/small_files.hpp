// SPDX-License-Identifier: Apache-2.0
#pragma once

// Weights files in memory: random ones of small models, and the shapes of published ones.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "homolog/backbones/families/expected_tensors.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::test {

inline void add_random(TensorFile& file, const std::string& key,
                       const std::vector<std::int64_t>& shape, std::mt19937& random) {
  const auto buffer = add_owned_tensor(file, key, DType::f32, shape);
  for (std::size_t at = 0; at < buffer.size(); at += 4) {
    const float value = std::normal_distribution<float>()(random);
    std::memcpy(buffer.data() + at, &value, 4);
  }
}

inline TensorFile random_file(const std::vector<ExpectedTensor>& expected, bool with_optional) {
  std::mt19937 random(11);
  TensorFile file;
  file.name = "small";
  for (const auto& tensor : expected) {
    if (tensor.optional && !with_optional) continue;
    auto shape = tensor.shape;
    std::replace(shape.begin(), shape.end(), any_size, std::int64_t{10});
    add_random(file, tensor.key, shape, random);
  }
  return file;
}

inline bool same_tensors(const TensorFile& a, const TensorFile& b) {
  return std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && x.second.dtype == y.second.dtype &&
                             x.second.shape == y.second.shape &&
                             std::equal(x.second.bytes.begin(), x.second.bytes.end(),
                                        y.second.bytes.begin(), y.second.bytes.end());
                    });
}

inline TensorFile renamed(const TensorFile& file, const std::string& prefix) {
  TensorFile result{{}, file.metadata, file.owners, file.name};
  for (const auto& [key, view] : file.tensors) result.tensors[prefix + key] = view;
  return result;
}

struct Count {
  std::int64_t parameters = 0;
  std::size_t tensors = 0;
};

inline Count count(const std::vector<ExpectedTensor>& expected) {
  Count result;
  for (const auto& tensor : expected) {
    result.parameters += static_cast<std::int64_t>(*detail::checked_elements(tensor.shape));
    ++result.tensors;
  }
  return result;
}

/// A file without data, but with the shapes of a published model, as to_original_keys() gives it.
inline TensorFile shapes_only(const std::vector<ExpectedTensor>& expected) {
  TensorFile file;
  file.name = "shapes";
  for (const auto& tensor : expected) file.tensors[tensor.key] = {DType::f32, tensor.shape, {}};
  return file;
}

}  // namespace homolog::test
