// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace homolog::test {

// MATLAB 5 files as byte strings, right or wrong in any part, in either byte order.
struct MatlabBytes {
  bool big_endian = false;

  std::string number(std::uint64_t value, std::size_t size) const {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      bytes[big_endian ? size - 1 - i : i] = static_cast<char>(value >> (8 * i));
    }
    return bytes;
  }
  std::string header(int version = 0x0100) const {
    std::string text = "MATLAB 5.0 MAT-file, made by a test";
    text.resize(124, ' ');
    return text + number(static_cast<std::uint64_t>(version), 2) + (big_endian ? "MI" : "IM");
  }
  std::string element(std::uint32_t type, const std::string& data, bool pad = true) const {
    std::string bytes = number(type, 4) + number(data.size(), 4) + data;
    while (pad && bytes.size() % 8 != 0) bytes += '\0';
    return bytes;
  }
  std::string small(std::uint32_t type, std::string data) const {
    const std::uint64_t size = data.size();
    data.resize(4, '\0');
    return number(size << 16 | type, 4) + data;
  }
  std::string flags(std::uint32_t bits) const { return element(6, number(bits, 4) + number(0, 4)); }
  std::string dimensions(const std::vector<std::uint32_t>& sizes) const {
    std::string data;
    for (const auto size : sizes) data += number(size, 4);
    return element(5, data);
  }
  std::string doubles(const std::vector<double>& values) const {
    std::string data;
    for (const double value : values) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      data += number(bits, 8);
    }
    return element(9, data);
  }
  // A matrix of class double; `values` is column-major.
  std::string matrix(const std::string& name, const std::vector<std::uint32_t>& sizes,
                     const std::vector<double>& values) const {
    return element(14, flags(6) + dimensions(sizes) + element(1, name) + doubles(values));
  }
  std::string cell(const std::string& name, const std::string& inner, std::uint32_t count) const {
    return element(14, flags(1) + dimensions({1, count}) + element(1, name) + inner);
  }
  std::string compressed(const std::string& inner) const {
    uLongf size = compressBound(inner.size());
    std::string data(size, '\0');
    compress2(reinterpret_cast<Bytef*>(data.data()), &size,
              reinterpret_cast<const Bytef*>(inner.data()), inner.size(), 6);
    data.resize(size);
    return element(15, data, false);
  }
};

}  // namespace homolog::test
