#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "data/formats.h"
#include "rewards/registry.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/eval_table.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"
#include "trainer/metrics/completion_rows.h"
#include "trainer/run/evaluate.h"
#include "trainer/run/load_job.h"

namespace aha {
namespace {

struct Arguments {
  std::string model;
  std::vector<std::string> files;
  std::string config;
  std::string task;
  std::string reward;
  PromptArguments prompt;
  std::string format;
  std::string answer_field = "answer";
  std::string out;
  std::int64_t count = 0;
  std::int64_t samples = 0;
  std::int64_t max_completion_length = 0;
  std::int64_t threads = 0;
  std::string storage;
  std::string device;
  double temperature = -1;
  std::vector<std::int64_t> pass_at_k;
  std::optional<std::uint64_t> seed;
  bool greedy = false;
  bool table = false;
};

/// The job that the arguments describe: of a configuration file, or made from them.
Config job(const Arguments& a) {
  if (!a.config.empty()) {
    if (!a.files.empty() || !a.task.empty() || !a.reward.empty() || a.count > 0 ||
        !a.format.empty())
      fail(
          "aha eval: --config names data and rewards already; leave files, --format, --task, "
          "--reward and --count out");
    return load_job(a.config);
  }
  if (a.files.empty() == a.task.empty())
    fail("aha eval: name data files or a --task, one of the two, or --config");
  // a task is judged by the reward of its name, a file as its format says
  const std::string judge = !a.reward.empty()   ? a.reward
                            : !a.task.empty()   ? a.task
                            : !a.format.empty() ? row_format(a.format).reward
                                                : "";
  if (judge.empty())
    fail(
        "aha eval: --reward says how answers are judged, or --format of a published set, or "
        "--config names a job");
  Config config;
  StageConfig stage;
  stage.data = data_section(a.prompt);
  stage.data.answer_field = a.answer_field;
  const auto spec = parse_reward_spec(judge);
  RewardFunction function;
  function.name = spec.name;
  function.options = spec.options;
  stage.reward.functions = {function};
  const auto add = [&](const std::string& name, DataSource source) {
    source.count = a.count;
    stage.data.eval[name] = std::move(source);
    stage.data.eval_order.push_back(name);
  };
  if (!a.task.empty()) {
    DataSource source;
    source.task = a.task;
    add(a.task, source);
    if (a.count == 0) stage.data.eval[a.task].count = 512;
  }
  for (const auto& file : a.files) {
    DataSource source;
    source.path = file;
    if (!a.format.empty()) source.format = a.format;
    add(file == "-" ? "standard_input" : std::filesystem::path(file).stem().string(), source);
  }
  config.stages = {stage};
  return config;
}

/// What stands on the command line wins over the job.
void apply(const Arguments& a, Config& config) {
  auto& stage = config.stages.back();
  if (a.seed) config.seed = *a.seed;
  if (!a.storage.empty()) stage.model.storage = a.storage;
  if (!a.device.empty()) config.device = a.device;
  if (a.samples > 0) stage.eval.num_generations = a.samples;
  if (a.temperature >= 0) stage.eval.temperature = a.temperature;
  if (a.max_completion_length > 0) stage.rollout.max_completion_length = a.max_completion_length;
  if (!a.pass_at_k.empty()) stage.eval.pass_at_k = a.pass_at_k;
  if (stage.eval.pass_at_k.empty() && a.samples > 1) stage.eval.pass_at_k = {a.samples};
  if (a.greedy) stage.eval.greedy = true;
  for (const auto k : stage.eval.pass_at_k)
    if (k < 1 || k > stage.eval.num_generations)
      fail("--pass-at-k {}: needs 1 to {} (--num-generations)", k, stage.eval.num_generations);
}

SamplingParams params_of(const Config& config, const Policy& policy) {
  const auto& rollout = config.stages.back().rollout;
  SamplingParams params;
  params.max_completion_length = rollout.max_completion_length;
  params.top_p = rollout.top_p;
  params.top_k = rollout.top_k;
  params.min_p = rollout.min_p;
  params.stop_ids = policy.config.eos_token_ids;
  params.stop_ids.insert(params.stop_ids.end(), rollout.stop_token_ids.begin(),
                         rollout.stop_token_ids.end());
  params.stop_strings = rollout.stop_strings;
  params.seed = config.seed;
  return params;
}

/// Where nobody asked for a length: as much of the default as the positions leave to the set.
std::int64_t fitting_length(const Policy& policy, const SamplingParams& params,
                            const EvalSet& set) {
  const auto left = policy.config.positions() - set.prompts->longest();
  return std::clamp<std::int64_t>(left, 1, params.max_completion_length);
}

void check_positions(const Policy& policy, const SamplingParams& params, const EvalSet& set) {
  const auto needed = set.prompts->longest() + params.max_completion_length;
  if (needed > policy.config.positions())
    fail(
        "{}: prompts of up to {} tokens and --max-completion-length {} need more than the model's "
        "{}",
        set.name, set.prompts->longest(), params.max_completion_length,
        positions_text(policy.config));
}

int eval(const Arguments& a) {
  Config config = job(a);
  apply(a, config);
  const StageConfig& stage = config.stages.back();
  const Machine machine(a.threads, device_ops(config.device), config.strict);
  Policy policy = load_policy(
      a.model, machine,
      {.context = longest_sequence(config), .storage = storage_type(stage.model.storage)});
  Scorer scorer(stage.reward, stage.data.answer_field);
  scorer.reach();
  Engine engine(*policy.decoder, *policy.weights, machine.exec, policy.vocabulary(),
                text_decoder(*policy.tokenizer), stage.rollout.max_batch_size);
  const ReflectionWords words(stage.log.reflection_words);
  Communicator alone;
  std::ofstream out;
  if (!a.out.empty()) {
    out.open(a.out);
    if (!out) fail("{}: cannot be written", a.out);
  }
  const bool table = a.table || isatty(STDOUT_FILENO) != 0;
  std::vector<MeasuredSet> measured;
  EvalPlan plan;
  plan.samples = stage.eval.num_generations;
  plan.temperature = stage.eval.temperature;
  plan.greedy = stage.eval.greedy;
  plan.pass_at_k = stage.eval.pass_at_k;
  plan.words = &words;
  plan.params = params_of(config, policy);
  for (std::uint32_t i = 0; i < stage.data.eval_order.size(); ++i) {
    const auto& name = stage.data.eval_order[i];
    const auto set = open_eval_set(config, stage, *policy.tokenizer, &scorer,
                                   {name, i, stage.data.eval.at(name)});
    if (a.config.empty() && a.max_completion_length == 0)
      plan.params.max_completion_length = fitting_length(policy, params_of(config, policy), set);
    check_positions(policy, plan.params, set);
    const auto result = evaluate({engine, scorer, alone}, set, plan);
    measured.push_back(
        {name, static_cast<std::int64_t>(result.groups.size()), plan.samples, result.values});
    if (!table) std::cout << dump_line(measured.back().json()) << std::endl;
    CompletionRowInputs inputs;
    inputs.stage = "eval";
    inputs.reward_names = scorer.names();
    for (const auto& group : result.groups)
      for (std::size_t c = 0; out.is_open() && c < group.completions.size(); ++c)
        out << dump_line(completion_row(inputs, group, c)) << '\n';
  }
  if (table) std::cout << eval_table(measured);
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "eval", "measure a model on data files or a task: accuracy, pass@k, maj@k, lengths");
  auto a = std::make_shared<Arguments>();
  command->add_option("--model", a->model, "model folder or checkpoint")->required();
  command->add_option("files", a->files, "JSONL data files; - is standard input");
  command
      ->add_option("--format", a->format, "how the files' rows are published (data.train.format)")
      ->check(CLI::IsMember(format_names()));
  command->add_option("--config", a->config,
                      "a job's file: its evaluation sets, rewards and limits");
  command->add_option("--task", a->task, "held-out rows of a task generator");
  command->add_option("--reward", a->reward,
                      "NAME[:key=value,...] (default: the task's or the format's own)");
  add_prompt_options(*command, a->prompt);
  command->add_option("--answer-field", a->answer_field, "field that holds the gold")
      ->capture_default_str();
  command->add_option("--count", a->count, "rows of each set; 0: all of a file, 512 of a task")
      ->capture_default_str();
  command->add_option("-n,--num-generations", a->samples, "samples a prompt (default 1)")
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--temperature", a->temperature, "of the samples (default 1)");
  command
      ->add_option("--max-completion-length", a->max_completion_length,
                   "tokens (default: the job's; else 512, or what the positions leave)")
      ->check(CLI::Range(1, 1 << 24));
  command
      ->add_option("--pass-at-k", a->pass_at_k,
                   "also pass@k and maj@k for these k (default: all samples of a prompt)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--greedy", a->greedy, "also the accuracy of greedy answers");
  command->add_flag("--table", a->table, "a table instead of JSON (default on a terminal)");
  command->add_option("--out", a->out,
                      "write every problem's completions and scores there (JSONL)");
  command->add_option("--seed", a->seed, "of the samples");
  add_storage_option(*command, a->storage);
  add_device_option(*command, a->device);
  command->add_option("--threads", a->threads, "0: all cores")->capture_default_str();
  command->callback([&action, a] { action = [a] { return eval(*a); }; });
}

}  // namespace aha
