// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The functions of c10d that are used: a store in which processes find each other, the backends,
/// and one sum.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/distributed/launch.hpp"

namespace homolog::inline v0_1::detail {

/// The reason of an error, without c10d's backtrace, source lines and advice.
inline std::string c10d_reason(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string reason = torch_error ? torch_error->what_without_backtrace() : error.what();
  reason = reason.substr(0, reason.find('\n'));
  reason = reason.substr(0, reason.find(". This is typically"));
  const auto source = reason.find(".cc:");  // [.../pair.cc:537] Read error ...
  if (reason.starts_with('[') && source != std::string::npos) {
    const auto end = reason.find("] ", source);
    if (end != std::string::npos) reason = reason.substr(end + 2);
  }
  return reason;
}

inline bool is_loopback(const std::string& address) {
  return address == "localhost" || address.starts_with("127.");
}

/// A socket that listens on 127.0.0.1 only; by default c10d's store listens on every network
/// interface.
inline int listen_on_loopback(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(static_cast<std::uint16_t>(port));
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* address = reinterpret_cast<const sockaddr*>(&place);
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd, address, sizeof place) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    const std::string reason = system_error_text(errno);
    if (fd >= 0) ::close(fd);
    throw DistributedError(text("port ", port, " of 127.0.0.1 cannot be listened on: ", reason));
  }
  return fd;
}

inline c10::intrusive_ptr<c10d::Store> meeting_store(const Launch& launch,
                                                     std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(launch.port);
  options.isServer = launch.rank == 0 && !launch.external_store;
  if (!launch.external_store) options.numWorkers = static_cast<std::size_t>(launch.processes);
  options.timeout = timeout;
  // The store's server uses libuv by default, with which not every LibTorch is built (Debian's is
  // not). Its own loop serves a few processes equally well, and all versions have it.
  options.useLibUV = false;
  const bool loopback = is_loopback(launch.address);
  if (options.isServer && loopback) options.masterListenFd = listen_on_loopback(launch.port);
  auto store =
      c10::make_intrusive<c10d::TCPStore>(loopback ? "127.0.0.1" : launch.address, options);
  return c10::make_intrusive<c10d::PrefixStore>(text("homolog/", launch.attempt), store);
}

inline c10::intrusive_ptr<c10d::Backend> gloo_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                      const Launch& launch,
                                                      std::chrono::milliseconds timeout) {
  using Gloo = c10d::ProcessGroupGloo;
  auto options = Gloo::Options::create(timeout);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody here sets variables
  const char* interface_name = std::getenv("GLOO_SOCKET_IFNAME");
  if (is_loopback(launch.address)) {
    options->devices.push_back(Gloo::createDeviceForHostname("127.0.0.1"));
  } else if (interface_name != nullptr) {
    options->devices.push_back(Gloo::createDeviceForInterface(interface_name));
  } else {
    options->devices.push_back(Gloo::createDefaultDevice());
  }
  return c10::make_intrusive<Gloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store),
                                   launch.rank, launch.processes, options);
}

#ifdef USE_C10D_NCCL
inline c10::intrusive_ptr<c10d::Backend> nccl_backend(c10::intrusive_ptr<c10d::Store> store,
                                                      const Launch& launch,
                                                      std::chrono::milliseconds timeout) {
  using Nccl = c10d::ProcessGroupNCCL;
  // Without it a wait returns at once and a dead peer aborts the process from another thread.
  ::setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
  auto options = Nccl::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<Nccl>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                   launch.rank, launch.processes, options);
}
#endif

inline void all_reduce(c10d::Backend& backend, const torch::Tensor& tensor,
                       std::chrono::milliseconds timeout) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::AllreduceOptions options;
  options.timeout = timeout;
  backend.allreduce(tensors, options)->wait();
}

}  // namespace homolog::inline v0_1::detail
