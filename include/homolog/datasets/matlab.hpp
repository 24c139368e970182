// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Matrices of MATLAB 5 files, the form of the PF data sets' annotations. Opt-in: needs
/// homolog::matlab (zlib).

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "homolog/datasets/detail/annotation_file.hpp"

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
MatlabMatrix read_matlab_matrix(const std::filesystem::path& path, const std::string& variable,
                                std::array<std::ptrdiff_t, 2> shape = {-1, -1});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/matlab_inl.hpp"
#endif
