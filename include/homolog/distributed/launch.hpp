// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which of several processes this one is, as the launcher states in environment variables. This
/// header needs no LibTorch.

#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// This process's rank among the processes of one run, and the address where they connect.
struct Launch {
  int rank = 0;                       ///< 0 to processes - 1
  int processes = 1;                  ///< of the whole run, over all machines
  int local_rank = 0;                 ///< among those of this machine: the CUDA device to take
  std::string address = "127.0.0.1";  ///< machine of rank 0
  int port = 29500;                   ///< of the store on it, in which addresses are exchanged
  /// The launcher's agent runs that store (torchrun); else rank 0 does.
  bool external_store = false;
  int attempt = 0;  ///< how often the launcher restarted the processes
};

/// Value of an environment variable, or nothing where it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own environment.
inline std::optional<std::string> environment_variable(const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody here sets variables
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

namespace detail {

/// The environment variables in which a launcher gives a process its rank.
struct LauncherNames {
  const char* launcher;
  const char* rank;
  const char* processes;
  const char* local_rank;
  const char* local_processes;
};

constexpr LauncherNames launcher_names[] = {
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"MPICH", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
    {"Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", ""},
};

inline int launch_number(const EnvironmentLookup& lookup, const std::string& name, int least,
                         int most) {
  const auto value = lookup(name);
  int number = 0;
  const char* end = value ? value->data() + value->size() : nullptr;
  const auto read = value ? std::from_chars(value->data(), end, number)
                          : std::from_chars_result{nullptr, std::errc::invalid_argument};
  if (read.ec != std::errc() || read.ptr != end || number < least || number > most) {
    throw SettingError(text("environment variable ", name, " is ",
                            value ? "\"" + *value + "\"" : "not set", ", expected a number from ",
                            least, " to ", most));
  }
  return number;
}

/// First machine of a Slurm list such as `gpu[07-09,12],login1`.
inline std::string first_host(std::string_view list) {
  const auto bracket = list.find_first_of("[,");
  std::string host(list.substr(0, bracket));
  if (bracket == std::string_view::npos || list[bracket] != '[') return host;
  const auto first = list.substr(bracket + 1);
  host += first.substr(0, first.find_first_of("-,]"));
  const auto close = first.find(']');
  if (close != std::string_view::npos) {  // what follows the bracket: gpu[07-09].cluster
    const auto rest = first.substr(close + 1);
    host += rest.substr(0, rest.find(','));
  }
  return host;
}

/// The address where the processes connect when MASTER_ADDR is not set.
inline std::string default_address(const EnvironmentLookup& lookup, const LauncherNames& names,
                                   int processes) {
  const std::string_view launcher = names.launcher;
  if (launcher == "Slurm") {
    const auto nodes = lookup("SLURM_STEP_NODELIST");
    std::string host = nodes ? first_host(*nodes) : "";
    if (lookup("SLURM_STEP_NUM_NODES") == "1") return "127.0.0.1";
    if (!host.empty()) return host;
  } else if (lookup(names.local_processes) == std::to_string(processes)) {
    return "127.0.0.1";
  }
  throw SettingError(text("environment variable MASTER_ADDR is not set, expected the machine of ",
                          "rank 0 (", launcher, " started ", processes,
                          " processes, maybe on several machines)"));
}

}  // namespace detail

/// Reads the environment variables of torchrun, mpirun (Open MPI, MPICH, Intel MPI) or Slurm's
/// srun; the result is a run of one process when none of them started this one.
///
/// MASTER_ADDR and MASTER_PORT say where the processes connect. Without them it is port 29500 of
/// 127.0.0.1 when all run on one machine, and of the first machine of Slurm's step otherwise.
///
/// @throws SettingError for a variable that is missing beside others of the same launcher, is no
///   number, or is out of range
inline Launch launch_from_environment(const EnvironmentLookup& lookup = environment_variable) {
  for (const auto& names : detail::launcher_names) {
    const bool slurm = std::string_view(names.launcher) == "Slurm";
    // In a batch script without srun, the ranks of Slurm's job are set although there is only one
    // process.
    if (slurm ? !lookup("SLURM_STEP_ID") : !lookup(names.rank) && !lookup(names.processes)) {
      continue;
    }
    if (slurm && !lookup(names.rank)) continue;
    Launch launch;
    launch.processes = detail::launch_number(lookup, names.processes, 1, 1 << 20);
    launch.rank = detail::launch_number(lookup, names.rank, 0, launch.processes - 1);
    if (lookup(names.local_rank)) {
      launch.local_rank = detail::launch_number(lookup, names.local_rank, 0, launch.processes - 1);
    }
    if (launch.processes == 1) return launch;
    const auto address = lookup("MASTER_ADDR");
    launch.address = address ? *address : detail::default_address(lookup, names, launch.processes);
    if (lookup("MASTER_PORT")) {
      launch.port = detail::launch_number(lookup, "MASTER_PORT", 1, 65535);
    }
    launch.external_store = lookup("TORCHELASTIC_USE_AGENT_STORE") == "True";
    if (lookup("TORCHELASTIC_RESTART_COUNT")) {
      launch.attempt = detail::launch_number(lookup, "TORCHELASTIC_RESTART_COUNT", 0, 1 << 30);
    }
    return launch;
  }
  return {};
}

}  // namespace homolog::inline v0_1
