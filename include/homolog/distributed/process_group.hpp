// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Several processes that add tensors up: c10d's Gloo for CPU tensors and, where LibTorch and this
/// build have it (USE_C10D_NCCL), NCCL for CUDA tensors.

#include <torch/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "homolog/distributed/detail/c10d.hpp"
#include "homolog/distributed/launch.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/train/finetune_setting.hpp"

namespace homolog::inline v0_1 {

/// How processes meet and wait for each other.
struct ProcessGroupSetting {
  /// How long a process waits for the others: to start, and in each exchange.
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
};

/// The processes of one run, connected to each other. All call the same members in the same order.
class ProcessGroup {
 public:
  /// Waits until all processes have come. On 127.0.0.1 nothing listens outside this machine;
  /// elsewhere GLOO_SOCKET_IFNAME names the network interface where the machine's name does not.
  ///
  /// @throws DistributedError when they do not come within the timeout, or the port is taken;
  /// SettingError for a timeout below 1 ms or a place outside 0 .. processes - 1
  explicit ProcessGroup(Launch launch = launch_from_environment(), ProcessGroupSetting setting = {})
      : launch_(std::move(launch)), setting_(setting) {
    if (launch_.rank < 0 || launch_.rank >= launch_.processes || setting_.timeout.count() < 1) {
      throw SettingError(detail::text("process group: process ", launch_.rank, " of ",
                                      launch_.processes, ", timeout ", setting_.timeout.count(),
                                      " ms"));
    }
    if (launch_.processes == 1) return;
    report("meeting the others", [&] {
      store_ = detail::meeting_store(launch_, setting_.timeout);
      cpu_ = detail::gloo_backend(store_, launch_, setting_.timeout);
    });
  }

  /// This process's place among the others.
  const Launch& launch() const { return launch_; }

  /// Adds a tensor of one shape and dtype up over all processes, in place, with the same bits on
  /// each. CUDA tensors take NCCL where it is built in, else the way through the CPU.
  ///
  /// @throws DistributedError when another process died, or did not take part within the timeout
  /// @note synchronises the tensor's device
  void sum(torch::Tensor& tensor) {
    if (launch_.processes == 1) return;
    report(detail::text("adding up ", tensor.numel(), " numbers"), [&] {
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

  /// The same for numbers outside LibTorch.
  void sum(std::span<double> values) {
    auto tensor = torch::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                                   torch::kFloat64);
    sum(tensor);
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

/// This process's part of an evaluation; keeps the group alive.
inline EvaluationShard evaluation_shard(const std::shared_ptr<ProcessGroup>& group) {
  const Launch& launch = group->launch();
  return {launch.rank, launch.processes, [group](std::span<double> values) { group->sum(values); }};
}

/// This process's part of a training; keeps the group alive.
inline TrainShard train_shard(const std::shared_ptr<ProcessGroup>& group) {
  const Launch& launch = group->launch();
  if (launch.processes == 1) return {};  // gradients need not be copied for an exchange
  return {launch.rank, launch.processes, [group](torch::Tensor& tensor) { group->sum(tensor); }};
}

}  // namespace homolog::inline v0_1
