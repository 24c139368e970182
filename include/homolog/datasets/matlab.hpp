// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Matrices of MATLAB 5 files, the form of the PF data sets' annotations. Opt-in: needs
/// homolog::matlab (zlib).

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/detail/annotation_file.hpp"
#include "homolog/datasets/detail/matlab_elements.hpp"

namespace homolog::inline v0_1 {

/// A real float64 matrix [rows, cols].
struct MatlabMatrix {
  std::size_t rows = 0;        ///< first dimension
  std::size_t cols = 0;        ///< second dimension
  std::vector<double> values;  ///< column-major, as MATLAB stores it; NaN is kept
  /// The value at a 0-based row and column; not checked.
  double operator()(std::size_t row, std::size_t col) const { return values[col * rows + row]; }
};

/// Reads one variable of a file.
///
/// The whole file is checked, other variables too: at most 16 MiB, 64 MiB when inflated and 1,000
/// times any compressed element; 16 dimensions and 16 levels of cells.
///
/// @param shape expected [rows, cols]; -1 allows any number
/// @throws DatasetError for a missing or malformed file, a MATLAB 7.3 file, a variable that is
/// absent (the error names those that are there) or no real double matrix of that shape
inline MatlabMatrix read_matlab_matrix(const std::filesystem::path& path,
                                       const std::string& variable,
                                       std::array<std::ptrdiff_t, 2> shape = {-1, -1}) {
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
