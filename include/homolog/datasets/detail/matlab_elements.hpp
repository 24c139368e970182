// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Walks every element of a MATLAB 5 file, inflates compressed ones up to a size limit, refuses
/// inconsistent files and returns the requested matrix. Follows the "MAT-File Level 5" chapters of
/// MathWorks' MAT-File Format document. matio, the library for it, answers many damaged files with
/// other values than were written, and inflates and recurses without a limit.

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/datasets/detail/annotation_file.hpp"

namespace homolog::inline v0_1::detail {

inline constexpr std::uintmax_t matlab_file_bytes = std::uintmax_t{16} << 20;
inline constexpr std::size_t matlab_inflated_bytes = std::size_t{64} << 20;
inline constexpr std::size_t matlab_ratio = 1000;  ///< inflated bytes a compressed byte
inline constexpr std::size_t matlab_dimensions = 16;
inline constexpr int matlab_nesting = 16;

/// A top-level variable of a file.
struct MatlabVariable {
  std::string name;
  std::uint32_t class_id = 0;  ///< 6 = double
  bool complex = false;
  std::vector<std::size_t> dimensions;
  std::vector<double> values;  ///< of a requested real double matrix; column-major
};

/// Walks one file; each function throws DatasetError naming it.
class MatlabWalk {
 public:
  MatlabWalk(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

  /// All variables of the file, and the values of those with one name.
  std::vector<MatlabVariable> variables(std::string_view wanted) {
    wanted_ = wanted;
    read_header();
    std::vector<MatlabVariable> result;
    std::string_view rest = bytes_.substr(header_bytes);
    while (!rest.empty()) {
      const Element element = take(rest, false);
      if (element.type == compressed) {
        const std::string inflated = inflate(element.data);
        std::string_view inner = inflated;
        const Element matrix_element = take(inner, false);
        if (matrix_element.type != matrix) fail("a compressed element holds no matrix");
        if (inner.size() >= 8) fail("bytes follow the matrix in a compressed element");
        result.push_back(walk_matrix(matrix_element.data, 0));
      } else if (element.type == matrix) {
        result.push_back(walk_matrix(element.data, 0));
      } else {
        fail(text("unexpected element of type ", element.type));
      }
    }
    return result;
  }

 private:
  static constexpr std::size_t header_bytes = 128;
  static constexpr std::uint32_t int8 = 1, int32 = 5, uint32 = 6, matrix = 14, compressed = 15;

  struct Element {
    std::uint32_t type = 0;
    std::string_view data;
  };

  [[noreturn]] void fail(const std::string& reason) const {
    throw DatasetError(text(name_, ": malformed MATLAB file: ", reason));
  }

  /// The whole number that some bytes hold in the file's byte order.
  std::uint64_t bits(std::string_view bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char byte = bytes[big_endian_ ? i : bytes.size() - 1 - i];
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
  }
  std::uint32_t u32(std::string_view from, std::size_t offset) const {
    return static_cast<std::uint32_t>(bits(from.substr(offset, 4)));
  }

  void read_header() {
    constexpr std::string_view hdf5("\x89HDF\r\n\x1a\n");
    const std::string_view head = bytes_.substr(0, header_bytes);
    if (head.starts_with("MATLAB 7.3") || head.starts_with(hdf5)) refuse_hdf5();
    if (head.size() < header_bytes) fail(text(bytes_.size(), " bytes, the header has 128"));
    if (!head.starts_with("MATLAB")) fail("it does not start with 'MATLAB'");
    const std::string_view order = head.substr(126, 2);
    if (order != "IM" && order != "MI") fail("no byte order mark 'IM' or 'MI'");
    big_endian_ = order == "MI";
    const auto low = static_cast<unsigned char>(head[big_endian_ ? 125 : 124]);
    const auto high = static_cast<unsigned char>(head[big_endian_ ? 124 : 125]);
    const int version = high << 8 | low;
    if (version == 0x0200) refuse_hdf5();
    if (version != 0x0100) fail(text("version ", version, ", expected 256 (MATLAB 5)"));
  }

  [[noreturn]] void refuse_hdf5() const {
    throw DatasetError(name_ +
                       ": a MATLAB 7.3 (HDF5) file is not supported, save it with '-v6' or '-v7'");
  }

  /// Takes the next element off `rest`; elements inside a matrix may be small and are padded to 8.
  Element take(std::string_view& rest, bool inside) const {
    if (rest.size() < 8) fail(text("an element's tag needs 8 bytes, ", rest.size(), " are left"));
    const std::uint32_t first = u32(rest, 0);
    if (first >> 16 != 0) {
      if (!inside) fail("a small element outside a matrix");
      const std::uint32_t size = first >> 16;
      if (size > 4) fail(text("a small element of ", size, " bytes"));
      const Element element{first & 0xffff, rest.substr(4, size)};
      rest.remove_prefix(8);
      return element;
    }
    const std::size_t size = u32(rest, 4);
    if (size > rest.size() - 8) {
      fail(text("an element announces ", size, " bytes, ", rest.size() - 8, " are left"));
    }
    const Element element{first, rest.substr(8, size)};
    std::size_t padded = size;
    if (inside && size % 8 != 0) padded += 8 - size % 8;
    rest.remove_prefix(8 + (std::min)(padded, rest.size() - 8));
    return element;
  }

  Element expect(std::string_view& rest, std::uint32_t type, const char* what) const {
    const Element element = take(rest, true);
    if (element.type != type) fail(text(what, " have element type ", element.type));
    return element;
  }

  std::string inflate(std::string_view data) {
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) fail("zlib cannot start");
    const std::unique_ptr<z_stream, int (*)(z_streamp)> guard(&stream, inflateEnd);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    std::string result;
    std::vector<char> block(std::size_t{64} << 10);
    int status = Z_OK;
    while (status == Z_OK) {
      stream.next_out = reinterpret_cast<Bytef*>(block.data());
      stream.avail_out = static_cast<uInt>(block.size());
      status = ::inflate(&stream, Z_NO_FLUSH);
      const std::size_t got = block.size() - stream.avail_out;
      inflated_ += got;
      if (inflated_ > matlab_inflated_bytes) {
        fail(text("it inflates to more than ", matlab_inflated_bytes, " bytes"));
      }
      result.append(block.data(), got);
      if (result.size() > matlab_ratio * data.size()) {
        fail(text("an element inflates more than ", matlab_ratio, " times"));
      }
    }
    if (status != Z_STREAM_END) fail("a compressed element is cut short or damaged");
    if (stream.avail_in != 0) fail("bytes follow the end of a compressed element");
    return result;
  }

  static std::size_t storage_bytes(std::uint32_t type) {
    constexpr std::array<std::size_t, 19> sizes{0, 1, 1, 2, 2, 4, 4, 4, 0, 8,
                                                0, 0, 8, 8, 0, 0, 1, 2, 4};
    return type < sizes.size() ? sizes[type] : 0;
  }

  /// A value of a double matrix; writers store whole numbers as the shortest type that holds them.
  double value(const Element& stored) const {
    const std::uint64_t whole = bits(stored.data);
    switch (stored.type) {
      case 1:
        return static_cast<std::int8_t>(whole);
      case 3:
        return static_cast<std::int16_t>(whole);
      case 5:
        return static_cast<std::int32_t>(whole);
      case 7:
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(whole)));
      case 9:
        return std::bit_cast<double>(whole);
      case 12:
        return static_cast<double>(static_cast<std::int64_t>(whole));
      default:  // unsigned
        return static_cast<double>(whole);
    }
  }

  MatlabVariable walk_matrix(std::string_view rest, int depth) const {
    if (depth >= matlab_nesting) fail(text("nested deeper than ", matlab_nesting));
    MatlabVariable variable;
    if (rest.empty() && depth > 0) return variable;  // how an empty cell is written
    const Element flags = expect(rest, uint32, "array flags");
    if (flags.data.size() != 8) fail(text("array flags of ", flags.data.size(), " bytes"));
    const std::uint32_t flag = u32(flags.data, 0);
    variable.class_id = flag & 0xff;
    variable.complex = (flag & 0x0800) != 0;

    const Element dimensions = expect(rest, int32, "dimensions");
    const std::size_t rank = dimensions.data.size() / 4;
    if (dimensions.data.size() % 4 != 0 || rank < 2 || rank > matlab_dimensions) {
      fail(text("dimensions of ", dimensions.data.size(), " bytes, expected 2 to ",
                matlab_dimensions, " numbers"));
    }
    std::size_t count = 1;
    for (std::size_t i = 0; i < rank; ++i) {
      const std::uint32_t size = u32(dimensions.data, 4 * i);
      variable.dimensions.push_back(size);
      // Each factor is below 2^32 and the product stays below 2^26, so no step can overflow.
      count *= size;
      if (size > matlab_inflated_bytes || count > matlab_inflated_bytes) {
        fail(text("dimensions ", shape_text(variable.dimensions), " are too large"));
      }
    }
    variable.name = std::string(expect(rest, int8, "names").data);
    if (variable.name.size() > 4096 || variable.name.find('\0') != std::string::npos) {
      fail("a variable has a name that MATLAB does not allow");
    }
    walk_content(rest, variable, count, depth);
    return variable;
  }

  void walk_content(std::string_view rest, MatlabVariable& variable, std::size_t count,
                    int depth) const {
    constexpr std::uint32_t cell_class = 1, struct_class = 2, char_class = 4, double_class = 6;
    const std::uint32_t id = variable.class_id;
    if (id == cell_class || id == struct_class) {
      if (id == struct_class) {
        const Element length = expect(rest, int32, "field name lengths");
        const std::uint32_t each = length.data.size() == 4 ? u32(length.data, 0) : 0;
        const Element names = expect(rest, int8, "field names");
        if (each == 0 || each > 4096 || names.data.size() % each != 0) fail("bad field names");
        for (std::size_t end = each; end <= names.data.size(); end += each) {
          if (names.data[end - 1] != '\0') fail("a field name without end");
        }
        const std::size_t fields = names.data.size() / each;
        // Each field needs a tag of 8 bytes, so the division also bounds the product.
        if (fields != 0 && count > rest.size() / 8 / fields) fail("fewer fields than announced");
        count *= fields;
      }
      if (count > rest.size() / 8) fail("fewer cells than announced");
      for (std::size_t i = 0; i < count; ++i) {
        walk_matrix(expect(rest, matrix, "cells").data, depth + 1);
      }
    } else if (id == char_class || (id >= 6 && id <= 15)) {
      for (int part = 0; part < (variable.complex ? 2 : 1); ++part) {
        const Element values = take(rest, true);
        const std::size_t each = storage_bytes(values.type);
        if (each == 0 || (values.type >= 16 && id != char_class)) {
          fail(text("values of element type ", values.type));
        }
        // Characters may be UTF-8, whose number of bytes differs from the number of characters.
        const bool fits =
            id == char_class ? values.data.size() <= 4 * count : values.data.size() == each * count;
        if (!fits) {
          fail(text(values.data.size(), " bytes of values for dimensions ",
                    shape_text(variable.dimensions)));
        }
        if (depth > 0 || id != double_class || variable.complex || variable.name != wanted_)
          continue;
        variable.values.reserve(count);
        for (std::size_t at = 0; at < values.data.size(); at += each) {
          variable.values.push_back(value({values.type, values.data.substr(at, each)}));
        }
      }
    } else {
      fail(text("a variable of class ", id, " (sparse, object or function) is not supported"));
    }
    if (!rest.empty()) fail(text(rest.size(), " bytes follow the end of a variable"));
  }

  std::string_view bytes_;
  std::string name_;
  std::string_view wanted_;
  bool big_endian_ = false;
  std::size_t inflated_ = 0;
};

}  // namespace homolog::inline v0_1::detail
