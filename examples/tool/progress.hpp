// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace tool {

// A line on the terminal with done / total, rate and time left; silent when stderr is no terminal.
struct Progress {
  using Clock = std::chrono::steady_clock;

  void operator()(std::string_view stage, std::size_t done, std::size_t total,
                  const std::string& details = {}) {
    if (!terminal) return;
    const auto now = Clock::now();
    if (stage != current) {
      finish();
      current = stage;
      begin = now;
    }
    if (done < total && now - shown < std::chrono::milliseconds(100)) return;
    shown = now;
    const double seconds = std::chrono::duration<double>(now - begin).count();
    // Work done before this run (a resumed training) says nothing about its rate.
    const std::size_t here = done - std::min(done, before);
    const double rate = seconds > 0 ? static_cast<double>(here) / seconds : 0;
    const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
    constexpr std::size_t width = 24;
    const std::size_t filled = total > 0 ? done * width / total : width;
    std::fprintf(stderr, "\r\x1b[K%-9s [%s%s] %zu/%zu  %.1f/s  %.0f s left%s", current.c_str(),
                 std::string(filled, '#').c_str(), std::string(width - filled, '.').c_str(), done,
                 total, rate, left, details.c_str());
    std::fflush(stderr);
    open = true;
  }
  void finish() {
    if (open) std::fputc('\n', stderr);
    open = false;
  }
  ~Progress() { finish(); }

  bool terminal = ::isatty(STDERR_FILENO) == 1;
  bool open = false;
  std::size_t before = 0;  // done before this run
  std::string current;
  Clock::time_point begin, shown;
};

}  // namespace tool
