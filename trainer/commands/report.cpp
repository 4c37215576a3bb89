#include <filesystem>
#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/config/load.h"
#include "trainer/core/error.h"
#include "trainer/metrics/read_run.h"
#include "trainer/run/preflight.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

/// The plan is made again from the run's configuration. Data that has moved since is no reason to
/// withhold what the run did.
void put_plan(const fs::path& run, ReportInputs& inputs) {
  try {
    const Config config = load_config(run / "config.resolved.yaml");
    inputs.plan = plan_lines(config, preflight(config));
  } catch (const UserError& error) {
    inputs.notes.push_back(fmt::format("the plan cannot be made again: {}", error.what()));
  }
}

int report(const std::vector<std::string>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    ReportInputs inputs = read_run(runs[i]);
    put_plan(runs[i], inputs);
    if (runs.size() > 1) std::cout << (i > 0 ? "\n" : "") << "=== " << runs[i] << "\n\n";
    std::cout << run_report(inputs);
  }
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("report", "what a run did: before and after, with samples");
  auto runs = std::make_shared<std::vector<std::string>>();
  command->add_option("run", *runs, "output_dir of one run or several")->required();
  command->callback([&action, runs] { action = [runs] { return report(*runs); }; });
}

}  // namespace aha
