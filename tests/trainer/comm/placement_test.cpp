#include "trainer/comm/placement.h"

#include <map>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"

using namespace aha;
using namespace aha_test;

namespace {

using Variables = std::map<std::string, std::string>;

EnvironmentLookup lookup_in(const Variables& variables) {
  return [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Placement place(const Variables& variables, int cores = 8) {
  return placement_from_environment(lookup_in(variables), cores);
}

std::string refusal(const Variables& variables) {
  return error_of([&] { place(variables); });
}

/// `changes` over `variables`; an empty value takes the variable away.
Variables with(Variables variables, const Variables& changes) {
  for (const auto& [name, value] : changes)
    variables[name] = value;
  return variables;
}

/// What a task of a real Slurm saw (tests/golden/comm/make_golden.py).
Variables slurm_task(const std::string& name) {
  const auto golden = Json::parse(read_file(AHA_SOURCE_DIR "/tests/golden/comm/slurm.json"));
  return golden.at("tasks").at(name).get<Variables>();
}

const Variables kTorchrun = {{"RANK", "5"},           {"WORLD_SIZE", "8"},
                             {"LOCAL_RANK", "1"},     {"LOCAL_WORLD_SIZE", "4"},
                             {"MASTER_ADDR", "head"}, {"MASTER_PORT", "29500"}};

}  // namespace

TEST_CASE("placement: without variables a process is by itself, with all cores") {
  const auto p = place({});
  CHECK(p.rank == 0);
  CHECK(p.world_size == 1);
  CHECK(p.local_world_size == 1);
  CHECK(p.cores == 0);
}

TEST_CASE("placement: torchrun's variables, with the cores divided over the machine's ranks") {
  const auto p = place(with(kTorchrun, {{"TORCHELASTIC_RUN_ID", "r7"}}), 10);
  CHECK(p.rank == 5);
  CHECK(p.world_size == 8);
  CHECK(p.local_rank == 1);
  CHECK(p.local_world_size == 4);
  CHECK(p.master_addr == "head");
  CHECK(p.master_port == 29500);
  CHECK(p.run_id == "r7");
  CHECK(p.cores == 2);
  CHECK(place(kTorchrun, 3).cores == 1);
}

TEST_CASE("placement: without local ranks, as in Kubernetes, each rank has a machine") {
  const auto p = place(with(kTorchrun, {{"LOCAL_RANK", ""}, {"LOCAL_WORLD_SIZE", ""}}));
  CHECK(p.local_rank == 0);
  CHECK(p.local_world_size == 1);
  CHECK(p.cores == 8);
  CHECK(place({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).world_size == 1);
}

TEST_CASE("placement: a torchrun set that is incomplete names what is missing") {
  for (const char* name :
       {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"})
    CHECK_THAT(refusal(with(kTorchrun, {{name, ""}})),
               contains(std::string(name) + " is not set, though"));
}

TEST_CASE("placement: a torchrun set that contradicts itself names the variable") {
  const std::vector<std::pair<Variables, std::string>> cases = {
      {{{"RANK", "8"}}, "RANK is '8', expected a whole number from 0 to 7"},
      {{{"RANK", "-1"}}, "RANK is '-1'"},
      {{{"RANK", "1x"}}, "RANK is '1x'"},
      {{{"WORLD_SIZE", "0"}}, "WORLD_SIZE is '0'"},
      {{{"WORLD_SIZE", "99999999999999999999"}}, "WORLD_SIZE is '99"},
      {{{"LOCAL_RANK", "4"}}, "LOCAL_RANK is '4'"},
      {{{"LOCAL_WORLD_SIZE", "9"}}, "LOCAL_WORLD_SIZE is 9, more than all 8 ranks"},
      {{{"RANK", "0"}}, "LOCAL_RANK is 1 of 4, which rank 0 of 8 cannot be"},
      {{{"RANK", "7"}, {"LOCAL_RANK", "2"}}, "LOCAL_RANK is 2 of 4, which rank 7 of 8 cannot be"},
      {{{"MASTER_PORT", "0"}}, "MASTER_PORT is '0'"},
      {{{"MASTER_PORT", "65536"}}, "MASTER_PORT is '65536'"},
      {{{"AHA_LISTENER", "x"}, {"RANK", "0"}, {"LOCAL_RANK", "0"}}, "AHA_LISTENER is 'x'"}};
  for (const auto& [changes, message] : cases)
    CHECK_THAT(refusal(with(kTorchrun, changes)), contains(message));
}

TEST_CASE("placement: tasks of a real Slurm's step over two nodes") {
  struct Expected {
    const char* task;
    int rank, local_rank, local_world_size, cores;
  };
  const int cores = 4;
  for (const auto& e : {Expected{"block.0", 0, 0, 2, 1}, Expected{"block.1", 1, 1, 2, 1},
                        Expected{"block.2", 2, 0, 1, 1}, Expected{"cyclic.0", 0, 0, 2, 1},
                        Expected{"cyclic.1", 1, 0, 1, 1}, Expected{"cyclic.2", 2, 1, 2, 1}}) {
    INFO(e.task);
    const auto variables = slurm_task(e.task);
    const auto p = place(variables, cores);
    CHECK(p.rank == e.rank);
    CHECK(p.world_size == 3);
    CHECK(p.local_rank == e.local_rank);
    CHECK(p.local_world_size == e.local_world_size);
    CHECK(p.cores == e.cores);
    CHECK(p.master_addr == "n1");
    const int step = std::stoi(variables.at("SLURM_STEP_ID"));
    const int job = std::stoi(variables.at("SLURM_JOB_ID"));
    CHECK(p.master_port == 15000 + job + 997 * step);
    CHECK(p.run_id == fmt::format("slurm_{}.{}.0", job, step));
  }
  const auto one = place(slurm_task("one.0"), cores);
  CHECK(one.world_size == 1);
  CHECK(one.cores == 2);  // SLURM_CPUS_PER_TASK
}

TEST_CASE("placement: cores that Slurm bound a task to are its own") {
  const Variables many = {{"SLURM_CPUS_ON_NODE", "32"}};
  CHECK(place(with(slurm_task("block.0"), many), 64).cores == 16);
  CHECK(place(with(slurm_task("block.0"), many), 8).cores == 8);
  CHECK(place(with(slurm_task("block.0"), {{"SLURM_CPUS_PER_TASK", "6"}}), 64).cores == 6);
}

TEST_CASE("placement: a requeued job is another run, a large job id has a port in range") {
  const auto p = place(
      with(slurm_task("block.1"), {{"SLURM_RESTART_COUNT", "2"}, {"SLURM_JOB_ID", "4294901760"}}));
  CHECK(p.run_id == "slurm_4294901760.0.2");
  CHECK(p.master_port >= 15000);
  CHECK(p.master_port < 30000);
}

TEST_CASE("placement: in Slurm, MASTER_ADDR and MASTER_PORT may be given; one node needs no name") {
  const auto p =
      place(with(slurm_task("block.2"), {{"MASTER_ADDR", "ib0"}, {"MASTER_PORT", "7000"}}));
  CHECK(p.master_addr == "ib0");
  CHECK(p.master_port == 7000);
  const auto q = place(with(slurm_task("block.1"),
                            {{"SLURM_STEP_NODELIST", "n1"}, {"SLURM_STEP_TASKS_PER_NODE", "3"}}));
  CHECK(q.master_addr == "127.0.0.1");
}

TEST_CASE("placement: torchrun's set goes before Slurm's, unless it has fewer ranks") {
  CHECK(place(with(slurm_task("block.1"), kTorchrun)).world_size == 8);
  CHECK_THAT(refusal(with(slurm_task("block.1"), {{"RANK", "0"}, {"WORLD_SIZE", "1"}})),
             contains("WORLD_SIZE is 1, but srun has started 3 tasks"));
}

TEST_CASE("placement: ranks that something outside has made") {
  const auto ranks = [](const Variables& variables) { return outer_ranks(lookup_in(variables)); };
  CHECK(ranks({}) == 1);
  CHECK(ranks(kTorchrun) == 8);
  CHECK(ranks(slurm_task("block.2")) == 3);
  CHECK(ranks(slurm_task("one.0")) == 1);
  CHECK(ranks(slurm_task("batch")) == 1);
}

TEST_CASE("placement: a Slurm set that is incomplete or contradicts itself names the variable") {
  const std::vector<std::pair<Variables, std::string>> cases = {
      {{{"SLURM_PROCID", ""}}, "SLURM_PROCID is not set"},
      {{{"SLURM_PROCID", "3"}}, "SLURM_PROCID is '3'"},
      {{{"SLURM_JOB_ID", ""}}, "SLURM_JOB_ID is not set"},
      {{{"SLURM_LOCALID", ""}}, "SLURM_LOCALID is not set"},
      {{{"SLURM_LOCALID", "1"}}, "SLURM_LOCALID is '1'"},
      {{{"SLURM_NODEID", "2"}}, "SLURM_NODEID is '2'"},
      {{{"SLURM_STEP_NODELIST", "n[1"}}, "SLURM_STEP_NODELIST: 'n[1'"},
      {{{"SLURM_STEP_NODELIST", "n1"}},
       "SLURM_STEP_TASKS_PER_NODE has 2 nodes, SLURM_STEP_NODELIST has 1"},
      {{{"SLURM_STEP_TASKS_PER_NODE", "2(x2)"}},
       "SLURM_STEP_TASKS_PER_NODE does not add up to the 3"},
      {{{"SLURM_STEP_NODELIST", ""}, {"SLURM_JOB_NODELIST", ""}}, "SLURM_JOB_NODELIST is not set"}};
  for (const auto& [changes, message] : cases)
    CHECK_THAT(refusal(with(slurm_task("block.2"), changes)), contains(message));
  CHECK_THAT(refusal(with(slurm_task("block.0"), {{"SLURMD_NODENAME", "n2"}})),
             contains("rank 0 is on n2, not on n1") && contains("MASTER_ADDR"));
}

TEST_CASE("placement: the batch script of a job of several tasks is told to use srun") {
  CHECK_THAT(refusal(slurm_task("batch")), contains("srun aha train") && contains("--nproc"));
  // of `salloc`, whose shell may be a step of Slurm's own
  CHECK_THAT(
      refusal({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}, {"SLURM_STEP_ID", "4294967290"}}),
      contains("job 7 (4 tasks"));
  CHECK_THAT(refusal({{"SLURM_JOB_ID", "7"}, {"SLURM_JOB_NUM_NODES", "2"}}), contains("2 nodes"));
  const auto alone = place({{"SLURM_JOB_ID", "7"}, {"SLURM_CPUS_ON_NODE", "4"}});
  CHECK(alone.world_size == 1);
  CHECK(alone.cores == 4);
}
