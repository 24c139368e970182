// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SHA-256 of files and tensors (FIPS 180-4), by OpenSSL's libcrypto.

#include <openssl/evp.h>
#include <torch/types.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// A running SHA-256.
struct Sha256 {
  Sha256() : context(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    require(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  }
  void update(std::span<const std::byte> bytes) {
    require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  }
  /// Adds text with its length, so that "ab" + "c" and "a" + "bc" differ.
  void update(std::string_view text_) {
    const std::uint64_t size = text_.size();
    update(std::as_bytes(std::span(&size, 1)));
    update(std::as_bytes(std::span(text_)));
  }
  /// Adds dtype, shape and contiguous content.
  void update(const torch::Tensor& tensor) {
    const torch::Tensor held = tensor.detach().cpu().contiguous();
    update(text(c10::toString(held.scalar_type()), shape_text(held.sizes())));
    update({static_cast<const std::byte*>(held.const_data_ptr()), held.nbytes()});
  }
  /// Ends the digest: 64 hexadecimal digits.
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    require(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
    std::string result;
    for (const unsigned char byte : digest) {
      result += "0123456789abcdef"[byte >> 4];
      result += "0123456789abcdef"[byte & 15];
    }
    return result;
  }

 private:
  static void require(bool fine) {
    if (!fine) throw Error("SHA-256: libcrypto failed");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context;
};

}  // namespace detail

/// Digest of a file's tensors: keys, dtypes, shapes and bytes, whatever the container or metadata.
inline std::string tensors_sha256(const TensorFile& file) {
  detail::Sha256 digest;
  for (const auto& [key, view] : file.tensors) {
    digest.update(key);
    digest.update(detail::text(dtype_name(view.dtype), shape_text(view.shape)));
    digest.update(view.bytes);
  }
  return digest.hex();
}

/// Digest of files' bytes, one after the other: that of one file is what sha256sum prints.
///
/// @throws FileError when one cannot be read
inline std::string files_sha256(std::span<const std::filesystem::path> paths) {
  detail::Sha256 digest;
  std::vector<char> part(std::size_t{1} << 20);
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    while (file) {
      file.read(part.data(), static_cast<std::streamsize>(part.size()));
      digest.update(std::as_bytes(std::span(part.data(), static_cast<std::size_t>(file.gcount()))));
    }
    if (!file.eof()) throw FileError(path.string() + ": cannot be read");
  }
  return digest.hex();
}

}  // namespace homolog::inline v0_1
