// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The folder of a training's checkpoints: locked against a second run, written behind the
/// training's back, pruned.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <string>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/train/checkpoint.hpp"

namespace homolog::inline v0_1::detail {

/// Locks a folder for one run; the system releases the lock when the process ends, however it ends.
struct FolderLock {
  explicit FolderLock(const std::filesystem::path& folder) {
    const auto path = folder / "lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      throw FileError(text(path.string(), ": cannot be written: ", system_error_text(errno)));
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(descriptor_);
      throw FileError(reason == EWOULDBLOCK
                          ? text(folder.string(), ": another training writes its checkpoints here")
                          : text(path.string(), ": cannot be locked: ", system_error_text(reason)));
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Checkpoints of one run. Writing happens in another thread, from a copy; what fails there is
/// thrown by the next call.
struct CheckpointFolder {
  /// Makes the folder when it is absent, locks it, and removes temporary files that ended runs
  /// left.
  ///
  /// @throws FileError when it cannot be made, written to or locked
  CheckpointFolder(const std::filesystem::path& folder_, int keep_last_)
      : folder(made(folder_)), lock(folder_), keep_last(keep_last_) {
    // Tests now, rather than after the first epoch, whether the folder can be written to: the lock
    // may be an old file in a read-only folder.
    write_file_atomically(folder / ".probe", std::string_view{});
    remove_file(folder / ".probe");
    // This run holds the lock, so a temporary file here belongs to a run that has ended.
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension().string().starts_with(".tmp")) remove_file(entry->path());
    }
    if (error) throw FileError(text(folder.string(), ": cannot be listed: ", error.message()));
  }
  ~CheckpointFolder() {
    if (pending.valid()) pending.wait();
  }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  /// Starts writing; `checkpoint` must not share memory with what is trained.
  void write(std::string name, Checkpoint checkpoint) {
    finish();
    const auto work = [this, name = std::move(name), checkpoint = std::move(checkpoint)] {
      write_checkpoint(folder / name, checkpoint);
      prune();
    };
    try {
      pending = std::async(std::launch::async, work);
    } catch (const std::system_error&) {
      work();  // no thread can be started: the training waits
    }
  }

  /// Waits until everything is on disk.
  ///
  /// @throws what writing threw
  void finish() {
    if (pending.valid()) pending.get();
  }

  /// Removes a best checkpoint that has no step checkpoint beside it, for a training that fails
  /// before its first step is saved: the unchanged weights would only hinder the next training.
  void remove_lone_best() {
    if (pending.valid()) pending.wait();
    std::error_code error;  // ignored: the caller reports the earlier failure
    if (step_checkpoints(folder).empty()) {
      std::filesystem::remove(folder / best_checkpoint_name, error);
    }
  }

  std::filesystem::path folder;
  FolderLock lock;
  int keep_last;
  std::future<void> pending;

 private:
  static const std::filesystem::path& made(const std::filesystem::path& folder) {
    make_folders(folder);
    return folder;
  }

  /// Removes old checkpoints; called only after the new one is complete.
  void prune() const {
    const auto all = step_checkpoints(folder);
    for (std::size_t i = static_cast<std::size_t>(keep_last); i < all.size(); ++i) {
      remove_file(all[i]);
    }
  }
};

}  // namespace homolog::inline v0_1::detail
