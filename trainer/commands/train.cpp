#include <unistd.h>

#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/run/load_job.h"
#include "trainer/run/loop.h"

namespace aha {
namespace {

constexpr int kStopped = 85;

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string resume = "none";
};

int train(const Arguments& a) {
  const Config config = load_job(a.config, a.overrides);
  say_warnings(config);
  const auto end = run_job(config, {a.resume, isatty(STDERR_FILENO) != 0});
  if (end == JobEnd::Stopped) return kStopped;
  std::cerr << "what it did: aha report " << config.output_dir << '\n';
  return 0;
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("train", "run a job: the stages of a configuration file");
  auto a = std::make_shared<Arguments>();
  command->add_option("config", a->config, "configuration file (YAML)")->required();
  command
      ->add_option("--set", a->overrides,
                   "KEY=VALUE, e.g. optim.learning_rate=1e-5 or stages.grpo.train.max_steps=10; "
                   "wins over the file")
      ->allow_extra_args(false);
  command
      ->add_option("--resume", a->resume,
                   "none: output_dir must be empty; auto: go on from its newest checkpoint; or the "
                   "path of a checkpoint")
      ->capture_default_str();
  command->callback([&action, a] { action = [a] { return train(*a); }; });
}

}  // namespace aha
