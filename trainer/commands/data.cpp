#include <iostream>
#include <memory>

#include "data/tasks/generate.h"
#include "trainer/commands/commands.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

struct Arguments {
  std::string task;
  std::string split = "train";
  GenerateOptions options;
  TaskOptions task_options;
};

int data(Arguments& a) {
  a.options.split = a.split == "train" ? Split::Train : Split::HeldOut;
  generate_rows(*make_task(a.task, a.task_options), a.options, std::cout);
  return 0;
}

}  // namespace

void add_data(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("data", "generate rows of a task as JSONL");
  auto a = std::make_shared<Arguments>();
  TaskOptions& t = a->task_options;
  command->add_option("task", a->task, "countdown_wait, parity, countdown")->required();
  command->add_option("--count", a->options.count, "rows")->required();
  command->add_option("--seed", a->options.seed, "the same seed gives the same rows")
      ->capture_default_str();
  command->add_option("--split", a->split, "train and held_out never share a problem")
      ->check(CLI::IsMember({"train", "held_out"}))
      ->capture_default_str();
  command->add_option("--first", a->options.first, "number of the first row")
      ->capture_default_str();
  command
      ->add_option("--wait-probability", t.wait_probability,
                   "countdown_wait: P(go on | miss) in written traces")
      ->capture_default_str();
  command->add_option("--verdict", t.verdict, "countdown_wait: write ok/no after each attempt")
      ->capture_default_str();
  command->add_option("--max-attempts", t.max_attempts, "countdown_wait")->capture_default_str();
  command->add_option("--max-number", t.max_number, "countdown_wait, countdown")
      ->capture_default_str();
  command->add_option("--operators", t.operators, "countdown_wait, countdown: of + - * /")
      ->capture_default_str();
  command->add_option("--long-fraction", t.long_fraction, "parity: share of long traces")
      ->capture_default_str();
  command->add_option("--bits", t.bits, "parity")->capture_default_str();
  command->add_option("--min-numbers", t.min_numbers, "countdown")->capture_default_str();
  command->add_option("--max-numbers", t.max_numbers, "countdown")->capture_default_str();
  command->callback([&action, a] { action = [a] { return data(*a); }; });
}

}  // namespace aha
