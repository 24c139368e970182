// SPDX-License-Identifier: Apache-2.0
#include "homolog/distributed/launch.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>

using namespace homolog;

namespace {

using Variables = std::map<std::string, std::string>;

Launch launch_of(const Variables& variables) {
  return launch_from_environment([&](const std::string& name) {
    const auto found = variables.find(name);
    return found != variables.end() ? std::optional<std::string>(found->second) : std::nullopt;
  });
}

std::string failure_of(const Variables& variables) {
  try {
    launch_of(variables);
  } catch (const SettingError& error) {
    return error.what();
  }
  return "no error";
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

const Variables torchrun{{"RANK", "3"},
                         {"WORLD_SIZE", "4"},
                         {"LOCAL_RANK", "1"},
                         {"LOCAL_WORLD_SIZE", "2"},
                         {"MASTER_ADDR", "node1"},
                         {"MASTER_PORT", "4711"},
                         {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                         {"TORCHELASTIC_RESTART_COUNT", "2"}};

const Variables srun{{"SLURM_STEP_ID", "0"},        {"SLURM_PROCID", "5"},
                     {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_LOCALID", "1"},
                     {"SLURM_STEP_NUM_NODES", "2"}, {"SLURM_STEP_NODELIST", "gpu[07-09,12],x"}};

}  // namespace

TEST_CASE("without a launcher there is one process") {
  const Launch launch = launch_of({{"HOME", "/"}, {"MASTER_ADDR", "node1"}});
  CHECK(launch.processes == 1);
  CHECK(launch.rank == 0);
  CHECK(launch.local_rank == 0);
}

TEST_CASE("torchrun's variables") {
  const Launch launch = launch_of(torchrun);
  CHECK(launch.rank == 3);
  CHECK(launch.processes == 4);
  CHECK(launch.local_rank == 1);
  CHECK(launch.address == "node1");
  CHECK(launch.port == 4711);
  CHECK(launch.external_store);
  CHECK(launch.attempt == 2);
}

TEST_CASE("Open MPI's and MPICH's variables") {
  const Launch open_mpi = launch_of({{"OMPI_COMM_WORLD_RANK", "1"},
                                     {"OMPI_COMM_WORLD_SIZE", "2"},
                                     {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                     {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  CHECK(open_mpi.rank == 1);
  CHECK(open_mpi.processes == 2);
  CHECK(open_mpi.local_rank == 1);
  CHECK(open_mpi.address == "127.0.0.1");
  CHECK(open_mpi.port == 29500);
  CHECK_FALSE(open_mpi.external_store);

  const Launch mpich =
      launch_of({{"PMI_RANK", "2"}, {"PMI_SIZE", "3"}, {"MASTER_ADDR", "10.0.0.7"}});
  CHECK(mpich.rank == 2);
  CHECK(mpich.processes == 3);
  CHECK(mpich.local_rank == 0);
  CHECK(mpich.address == "10.0.0.7");
}

TEST_CASE("Slurm's variables count only in a step") {
  CHECK(launch_of(srun).rank == 5);
  CHECK(launch_of(srun).processes == 8);
  CHECK(launch_of(srun).local_rank == 1);
  CHECK(launch_of(srun).address == "gpu07");
  CHECK(launch_of(with(srun, "SLURM_STEP_NUM_NODES", "1")).address == "127.0.0.1");
  CHECK(launch_of(with(srun, "MASTER_ADDR", "other")).address == "other");
  Variables batch_script = srun;
  batch_script.erase("SLURM_STEP_ID");
  CHECK(launch_of(batch_script).processes == 1);
  // torchrun inside a Slurm step is torchrun's run.
  Variables both = srun;
  both.insert(torchrun.begin(), torchrun.end());
  CHECK(launch_of(both).rank == 3);
}

TEST_CASE("the first machine of Slurm's lists") {
  CHECK(detail::first_host("one") == "one");
  CHECK(detail::first_host("one,two[1-3]") == "one");
  CHECK(detail::first_host("gpu[07-09]") == "gpu07");
  CHECK(detail::first_host("gpu[12,13]") == "gpu12");
  CHECK(detail::first_host("gpu[3-4].cluster,login") == "gpu3.cluster");
  CHECK(detail::first_host("gpu[3") == "gpu3");
  CHECK(detail::first_host("") == "");
}

TEST_CASE("wrong variables are named") {
  CHECK(mentions(failure_of({{"RANK", "0"}}), "WORLD_SIZE is not set"));
  CHECK(mentions(failure_of({{"WORLD_SIZE", "2"}}), "RANK is not set"));
  for (const char* rank : {"4", "-1", "x", "", "1x", "99999999999999999999", "0x1", " 1"}) {
    CAPTURE(rank);
    CHECK(mentions(failure_of(with(torchrun, "RANK", rank)),
                   "RANK is \"" + std::string(rank) + "\", expected a number from 0 to 3"));
  }
  CHECK(mentions(failure_of(with(torchrun, "WORLD_SIZE", "0")), "WORLD_SIZE is \"0\""));
  CHECK(mentions(failure_of(with(torchrun, "MASTER_PORT", "70000")), "MASTER_PORT is \"70000\""));
  CHECK(mentions(failure_of(with(torchrun, "LOCAL_RANK", "4")), "LOCAL_RANK"));
  // On several machines there is no default place to meet.
  CHECK(mentions(failure_of({{"OMPI_COMM_WORLD_RANK", "1"},
                             {"OMPI_COMM_WORLD_SIZE", "4"},
                             {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}),
                 "MASTER_ADDR is not set"));
  Variables no_list = srun;
  no_list.erase("SLURM_STEP_NODELIST");
  CHECK(mentions(failure_of(no_list), "MASTER_ADDR is not set"));
}
