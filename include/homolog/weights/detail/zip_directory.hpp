// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The entries of a zip archive whose content is stored, not compressed: what torch.save writes.
/// Record layouts: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory),
/// 4.3.14 to 4.3.16 (end records), 4.5.3 (ZIP64 sizes).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1::detail {

/// Entries an archive may have; a state dict of a million tensors fits.
inline constexpr std::uint64_t zip_entry_limit = 1'100'000;
/// Longest entry name [bytes].
inline constexpr std::uint64_t zip_name_limit = 4096;

/// One stored entry; name and bytes lie in the archive's memory.
struct ZipEntry {
  std::string_view name;
  std::span<const std::byte> bytes;
};

/// Reads and checks an archive's directory; see read_zip_directory().
class ZipReader {
 public:
  ZipReader(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  std::vector<ZipEntry> entries() {
    const Directory directory = find_directory();
    if (directory.entries > zip_entry_limit || directory.entries > directory.size / 46) {
      fail("the directory cannot hold ", directory.entries, " entries");
    }
    struct Range {
      std::uint64_t begin, end;
    };
    std::vector<ZipEntry> entries;
    std::vector<Range> ranges;
    std::unordered_set<std::string_view> names;
    std::uint64_t at = directory.begin;
    const std::uint64_t directory_end = directory.begin + directory.size;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      if (directory_end - at < 46 || u32(at) != 0x02014b50) fail("broken directory at byte ", at);
      const std::uint64_t name_size = u16(at + 28), extra = u16(at + 30), comment = u16(at + 32);
      if (directory_end - at - 46 < name_size + extra + comment) {
        fail("broken directory at byte ", at);
      }
      Entry entry{characters(at + 46, name_size),
                  u16(at + 8),
                  u16(at + 10),
                  u32(at + 20),
                  u32(at + 24),
                  u32(at + 42),
                  u16(at + 34)};
      read_zip64(entry, at + 46 + name_size, extra);
      check(entry);
      if (!names.insert(entry.name).second) fail("duplicate entry '", entry.name, "'");
      const std::uint64_t data = data_offset(entry, directory.begin);
      entries.push_back({entry.name, bytes_.subspan(data, entry.size)});
      ranges.push_back({entry.header, data + entry.size});
      at += 46 + name_size + extra + comment;
    }
    if (at != directory_end) fail("bytes after the last directory entry, at byte ", at);
    std::sort(ranges.begin(), ranges.end(),
              [](const Range& a, const Range& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[i].begin < ranges[i - 1].end) {
        fail("overlapping entries at byte ", ranges[i].begin);
      }
    }
    return entries;
  }

 private:
  struct Directory {
    std::uint64_t entries, begin, size;
  };
  struct Entry {
    std::string_view name;
    std::uint64_t flags, method, stored_size, size, header, disk;
  };

  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    throw WeightsError(text(name_, ": zip archive: ", reason...));
  }
  /// Little-endian number at an offset that the caller has checked.
  std::uint64_t number(std::uint64_t at, std::size_t size) const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + at, size);
    return value;
  }
  std::uint64_t u16(std::uint64_t at) const { return number(at, 2); }
  std::uint64_t u32(std::uint64_t at) const { return number(at, 4); }
  std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }
  std::string_view characters(std::uint64_t at, std::uint64_t size) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + at, size};
  }

  Directory find_directory() const {
    if (bytes_.size() < 22) fail("truncated: ", bytes_.size(), " bytes");
    const std::uint64_t last = bytes_.size() - 22;
    const std::uint64_t first = last > 0xFFFF ? last - 0xFFFF : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      // The comment must reach exactly to the end: nothing may hide behind the archive.
      if (u32(at) == 0x06054b50 && u16(at + 20) == last - at) return read_end_records(at);
    }
    fail("no end record: truncated, or bytes were appended");
  }

  Directory read_end_records(std::uint64_t at) const {
    if (u16(at + 4) != 0 && u16(at + 4) != 0xFFFF) fail("spans several disks");
    if (u16(at + 6) != 0 && u16(at + 6) != 0xFFFF) fail("spans several disks");
    if (u16(at + 8) != u16(at + 10)) fail("spans several disks");
    Directory directory{u16(at + 10), u32(at + 16), u32(at + 12)};
    std::uint64_t end = at;
    if (at >= 20 && u32(at - 20) == 0x07064b50) {
      const std::uint64_t locator = at - 20, record = u64(locator + 8);
      if (u32(locator + 4) != 0 || u32(locator + 16) > 1) fail("spans several disks");
      if (record > locator || locator - record < 56 || u32(record) != 0x06064b50 ||
          u64(record + 4) < 44 || u64(record + 4) != locator - record - 12) {
        fail("broken ZIP64 end record");
      }
      if (u32(record + 16) != 0 || u32(record + 20) != 0 || u64(record + 24) != u64(record + 32)) {
        fail("spans several disks");
      }
      const Directory wide{u64(record + 32), u64(record + 48), u64(record + 40)};
      // Both end records must agree, so that no other reader can see a different archive.
      if ((directory.entries != 0xFFFF && directory.entries != wide.entries) ||
          (directory.begin != 0xFFFFFFFF && directory.begin != wide.begin) ||
          (directory.size != 0xFFFFFFFF && directory.size != wide.size)) {
        fail("the end records disagree");
      }
      directory = wide;
      end = record;
    }
    if (directory.begin > end || directory.size != end - directory.begin) {
      fail("the directory at byte ", directory.begin, " of ", directory.size,
           " bytes does not end at byte ", end);
    }
    return directory;
  }

  /// Replaces sizes that did not fit 32 bits by those of extra field 0x0001.
  void read_zip64(Entry& entry, std::uint64_t at, std::uint64_t size) const {
    const std::uint64_t end = at + size;
    std::optional<std::uint64_t> field, field_end;
    while (end - at >= 4) {
      const std::uint64_t id = u16(at), length = u16(at + 2);
      if (end - at - 4 < length) fail("broken extra field of '", entry.name, "'");
      if (id == 0x0001) {
        if (field) fail("two ZIP64 fields of '", entry.name, "'");
        field = at + 4;
        field_end = at + 4 + length;
      }
      at += 4 + length;
    }
    const auto widen = [&](std::uint64_t& value, std::uint64_t sentinel, std::uint64_t width) {
      if (value != sentinel) return;
      if (!field || *field_end - *field < width) {
        fail("ZIP64 sizes of '", entry.name, "' are missing");
      }
      value = number(*field, width);
      *field += width;
    };
    widen(entry.size, 0xFFFFFFFF, 8);
    widen(entry.stored_size, 0xFFFFFFFF, 8);
    widen(entry.header, 0xFFFFFFFF, 8);
    widen(entry.disk, 0xFFFF, 4);
  }

  void check(const Entry& entry) const {
    if (entry.name.size() > zip_name_limit) {
      fail("an entry name of ", entry.name.size(), " bytes, the limit is ", zip_name_limit);
    }
    if ((entry.flags & 0x2041) != 0) fail("entry '", entry.name, "' is encrypted");
    if (entry.method != 0) {
      fail("entry '", entry.name, "' is compressed (method ", entry.method,
           "), expected stored bytes");
    }
    if (entry.stored_size != entry.size) {
      fail("entry '", entry.name, "' is stored in ", entry.stored_size, " bytes but states ",
           entry.size);
    }
    if (entry.disk != 0) fail("entry '", entry.name, "' lies on another disk");
  }

  /// Where an entry's bytes begin, after its local header has been compared with the directory.
  std::uint64_t data_offset(const Entry& entry, std::uint64_t limit) const {
    const std::uint64_t at = entry.header;
    if (at > limit || limit - at < 30 || u32(at) != 0x04034b50) {
      fail("entry '", entry.name, "' has no local header at byte ", at);
    }
    const std::uint64_t name_size = u16(at + 26), extra = u16(at + 28);
    if (limit - at - 30 < name_size + extra || limit - at - 30 - name_size - extra < entry.size) {
      fail("entry '", entry.name, "' of ", entry.size, " bytes does not fit the file");
    }
    const bool descriptor = (u16(at + 6) & 0x8) != 0;  // sizes follow the data: ignore these
    const auto lies = [&](std::uint64_t value) {
      return !descriptor && value != 0xFFFFFFFF && value != entry.size;
    };
    if (characters(at + 30, name_size) != entry.name || u16(at + 8) != 0 ||
        (u16(at + 6) & 0x2041) != 0 || lies(u32(at + 18)) || lies(u32(at + 22))) {
      fail("the local header of '", entry.name, "' disagrees with the directory");
    }
    return at + 30 + name_size + extra;
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
};

/// Lists an archive's entries in the directory's order.
///
/// @throws WeightsError when the archive is truncated, encrypted, compressed, split, has duplicate
///         or overlapping entries, or states ranges outside the file
inline std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> bytes,
                                                const std::string& name) {
  return ZipReader(bytes, name).entries();
}

}  // namespace homolog::inline v0_1::detail
