#include "trainer/comm/placement.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <numeric>

#include "trainer/comm/slurm_lists.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::int64_t kMostRanks = 1 << 20;
constexpr std::int64_t kLastPort = 65535;
constexpr std::int64_t kMostFiles = 1 << 30;
// below the range that systems draw ports from by themselves (32768 on Linux)
constexpr std::int64_t kFirstJobPort = 15000;
constexpr std::int64_t kJobPorts = 15000;
// Slurm's own steps (batch script, interactive shell, extern) have ids from here to 2^32
constexpr std::int64_t kFirstSpecialStep = 0xfffffff0;

/// Variables as numbers, with messages that name them.
class Environment {
 public:
  explicit Environment(const EnvironmentLookup& lookup) : lookup_(lookup) {}

  std::optional<std::string> text(const std::string& name) const {
    auto value = lookup_(name);
    return value && !value->empty() ? value : std::nullopt;
  }

  bool has(const std::string& name) const { return text(name).has_value(); }

  std::optional<std::int64_t> number(const std::string& name, std::int64_t low,
                                     std::int64_t high) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    std::int64_t parsed = 0;
    const auto end = value->data() + value->size();
    const auto [stop, error] = std::from_chars(value->data(), end, parsed);
    if (error != std::errc{} || stop != end || parsed < low || parsed > high)
      fail("{} is '{}', expected a whole number from {} to {}", name, value->substr(0, 80), low,
           high);
    return parsed;
  }

  /// `because` says who promised it, e.g. "RANK is set".
  int needed(const std::string& name, std::int64_t low, std::int64_t high,
             const std::string& because) const {
    const auto value = number(name, low, high);
    if (!value) fail("{} is not set, though {}; set it, or start without either", name, because);
    return static_cast<int>(*value);
  }

  /// The first of two names that is set, else the second.
  std::string either(const std::string& name, const std::string& other) const {
    return has(name) ? name : other;
  }

  std::string needed_text(const std::string& name, const std::string& because) const {
    const auto value = text(name);
    if (!value) fail("{} is not set, though {}", name, because);
    return *value;
  }

 private:
  const EnvironmentLookup& lookup_;
};

int share(int cores, int ranks) {
  return std::max(1, cores / ranks);
}

/// Ranks of this machine cannot be more, or come later, than the ranks of all machines allow.
void check_local(const Placement& p, const std::string& local_rank,
                 const std::string& local_world_size) {
  if (p.local_world_size > p.world_size)
    fail("{} is {}, more than all {} ranks", local_world_size, p.local_world_size, p.world_size);
  if (p.local_rank > p.rank || p.world_size - p.local_world_size < p.rank - p.local_rank)
    fail("{} is {} of {}, which rank {} of {} cannot be", local_rank, p.local_rank,
         p.local_world_size, p.rank, p.world_size);
}

/// The id of the step that srun started this task in; nothing outside one.
std::optional<std::int64_t> slurm_step(const Environment& env) {
  const auto name = env.either("SLURM_STEP_ID", "SLURM_STEPID");
  const auto step = env.number(name, 0, 0xffffffff);
  return step && *step < kFirstSpecialStep ? step : std::nullopt;
}

std::int64_t slurm_tasks(const Environment& env, bool in_step) {
  const auto name =
      in_step ? env.either("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS") : std::string("SLURM_NTASKS");
  return env.number(name, 1, kMostRanks).value_or(1);
}

Placement from_torchrun(const Environment& env, int available_cores) {
  Placement p;
  p.world_size = env.needed("WORLD_SIZE", 1, kMostRanks,
                            env.has("RANK") ? "RANK is set" : "LOCAL_RANK is set");
  p.rank = env.needed("RANK", 0, p.world_size - 1, "WORLD_SIZE is set");
  if (env.has("LOCAL_RANK") || env.has("LOCAL_WORLD_SIZE")) {
    p.local_world_size = env.needed("LOCAL_WORLD_SIZE", 1, kMostRanks, "LOCAL_RANK is set");
    p.local_rank = env.needed("LOCAL_RANK", 0, p.local_world_size - 1, "LOCAL_WORLD_SIZE is set");
  }
  check_local(p, "LOCAL_RANK", "LOCAL_WORLD_SIZE");
  if (p.world_size > 1) {
    p.master_addr = env.needed_text("MASTER_ADDR", "WORLD_SIZE is more than 1");
    p.master_port = env.needed("MASTER_PORT", 1, kLastPort, "WORLD_SIZE is more than 1");
    if (p.rank == 0)
      p.listener = static_cast<int>(env.number("AHA_LISTENER", 0, kMostFiles).value_or(-1));
  }
  if (const auto tasks = slurm_tasks(env, true); slurm_step(env) && tasks > p.world_size)
    fail(
        "WORLD_SIZE is {}, but srun has started {} tasks; unset RANK and WORLD_SIZE to be ranks "
        "by Slurm's variables",
        p.world_size, tasks);
  p.run_id = env.text("TORCHELASTIC_RUN_ID").value_or("");
  p.cores = share(available_cores, p.local_world_size);
  return p;
}

/// Cores that Slurm means for this task.
int slurm_cores(const Environment& env, int available_cores, int local_world_size) {
  if (const auto each = env.number("SLURM_CPUS_PER_TASK", 1, kMostRanks))
    return std::min(available_cores, static_cast<int>(*each));
  const auto of_job =
      static_cast<int>(env.number("SLURM_CPUS_ON_NODE", 1, kMostRanks).value_or(available_cores));
  const bool bound = available_cores < of_job;
  return bound ? available_cores : share(of_job, local_world_size);
}

/// Where and on which of the nodes the tasks of a step are.
void place_in_step(const Environment& env, Placement& p) {
  const std::string because = "SLURM_PROCID is";
  const auto nodes_name = env.either("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST");
  const auto tasks_name = env.either("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE");
  const auto nodes = expanded_hosts(env.needed_text(nodes_name, because), nodes_name);
  const auto tasks = expanded_tasks(env.needed_text(tasks_name, because), tasks_name);
  if (tasks.size() != nodes.size())
    fail("{} has {} nodes, {} has {}", tasks_name, tasks.size(), nodes_name, nodes.size());
  if (std::accumulate(tasks.begin(), tasks.end(), std::int64_t{0}) != p.world_size)
    fail("{} does not add up to the {} tasks of the step", tasks_name, p.world_size);
  const auto last_node = static_cast<std::int64_t>(nodes.size()) - 1;
  const int node = env.needed("SLURM_NODEID", 0, last_node, because);
  p.local_world_size = tasks[static_cast<std::size_t>(node)];
  p.local_rank = env.needed("SLURM_LOCALID", 0, p.local_world_size - 1, because);
  check_local(p, "SLURM_LOCALID", tasks_name);

  const auto given = env.text("MASTER_ADDR");
  const auto here = env.text("SLURMD_NODENAME");
  if (!given && p.rank == 0 && here && *here != nodes.front())
    fail("MASTER_ADDR is not set, and rank 0 is on {}, not on {}, the first of {}; set it to {}",
         *here, nodes.front(), nodes_name, *here);
  p.master_addr = given ? *given : nodes.size() == 1 ? "127.0.0.1" : nodes.front();
}

Placement from_slurm(const Environment& env, std::int64_t step, int available_cores) {
  const std::string because = "this is a task of srun";
  Placement p;
  p.world_size = static_cast<int>(slurm_tasks(env, true));
  p.rank = env.needed("SLURM_PROCID", 0, p.world_size - 1, because);
  const auto job = env.number("SLURM_JOB_ID", 0, 0xffffffff);
  if (!job) fail("SLURM_JOB_ID is not set, though {}", because);
  if (p.world_size > 1) {
    place_in_step(env, p);
    const auto derived = kFirstJobPort + (*job + 997 * step) % kJobPorts;
    p.master_port = static_cast<int>(env.number("MASTER_PORT", 1, kLastPort).value_or(derived));
  }
  p.run_id = fmt::format("slurm_{}.{}.{}", *job, step,
                         env.number("SLURM_RESTART_COUNT", 0, kMostRanks).value_or(0));
  p.cores = slurm_cores(env, available_cores, p.local_world_size);
  return p;
}

/// In a job of Slurm, but not a task of srun.
Placement alone_in_job(const Environment& env, int available_cores) {
  const auto tasks = slurm_tasks(env, false);
  const auto nodes = env.number("SLURM_JOB_NUM_NODES", 1, kMostRanks).value_or(1);
  if (tasks > 1 || nodes > 1)
    fail(
        "SLURM_STEP_ID is not set: this is the batch script or shell of job {} ({} tasks, {} "
        "nodes), not one of its tasks; start it by 'srun aha train ...', or with --nproc for "
        "ranks on this machine alone",
        env.text("SLURM_JOB_ID").value_or("?"), tasks, nodes);
  Placement p;
  p.cores = slurm_cores(env, available_cores, 1);
  return p;
}

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

int outer_ranks(const EnvironmentLookup& lookup) {
  const Environment env(lookup);
  const auto by_srun = slurm_step(env) ? slurm_tasks(env, true) : 1;
  return static_cast<int>(std::max(by_srun, env.number("WORLD_SIZE", 1, kMostRanks).value_or(1)));
}

Placement placement_from_environment(const EnvironmentLookup& lookup, int available_cores) {
  const Environment env(lookup);
  if (env.has("RANK") || env.has("WORLD_SIZE") || env.has("LOCAL_RANK"))
    return from_torchrun(env, available_cores);
  if (const auto step = slurm_step(env)) return from_slurm(env, *step, available_cores);
  if (env.has("SLURM_JOB_ID")) return alone_in_job(env, available_cores);
  return {};
}

}  // namespace aha
