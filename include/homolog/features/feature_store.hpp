// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Feature maps of many pictures within a memory limit. Maps that do not fit are written to an
/// unnamed temporary file on a disk (in TMPDIR, /var/tmp or /tmp) and read back bit for bit, so
/// that no picture passes the backbone twice.

#include <cstddef>
#include <cstdio>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "homolog/core/detail/spill_file.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"

namespace homolog::inline v0_1 {

/// Feature maps by index; the least recently used ones leave memory first.
struct FeatureStore {
  /// @param memory_limit [bytes] of feature values kept in memory
  explicit FeatureStore(std::size_t memory_limit) : memory_limit_(memory_limit) {}
  FeatureStore(const FeatureStore&) = delete;
  FeatureStore& operator=(const FeatureStore&) = delete;

  /// Stores the map of a new index.
  ///
  /// @throws SettingError when the index has a map already, FileError when the temporary file
  /// cannot be written
  void put(std::size_t index, FeatureMap map) {
    if (entries_.contains(index)) {
      throw SettingError(detail::text("feature store: index ", index, " has a map already"));
    }
    auto& entry = entries_[index];
    entry.map = std::make_shared<const FeatureMap>(std::move(map));
    keep(index, entry);
    shrink();
  }

  /// The map of a stored index; it stays valid while the pointer is held.
  ///
  /// @throws SettingError when nothing was stored, FileError when the temporary file fails
  std::shared_ptr<const FeatureMap> get(std::size_t index) {
    const auto found = entries_.find(index);
    if (found == entries_.end()) {
      throw SettingError(detail::text("feature store: nothing stored for index ", index));
    }
    Entry& entry = found->second;
    if (entry.map != nullptr) {
      recent_.splice(recent_.begin(), recent_, entry.position);
      return entry.map;
    }
    auto map = std::make_shared<FeatureMap>(entry.rows, entry.cols, entry.dim);
    map->content = entry.content;
    transfer(entry.offset, [&map](std::FILE* file) {
      return std::fread(map->values.data(), 1, map->bytes(), file) == map->bytes();
    });
    entry.map = std::move(map);
    keep(index, entry);
    auto held = entry.map;
    shrink();
    return held;
  }

  std::size_t memory_bytes() const { return memory_bytes_; }    ///< held in memory now
  std::size_t spilled_bytes() const { return spilled_bytes_; }  ///< written to disk so far

 private:
  struct Entry {
    std::shared_ptr<const FeatureMap> map;  ///< null while only on disk
    std::list<std::size_t>::iterator position;
    bool on_disk = false;
    std::size_t offset = 0;
    int rows = 0, cols = 0, dim = 0;
    CellRange content;
  };

  void keep(std::size_t index, Entry& entry) {
    recent_.push_front(index);
    entry.position = recent_.begin();
    memory_bytes_ += entry.map->bytes();
  }

  void shrink() {
    while (memory_bytes_ > memory_limit_ && recent_.size() > 1) {
      Entry& entry = entries_[recent_.back()];
      if (!entry.on_disk) spill(entry);
      recent_.pop_back();
      memory_bytes_ -= entry.map->bytes();
      entry.map = nullptr;
    }
  }

  void spill(Entry& entry) {
    const FeatureMap& map = *entry.map;
    if (file_ == nullptr) file_ = detail::make_spill_file();
    transfer(spilled_bytes_, [&map](std::FILE* file) {
      return std::fwrite(map.values.data(), 1, map.bytes(), file) == map.bytes();
    });
    entry.on_disk = true;
    entry.offset = spilled_bytes_;
    entry.rows = map.rows;
    entry.cols = map.cols;
    entry.dim = map.dim();
    entry.content = map.content;
    spilled_bytes_ += map.bytes();
  }

  template <class Action>
  void transfer(std::size_t offset, const Action& action) {
    if (::fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0 || !action(file_.get())) {
      throw FileError(detail::text("feature store: the temporary file failed at byte ", offset,
                                   ", is the disk full?"));
    }
  }

  std::size_t memory_limit_;
  std::size_t memory_bytes_ = 0;
  std::size_t spilled_bytes_ = 0;
  std::unordered_map<std::size_t, Entry> entries_;
  std::list<std::size_t> recent_;  ///< indices in memory, most recently used first
  detail::SpillFile file_;
};

}  // namespace homolog::inline v0_1
