#include <spdlog/spdlog.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "trainer/comm/launcher.h"
#include "trainer/comm/placement.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/report_page.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/parallel.h"
#include "trainer/run/load_job.h"
#include "trainer/run/loop.h"

namespace aha {
namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string resume = "none";
  int nproc = 0;  ///< 0: as the environment says
};

/// Where this process stands. With --nproc, Slurm and torchrun must not have made ranks already.
Placement placement_of(const Arguments& a) {
  const int cores = available_cores();
  if (a.nproc == 0) return placement_from_environment(environment_variable, cores);
  const auto ranks = outer_ranks(environment_variable);
  if (ranks > 1)
    fail("--nproc {}: this process is one of {} ranks already, by RANK or srun; leave --nproc out",
         a.nproc, ranks);
  return {};
}

/// Rank 0 speaks for all; of the others errors are heard.
void introduce(const Placement& p) {
  if (p.world_size == 1) return;
  if (p.rank > 0) return spdlog::set_level(spdlog::level::err);
  spdlog::info("{} ranks, {} of them here with {} of {} cores each; they meet at {}:{}",
               p.world_size, p.local_world_size, p.cores, available_cores(), p.master_addr,
               p.master_port);
}

/// The run is done: that its page cannot be written is no failure of it.
void say_report(const std::string& run) {
  const std::string page = run + "/report.html";
  try {
    write_file_atomic(page, report_page({run}));
    std::cerr << "what it did: " << page << " (open it in a browser), or aha report " << run
              << '\n';
  } catch (const UserError& error) {
    std::cerr << "no report was written: " << error.what() << "; try aha report " << run << '\n';
  }
}

int train(const Arguments& a) {
  const Placement placement = placement_of(a);
  introduce(placement);
  const Config config = load_job(a.config, a.overrides);
  if (a.nproc > 1) return launch({own_command_without("--nproc"), a.nproc});
  if (placement.rank == 0) say_warnings(config);
  const auto end = run_job(config, {a.resume, isatty(STDERR_FILENO) != 0, placement});
  if (end == JobEnd::Stopped) return kExitStopped;
  if (placement.rank > 0) return 0;
  say_report(config.output_dir);
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
  command
      ->add_option(
          "--nproc", a->nproc,
          "ranks on this machine; without it as RANK, WORLD_SIZE, ... or Slurm's srun say, "
          "else 1")
      ->check(CLI::Range(1, 4096));
  command->callback([&action, a] { action = [a] { return train(*a); }; });
}

}  // namespace aha
