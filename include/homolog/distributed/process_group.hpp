// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Several processes that sum tensors and gather bytes: c10d's Gloo for CPU tensors and, where
/// LibTorch and this build have it (USE_C10D_NCCL), NCCL for CUDA tensors.

#include <torch/types.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/shard.hpp"
#include "homolog/distributed/detail/c10d.hpp"
#include "homolog/distributed/launch.hpp"

namespace homolog::inline v0_1 {

/// How long processes wait for each other.
struct ProcessGroupSetting {
  /// How long a process waits for the others: to start, and in each exchange.
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
};

/// The processes of one run, connected to each other. All call the same members in the same order.
class ProcessGroup {
 public:
  /// Waits until all processes have connected. With the address 127.0.0.1 no socket is reachable
  /// from other machines; with another address, GLOO_SOCKET_IFNAME can name the network interface
  /// when the machine's name does not determine it.
  ///
  /// @throws DistributedError when they do not connect within the timeout, or the port is taken;
  /// SettingError for a timeout below 1 ms or a rank outside 0 .. processes - 1
  explicit ProcessGroup(Launch launch = launch_from_environment(), ProcessGroupSetting setting = {})
      : launch_(std::move(launch)), setting_(setting) {
    if (launch_.rank < 0 || launch_.rank >= launch_.processes || setting_.timeout.count() < 1) {
      throw SettingError(detail::text("process group: process ", launch_.rank, " of ",
                                      launch_.processes, ", timeout ", setting_.timeout.count(),
                                      " ms"));
    }
    if (launch_.processes == 1) return;
    report("connecting to the other processes", [&] {
      store_ = detail::meeting_store(launch_, setting_.timeout);
      cpu_ = detail::gloo_backend(store_, launch_, setting_.timeout);
    });
  }

  /// This process's rank and the number of processes.
  const Launch& launch() const { return launch_; }

  /// Sums a tensor, which has the same shape and dtype on all processes, over all of them, in place
  /// and with the same bits on each. CUDA tensors are summed by NCCL when it is built in, and
  /// otherwise through CPU copies.
  ///
  /// @throws DistributedError when another process died, or did not take part within the timeout
  /// @note synchronises the tensor's device
  void sum(torch::Tensor& tensor) {
    if (launch_.processes == 1) return;
    report(detail::text("summing ", tensor.numel(), " numbers"), [&] {
#ifdef USE_C10D_NCCL
      if (tensor.is_cuda()) {
        if (!cuda_) cuda_ = detail::nccl_backend(store_, launch_, setting_.timeout);
        detail::all_reduce(*cuda_, tensor, setting_.timeout);
        return;
      }
#endif
      torch::Tensor on_cpu = tensor.cpu().contiguous();
      detail::all_reduce(*cpu_, on_cpu, setting_.timeout);
      if (!on_cpu.is_same(tensor)) tensor.copy_(on_cpu);
    });
  }

  /// Returns, on every process, the strings that all processes passed, in the order of their ranks.
  /// The strings may differ in length.
  ///
  /// @throws DistributedError as sum() does
  std::vector<std::string> gather(const std::string& own) {
    if (launch_.processes == 1) return {own};
    const auto place = static_cast<std::int64_t>(launch_.rank);
    torch::Tensor sizes = torch::zeros({launch_.processes}, torch::kInt64);
    sizes[place] = static_cast<std::int64_t>(own.size());
    sum(sizes);
    // Each process fills its own row and leaves the others zero, so that the sum holds the bytes of
    // all.
    torch::Tensor rows;
    report("allocating memory for the gathered data", [&] {
      rows = torch::zeros({launch_.processes, sizes.max().item<std::int64_t>()}, torch::kUInt8);
    });
    if (!own.empty()) std::memcpy(rows[place].mutable_data_ptr(), own.data(), own.size());
    if (rows.numel() > 0) sum(rows);
    std::vector<std::string> all;
    for (std::int64_t i = 0; i < launch_.processes; ++i) {
      const auto size = static_cast<std::size_t>(sizes[i].item<std::int64_t>());
      all.emplace_back(static_cast<const char*>(rows[i].const_data_ptr()), size);
    }
    return all;
  }

 private:
  template <class Action>
  void report(const std::string& what, Action&& action) const {
    try {
      action();
    } catch (const std::exception& error) {
      const std::string reason = detail::c10d_reason(error);
      throw DistributedError(detail::text(
          "process ", launch_.rank, " of ", launch_.processes, ", ", what, " (timeout ",
          static_cast<double>(setting_.timeout.count()) / 1000, " s): ", reason));
    }
  }

  Launch launch_;
  ProcessGroupSetting setting_;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::Backend> cpu_;
#ifdef USE_C10D_NCCL
  c10::intrusive_ptr<c10d::Backend> cuda_;
#endif
};

/// This process's part of a run; keeps the group alive.
inline Shard process_shard(const std::shared_ptr<ProcessGroup>& group) {
  const Launch& launch = group->launch();
  return {launch.rank, launch.processes,
          [group](const std::string& own) { return group->gather(own); }};
}

/// Sums gradients over a group's processes, for TrainingSetting::sum; keeps the group alive.
inline std::function<void(torch::Tensor&)> process_sum(const std::shared_ptr<ProcessGroup>& group) {
  if (group->launch().processes == 1) return {};  // gradients need not be copied for an exchange
  return [group](torch::Tensor& tensor) { group->sum(tensor); };
}

}  // namespace homolog::inline v0_1
