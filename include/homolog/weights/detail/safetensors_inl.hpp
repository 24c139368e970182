// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/safetensors.hpp.

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/weights/detail/mapped_file.hpp"
#include "homolog/weights/detail/safetensors_header.hpp"
#include "homolog/weights/safetensors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Checks one entry against the running end of the data and turns it into a view.
inline TensorView checked_view(const SafetensorsEntry& entry, std::uint64_t expected_begin,
                               std::span<const std::byte> data, const std::string& name) {
  const auto fail = [&](const auto&... reason) {
    throw WeightsError(text(name, ": tensor '", entry.key, "': ", reason...));
  };
  if (entry.begin != expected_begin || entry.end < entry.begin) {
    fail("data_offsets [", entry.begin, ", ", entry.end, "], expected to begin at ", expected_begin,
         " (no holes, no overlap)");
  }
  TensorView view{entry.dtype, {}, {}};
  std::uint64_t size = item_size(entry.dtype);
  for (const std::uint64_t length : entry.shape) {
    const auto next = checked_product(size, length);
    if (!next || length > (std::numeric_limits<std::int64_t>::max)()) {
      fail("the size of shape ", shape_text(entry.shape), " overflows");
    }
    size = *next;
    view.shape.push_back(static_cast<std::int64_t>(length));
  }
  if (size != entry.end - entry.begin) {
    fail("shape ", shape_text(entry.shape), " of ", dtype_name(entry.dtype), " needs ", size,
         " bytes, data_offsets give ", entry.end - entry.begin);
  }
  if (entry.end > data.size()) {
    fail("data ends at byte ", entry.end, ", the file holds ", data.size());
  }
  view.bytes = data.subspan(entry.begin, size);
  return view;
}

}  // namespace detail

HOMOLOG_INLINE TensorFile parse_safetensors(std::span<const std::byte> bytes, std::string name,
                                            std::shared_ptr<const void> owner) {
  if (bytes.size() < 8) {
    throw WeightsError(detail::text(name, ": ", bytes.size(),
                                    " bytes are too few for a safetensors file, expected >= 8"));
  }
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  if (header_size > safetensors_header_limit) {
    throw WeightsError(detail::text(name, ": header of ", header_size, " bytes, the limit is ",
                                    safetensors_header_limit));
  }
  if (header_size > bytes.size() - 8) {
    throw WeightsError(detail::text(name, ": the header ends at byte ", header_size + 8,
                                    ", the file has ", bytes.size()));
  }
  // A copy: another process may write to a mapped file between the checks and the parse.
  const std::string json(reinterpret_cast<const char*>(bytes.data()) + 8, header_size);
  detail::SafetensorsHeader header = detail::parse_safetensors_header(json, name);
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });

  TensorFile file;
  const auto data = bytes.subspan(8 + header_size);
  std::uint64_t end = 0;
  for (const auto& entry : header.entries) {
    file.tensors.emplace(entry.key, detail::checked_view(entry, end, data, name));
    end = entry.end;
  }
  if (end != data.size()) {
    throw WeightsError(detail::text(name, ": tensors end at byte ", end + 8 + header_size,
                                    ", the file at ", bytes.size()));
  }
  file.metadata = std::move(header.metadata);
  if (owner) file.owners.push_back(std::move(owner));
  file.name = std::move(name);
  return file;
}

HOMOLOG_INLINE TensorFile read_safetensors(const std::filesystem::path& path) {
  const detail::MappedFile mapped = detail::map_file(path);
  TensorFile file = parse_safetensors(mapped.bytes, path.string(), mapped.owner);
  detail::mark_mapped(file, mapped);
  return file;
}

namespace detail {

/// Tensors in a file's order.
using TensorOrder = std::vector<std::pair<std::string, const TensorView*>>;

/// The header of a file: JSON, padded to 8 bytes.
///
/// @param path named in errors
/// @param sizes receives the bytes of each tensor
/// @throws WeightsError for what cannot be stored
inline std::string safetensors_header(const std::filesystem::path& path, const TensorFile& file,
                                      const TensorOrder& order, std::vector<std::uint64_t>& sizes) {
  const auto quoted = [&path](const std::string& string) {
    if (!is_utf8(string)) {
      throw WeightsError(text(path.string(), ": '", string, "' is not valid UTF-8"));
    }
    return nlohmann::json(string).dump();
  };
  std::string json = "{";
  const char* separator = "\"__metadata__\":{";
  for (const auto& [key, value] : file.metadata) {
    json += separator + quoted(key) + ':' + quoted(value);
    separator = ",";
  }
  if (!file.metadata.empty()) json += '}';
  std::uint64_t offset = 0;
  for (const auto& [key, view] : order) {
    const auto elements = checked_elements(view->shape);
    const auto size = elements ? checked_product(*elements, item_size(view->dtype)) : std::nullopt;
    if (!size || key == "__metadata__" || view->shape.size() > tensor_rank_limit) {
      throw WeightsError(text(path.string(), ": tensor '", key, "' of shape ",
                              shape_text(view->shape), " cannot be stored in a safetensors file"));
    }
    sizes.push_back(*size);
    if (json.size() > 1) json += ',';
    json += quoted(key);
    json += text(":{\"dtype\":\"", dtype_name(view->dtype), "\",\"shape\":[");
    for (std::size_t i = 0; i < view->shape.size(); ++i) {
      if (i > 0) json += ',';
      json += std::to_string(view->shape[i]);
    }
    json += text("],\"data_offsets\":[", offset, ',', offset + *size, "]}");
    offset += *size;
  }
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  if (json.size() > safetensors_header_limit) {
    throw WeightsError(text(path.string(), ": header of ", json.size(), " bytes, the limit is ",
                            safetensors_header_limit));
  }
  return json;
}

}  // namespace detail

HOMOLOG_INLINE void write_safetensors(const std::filesystem::path& path, const TensorFile& file,
                                      const TensorBytes& bytes) {
  detail::TensorOrder order;
  for (const auto& [key, view] : file.tensors) order.emplace_back(key, &view);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(b.second->dtype, a.first) < std::tie(a.second->dtype, b.first);
  });

  std::vector<std::uint64_t> sizes;
  const std::string json = detail::safetensors_header(path, file, order, sizes);
  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{json.size()});
  write_file_atomically(path, [&](std::FILE* out) {
    const auto write = [&](std::span<const std::byte> part) {
      // At once: making the next tensor may take long.
      if (!part.empty() && std::fwrite(part.data(), 1, part.size(), out) != part.size()) {
        throw FileError(
            detail::text(path.string(), ": cannot be written: ", detail::system_error_text(errno)));
      }
    };
    write(std::as_bytes(std::span(length)));
    write(std::as_bytes(std::span(json)));
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto& [key, view] = order[i];
      const auto part = bytes(key);
      if (part.size() != sizes[i]) {
        throw WeightsError(detail::text(path.string(), ": tensor '", key, "': shape ",
                                        shape_text(view->shape), " of ", dtype_name(view->dtype),
                                        " does not fit ", part.size(), " bytes"));
      }
      write(part);
    }
  });
}

}  // namespace homolog::inline v0_1
