#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "rewards/offline.h"
#include "rewards/registry.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

struct Arguments {
  std::string reward;
  std::string file = "-";
  std::vector<std::string> fields;
  std::string label;
  bool explain = false;
};

int score(const Arguments& a) {
  OfflineOptions options;
  options.reward = parse_reward_spec(a.reward);
  for (const auto& field : a.fields) {
    const auto equals = field.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == field.size())
      fail("--field {}: expected OURS=THEIRS, such as gold=target", field);
    options.fields[field.substr(0, equals)] = field.substr(equals + 1);
  }
  options.label = a.label;
  options.explain = a.explain;
  Input input(a.file);
  options.input_name = input.name();
  const auto summary = score_jsonl(input.stream(), std::cout, options);
  spdlog::info("{}", summary.text());
  if (const auto text = summary.bad_text(); !text.empty()) fail("{}", text);
  return 0;
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("score", "judge completions in a JSONL file with a reward");
  auto a = std::make_shared<Arguments>();
  command->add_option("--reward", a->reward, "NAME[:key=value,...]; see below")->required();
  command
      ->add_option("file", a->file, "JSONL rows with completion or prediction; - is standard input")
      ->capture_default_str();
  command
      ->add_option("--field", a->fields, "OURS=THEIRS, e.g. gold=target: another name of a field")
      ->allow_extra_args(false);
  command->add_option("--label", a->label,
                      "field with the right score: say how many rows agree with it, and how");
  command->add_flag("--explain", a->explain,
                    "write `explanation` as well: how the score came about, line by line");
  command->footer("Rewards:\n" + reward_help());
  command->callback([&action, a] { action = [a] { return score(*a); }; });
}

}  // namespace aha
