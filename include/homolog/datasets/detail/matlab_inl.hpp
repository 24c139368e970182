// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/matlab.hpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/detail/annotation_file.hpp"
#include "homolog/datasets/detail/matlab_elements.hpp"
#include "homolog/datasets/matlab.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE MatlabMatrix read_matlab_matrix(const std::filesystem::path& path,
                                               const std::string& variable,
                                               std::array<std::ptrdiff_t, 2> shape) {
  const std::string name = path.string();
  std::string bytes;
  try {
    bytes = read_file(path, detail::matlab_file_bytes);
  } catch (const FileError& error) {
    throw DatasetError(error.what());
  }
  detail::MatlabVariable* wanted = nullptr;
  auto variables = detail::MatlabWalk(bytes, name).variables(variable);
  std::string names;
  for (auto& candidate : variables) {
    names += (names.empty() ? "" : ", ") + printable_text(candidate.name);
    if (candidate.name != variable) continue;
    if (wanted != nullptr) throw DatasetError(name + ": variable '" + variable + "' occurs twice");
    wanted = &candidate;
  }
  if (wanted == nullptr) {
    throw DatasetError(name + ": no variable '" + variable + "', there are: " + names);
  }
  constexpr std::uint32_t double_class = 6;
  if (wanted->class_id != double_class || wanted->complex) {
    throw DatasetError(detail::text(name, ": variable '", variable,
                                    "' is no real matrix of class double (class ", wanted->class_id,
                                    wanted->complex ? ", complex)" : ")"));
  }
  const auto& got = wanted->dimensions;
  const auto agrees = [](std::ptrdiff_t expected, std::size_t size) {
    return expected < 0 || static_cast<std::size_t>(expected) == size;
  };
  if (got.size() != 2 || !agrees(shape[0], got[0]) || !agrees(shape[1], got[1])) {
    throw DatasetError(detail::text(name, ": variable '", variable, "' has shape ", shape_text(got),
                                    ", expected ", shape_text(shape), " (-1: any)"));
  }
  return {got[0], got[1], std::move(wanted->values)};
}

}  // namespace homolog::inline v0_1
