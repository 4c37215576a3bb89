#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/metrics/completion_rows.h"
#include "trainer/run/collect.h"
#include "trainer/run/load_job.h"
#include "trainer/run/machine_plan.h"
#include "trainer/run/machines.h"
#include "trainer/run/preflight.h"
#include "trainer/run/sample_advice.h"

namespace aha {
namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::int64_t samples = 0;
  int nproc = 0;  ///< 0: as many as nodes and gpus_per_node make, else 1
  std::string gpu;
  int nodes = 0;
  int gpus_per_node = 0;
};

/// The ranks that are asked about: of the job, and of one machine (0: not said).
struct AskedRanks {
  int all = 1;
  int per_node = 0;
};

AskedRanks ranks_of(const Arguments& a) {
  if (a.nodes == 0) return {a.nproc > 0 ? a.nproc : std::max(1, a.gpus_per_node), a.gpus_per_node};
  int per_node = a.gpus_per_node;
  if (per_node == 0 && a.nproc > 0 && a.nproc % a.nodes == 0) per_node = a.nproc / a.nodes;
  if (per_node == 0 && a.nproc == 0 && !a.gpu.empty())
    per_node = static_cast<int>(machine_kind(a.gpu).per_node);
  if (per_node == 0 && a.nproc == 0)
    fail("--nodes {}: needs --gpus-per-node or --nproc, how many ranks there are", a.nodes);
  if (a.nproc > 0 && a.nproc != a.nodes * per_node)
    fail("--nproc {}: are not {} machines with {} ranks each", a.nproc, a.nodes,
         per_node > 0 ? std::to_string(per_node) : "equally many");
  return {a.nodes * per_node, per_node};
}

/// Memory of a step with answers like these.
std::string expected_line(const StageConfig& stage, const ModelConfig& model, MemoryInputs inputs,
                          std::span<const Group> groups) {
  const Answers answers = answers_of(stage, groups);
  inputs.answers = answers;
  return fmt::format(
      "memory with such answers, {:.0f} tokens on average and {:.0f} % of the prompts trained on: "
      "{}; the plan's most is for full ones",
      answers.mean_tokens, 100 * answers.trained_share,
      bytes_text(static_cast<double>(plan_memory(stage, model, inputs).total())));
}

/// Rolls out the policy that the first grpo stage starts from, and prints what the rewards say.
void sample(Config config, std::int64_t prompts, const StagePlan& plan) {
  if (config.stages.front().method != "grpo")
    fail(
        "--samples: the first stage, {}, is {}: the weights that grpo starts from do not exist "
        "yet. "
        "Point model.path at a checkpoint of it to sample from that",
        config.stages.front().name, config.stages.front().method);
  const StageConfig asked = config.stages.front();
  config.stages.front().train.prompts_per_step = prompts;
  config.stages.front().objective.zero_variance_groups = "keep";
  const Machine machine(config.stages.front().train.threads, device_ops(config.device),
                        config.strict);
  Policy policy = make_policy(config, machine);
  Communicator alone;
  const auto stage = make_stage(config, 0, machine, policy, alone);
  const auto collected = collect(*stage, [] { return false; });
  CompletionRowInputs inputs;
  inputs.stage = stage->settings.name;
  inputs.reward_names = stage->scorer->names();
  for (const auto& group : collected->groups)
    for (std::size_t c = 0; c < group.completions.size(); ++c)
      std::cout << dump_line(completion_row(inputs, group, c)) << '\n';
  const auto counts = sample_counts(collected->groups, *stage->scorer);
  for (const auto& line : sample_lines(counts, stage->settings.rollout.max_completion_length))
    spdlog::info("{}", line);
  spdlog::info("{}", expected_line(asked, policy.config, plan.inputs, collected->groups));
}

int check_config(const Arguments& a) {
  const Config config = load_job(a.config, a.overrides);
  const AskedRanks ranks = ranks_of(a);
  if (!a.gpu.empty()) {
    for (const auto& line : machine_plan(config, {a.gpu, ranks.all, ranks.per_node}))
      std::cout << line << '\n';
    return 0;
  }
  const int here = ranks.per_node > 0 ? std::min(ranks.per_node, ranks.all) : ranks.all;
  const bool neighbours = here == ranks.all && config.stages.front().comm.read_memory;
  const auto plans = preflight(config, {ranks.all, here, neighbours});
  for (const auto& line : plan_lines(config, plans))
    std::cout << line << '\n';
  say_warnings(config);
  std::cout.flush();
  if (a.samples > 0) sample(config, a.samples, plans.front());
  return 0;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "check", "everything that can be known before a run: batch, memory, data, prompt, rewards");
  auto a = std::make_shared<Arguments>();
  command->add_option("config", a->config, "configuration file (YAML)")->required();
  command->add_option("--set", a->overrides, "KEY=VALUE, as of aha train")->allow_extra_args(false);
  command
      ->add_option("--samples", a->samples,
                   "also complete this many prompts with the untrained policy (JSONL)")
      ->check(CLI::Range(0, 1 << 20));
  command
      ->add_option(
          "--gpu", a->gpu,
          "plan for this kind of machine instead of this one, of the configuration and the "
          "model's config.json alone: time, bytes and memory of a step")
      ->excludes("--samples");
  command->add_option("--nproc", a->nproc, "plan for this many ranks")->check(CLI::Range(1, 4096));
  command->add_option("--nodes", a->nodes, "that many machines")->check(CLI::Range(1, 4096));
  command->add_option("--gpus-per-node", a->gpus_per_node, "with that many ranks each")
      ->check(CLI::Range(1, 64));
  command->callback([&action, a] { action = [a] { return check_config(*a); }; });
}

}  // namespace aha
