#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"
#include "trainer/metrics/completion_rows.h"
#include "trainer/run/collect.h"
#include "trainer/run/load_job.h"
#include "trainer/run/preflight.h"
#include "trainer/run/sample_advice.h"

namespace aha {
namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::int64_t samples = 0;
};

/// Rolls out the policy that the first grpo stage starts from, and prints what the rewards say.
void sample(Config config, std::int64_t prompts) {
  if (config.stages.front().method != "grpo")
    fail(
        "--samples: the first stage, {}, is {}: the weights that grpo starts from do not exist "
        "yet. "
        "Point model.path at a checkpoint of it to sample from that",
        config.stages.front().name, config.stages.front().method);
  config.stages.front().train.prompts_per_step = prompts;
  config.stages.front().objective.zero_variance_groups = "keep";
  const Machine machine(config.stages.front().train.threads);
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
}

int check_config(const Arguments& a) {
  const Config config = load_job(a.config, a.overrides);
  for (const auto& line : plan_lines(config, preflight(config)))
    std::cout << line << '\n';
  say_warnings(config);
  std::cout.flush();
  if (a.samples > 0) sample(config, a.samples);
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
  command->callback([&action, a] { action = [a] { return check_config(*a); }; });
}

}  // namespace aha
