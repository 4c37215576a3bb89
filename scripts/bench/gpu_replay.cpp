// Ten steps of GRPO on the CPU, their batches trained on the GPU as well, and how far its numbers are from the CPU's:
// bench_gpu replay CONFIG [--model FOLDER] [--steps 10] [--set KEY=VALUE ...] [--json FILE].
// The first grpo stage of the configuration, from its start weights or those of FOLDER.
// Exit code 0: all gaps are held; 1: one is not.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "scripts/bench/replay.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/run/load_job.h"

namespace {

using namespace aha;
using namespace aha_bench;

/// The job's first stage of GRPO alone.
Config stage_of(Config config, const std::string& model) {
  const auto found = std::find_if(config.stages.begin(), config.stages.end(),
                                  [](const StageConfig& s) { return s.method == "grpo"; });
  if (found == config.stages.end()) fail("replay: the configuration has no grpo stage");
  StageConfig stage = *found;
  if (!model.empty()) {
    stage.model.path = model;
    stage.model.init.reset();
  }
  config.stages = {stage};
  return config;
}

OrderedJson json_of(const ReplayGaps& g) {
  return {{"step", g.step},
          {"tokens", g.tokens},
          {"loss", g.loss},
          {"logprob_max", g.logprob_max},
          {"logprob_mean", g.logprob_mean},
          {"gradient", g.gradient},
          {"weights", g.weights}};
}

int replay(const Config& config, std::int64_t steps, const std::string& file) {
  Replay job(config, device_ops("cuda"));
  const auto most = ReplayTolerances::of(job.storage());
  fmt::print("{:>6}{:>9}{:>12}{:>14}{:>14}{:>12}{:>12}\n", "step", "tokens", "loss", "logprob max",
             "logprob mean", "gradient", "weights");
  const auto row = [](const auto& step, const auto& tokens, const auto& loss, const auto& gaps) {
    fmt::print("{:>6}{:>9}{:>12}{:>14.2e}{:>14.2e}{:>12.2e}{:>12.2e}\n", step, tokens, loss,
               gaps.logprob_max, gaps.logprob_mean, gaps.gradient, gaps.weights);
  };
  OrderedJson rows = OrderedJson::array();
  int held = 0;
  for (std::int64_t i = 0; i < steps; ++i) {
    const ReplayGaps gaps = job.step();
    held += most.hold(gaps) ? 1 : 0;
    row(gaps.step, gaps.tokens, fmt::format("{:.6f}", gaps.loss), gaps);
    rows.push_back(json_of(gaps));
  }
  row("at", "most", "", most);
  if (!file.empty()) {
    std::ofstream out(file);
    out << dump_line(OrderedJson{{"steps", rows},
                                 {"tolerances",
                                  {{"logprob_max", most.logprob_max},
                                   {"logprob_mean", most.logprob_mean},
                                   {"gradient", most.gradient},
                                   {"weights", most.weights}}}})
        << '\n';
    if (!out.flush()) fail("{}: cannot be written", file);
  }
  fmt::print("{} of {} steps are the CPU's within the tolerances\n", held, steps);
  return held == steps ? 0 : 1;
}

}  // namespace

int aha_bench::gpu_replay(int argc, char** argv) {
  CLI::App app("the batches of CPU steps, trained on the GPU");
  std::string config, model, json;
  std::vector<std::string> sets;
  std::int64_t steps = 10;
  app.add_option("config", config, "configuration file")->required();
  app.add_option("--model", model, "folder with the start weights");
  app.add_option("--steps", steps, "of the CPU")->check(CLI::Range(1, 1000));
  app.add_option("--set", sets, "KEY=VALUE, as of aha train")->allow_extra_args(false);
  app.add_option("--json", json, "gaps and tolerances");
  CLI11_PARSE(app, argc, argv);
  try {
    return replay(stage_of(load_job(config, sets), model), steps, json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_gpu replay: {}\n", error.what());
    return 2;
  }
}
