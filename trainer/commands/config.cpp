#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/config/dump.h"
#include "trainer/core/error.h"
#include "trainer/run/load_job.h"

namespace aha {
namespace {

struct Arguments {
  std::string key;
  std::string file;
  std::vector<std::string> overrides;
};

int config(const Arguments& a) {
  if (a.file.empty() && !a.overrides.empty()) fail("--set: needs --file, whose values it changes");
  std::cout << (a.file.empty() ? explain_key(a.key) : resolved_yaml(load_job(a.file, a.overrides)));
  return 0;
}

}  // namespace

void add_config(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "config", "explain the keys of a configuration file, or resolve one (--file)");
  auto a = std::make_shared<Arguments>();
  command->add_option("key", a->key,
                      "such as rollout.top_p, or a section; nothing lists the sections");
  command->add_option("--file", a->file,
                      "print this file with defaults, presets and --set filled in");
  command->add_option("--set", a->overrides, "KEY=VALUE")->allow_extra_args(false);
  command->callback([&action, a] { action = [a] { return config(*a); }; });
}

}  // namespace aha
