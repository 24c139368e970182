// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reading a weights file of any format.

#include <filesystem>

#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// Reads `.safetensors` or `.pth` / `.pt`; the content decides, the extension only when the content
/// is no known format. A name that ends in `.index.json` stands for the shards it lists.
///
/// @throws FileError when the file cannot be opened, WeightsError when it is malformed or refused
TensorFile read_weights(const std::filesystem::path& path);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/read_weights_inl.hpp"
#endif
