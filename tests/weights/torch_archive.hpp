// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writers of zip archives and pickles, byte by byte, that can also be made to lie.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace homolog::test {

/// A number as little-endian bytes.
template <class Number>
std::string bytes_of(Number number) {
  std::string result(sizeof(Number), '\0');
  std::memcpy(result.data(), &number, sizeof(Number));
  return result;
}

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  std::string result;
  for (const Number number : numbers) result += bytes_of(number);
  return result;
}

/// One entry of an archive; the optional members replace what would be true.
struct ZipPart {
  std::string name;
  std::string bytes;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  bool zip64 = false;
  std::optional<std::uint32_t> local_size = {}, central_size = {}, central_stored_size = {},
                               central_offset = {};
  std::optional<std::string> local_name = {};
  std::uint16_t disk = 0;
  std::string extra = {};
};

inline std::string local_header(const ZipPart& part, std::uint64_t size) {
  const std::string name = part.local_name.value_or(part.name);
  const auto stated = part.local_size.value_or(part.zip64 || (part.flags & 8) != 0
                                                   ? (part.zip64 ? 0xFFFFFFFF : 0)
                                                   : static_cast<std::uint32_t>(size));
  return bytes_of(std::uint32_t{0x04034b50}) + bytes_of(std::uint16_t{45}) + bytes_of(part.flags) +
         bytes_of(part.method) + bytes_of(std::uint32_t{0}) + bytes_of(std::uint32_t{0}) +
         bytes_of(stated) + bytes_of(stated) + bytes_of(static_cast<std::uint16_t>(name.size())) +
         bytes_of(std::uint16_t{4}) + name + "FB" + bytes_of(std::uint16_t{0});
}

inline std::string central_header(const ZipPart& part, std::uint64_t size, std::uint64_t offset) {
  std::string extra = part.extra;
  if (part.zip64) {
    extra += bytes_of(std::uint16_t{1}) + bytes_of(std::uint16_t{24}) + bytes_of(size) +
             bytes_of(size) + bytes_of(offset);
  }
  const auto narrow = [&part](std::uint64_t value) {
    return part.zip64 ? 0xFFFFFFFF : static_cast<std::uint32_t>(value);
  };
  return bytes_of(std::uint32_t{0x02014b50}) + bytes_of(std::uint16_t{45}) +
         bytes_of(std::uint16_t{45}) + bytes_of(part.flags) + bytes_of(part.method) +
         bytes_of(std::uint32_t{0}) + bytes_of(std::uint32_t{0}) +
         bytes_of(part.central_stored_size.value_or(part.central_size.value_or(narrow(size)))) +
         bytes_of(part.central_size.value_or(narrow(size))) +
         bytes_of(static_cast<std::uint16_t>(part.name.size())) +
         bytes_of(static_cast<std::uint16_t>(extra.size())) + bytes_of(std::uint16_t{0}) +
         bytes_of(part.disk) + bytes_of(std::uint16_t{0}) + bytes_of(std::uint32_t{0}) +
         bytes_of(part.central_offset.value_or(narrow(offset))) + part.name + extra;
}

inline std::string end_records(std::uint64_t entries, std::uint64_t begin, std::uint64_t size,
                               bool zip64) {
  std::string result;
  if (zip64) {
    result += bytes_of(std::uint32_t{0x06064b50}) + bytes_of(std::uint64_t{44}) +
              bytes_of(std::uint16_t{45}) + bytes_of(std::uint16_t{45}) +
              bytes_of(std::uint32_t{0}) + bytes_of(std::uint32_t{0}) + bytes_of(entries) +
              bytes_of(entries) + bytes_of(size) + bytes_of(begin) +
              bytes_of(std::uint32_t{0x07064b50}) + bytes_of(std::uint32_t{0}) +
              bytes_of(begin + size) + bytes_of(std::uint32_t{1});
  }
  const auto count = zip64 ? std::uint16_t{0xFFFF} : static_cast<std::uint16_t>(entries);
  return result + bytes_of(std::uint32_t{0x06054b50}) + bytes_of(std::uint32_t{0}) +
         bytes_of(count) + bytes_of(count) +
         bytes_of(zip64 ? 0xFFFFFFFF : static_cast<std::uint32_t>(size)) +
         bytes_of(zip64 ? 0xFFFFFFFF : static_cast<std::uint32_t>(begin)) +
         bytes_of(std::uint16_t{0});
}

inline std::string zip(const std::vector<ZipPart>& parts) {
  std::string archive, directory;
  bool zip64 = false;
  for (const auto& part : parts) {
    directory += central_header(part, part.bytes.size(), archive.size());
    archive += local_header(part, part.bytes.size()) + part.bytes;
    zip64 = zip64 || part.zip64;
  }
  const auto begin = archive.size();
  return archive + directory + end_records(parts.size(), begin, directory.size(), zip64);
}

/// Writes pickle protocol 2 by hand.
struct Pickle {
  std::string bytes = "\x80\x02";

  Pickle& raw(std::string_view code) {
    bytes += code;
    return *this;
  }
  Pickle& string(std::string_view value) {
    return raw("X" + bytes_of(static_cast<std::uint32_t>(value.size())) + std::string(value));
  }
  Pickle& integer(std::int64_t value) {
    if (value == static_cast<std::int32_t>(value)) {
      return raw("J" + bytes_of(static_cast<std::int32_t>(value)));
    }
    return raw("\x8a\x08" + bytes_of(value));
  }
  Pickle& global(std::string_view module, std::string_view name) {
    return raw("c" + std::string(module) + "\n" + std::string(name) + "\n");
  }
  Pickle& integers(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const auto value : values) integer(value);
    return raw("t");
  }
  Pickle& ordered_dict() { return global("collections", "OrderedDict").raw(")R"); }
  Pickle& storage(std::string_view type, std::string_view key, std::int64_t elements) {
    raw("(").string("storage").global("torch", type).string(key).string("cpu").integer(elements);
    return raw("tQ");
  }
  Pickle& tensor(std::string_view type, std::string_view key, std::int64_t elements,
                 std::int64_t offset, const std::vector<std::int64_t>& shape,
                 const std::vector<std::int64_t>& stride) {
    global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(type, key, elements);
    integer(offset).integers(shape).integers(stride).raw("\x89").ordered_dict();
    return raw("tR");
  }
  std::string stop() const { return bytes + "."; }
};

/// An archive with a pickle and storages `0`, `1`, ...
inline std::string torch_archive(const std::string& pickle,
                                 const std::vector<std::string>& storages = {}) {
  std::vector<ZipPart> parts{{"archive/data.pkl", pickle}};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    parts.push_back({"archive/data/" + std::to_string(i), storages[i]});
  }
  parts.push_back({"archive/version", "3\n"});
  return zip(parts);
}

}  // namespace homolog::test
