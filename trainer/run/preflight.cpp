#include "trainer/run/preflight.h"

#include <algorithm>

#include "rewards/scorer.h"
#include "trainer/config/rules.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/model/parameters.h"
#include "trainer/model/weights.h"
#include "trainer/run/collect.h"
#include "trainer/run/cost_model.h"
#include "trainer/run/device_plan.h"
#include "trainer/run/reward_probes.h"
#include "trainer/run/sft.h"
#include "trainer/run/stage.h"

namespace aha {
namespace {

/// What a stage's checks look at.
struct StageView {
  const Config& config;
  const StageConfig& stage;
  const Tokenizer& tokenizer;
  const ModelConfig& model;
  const Scorer* scorer;
  const StageData& data;
};

void check_lengths(const StageView& v, std::int64_t longest) {
  const auto needed = longest + v.stage.rollout.max_completion_length;
  const auto positions = v.model.positions();
  if (v.scorer != nullptr && needed > positions)
    fail(
        "rollout.max_completion_length: {} after a prompt of {} tokens needs {} positions, the "
        "model has {}; at most {} fit",
        v.stage.rollout.max_completion_length, longest, needed, positions_text(v.model),
        std::max<std::int64_t>(0, positions - longest));
  if (v.stage.method == "grpo" && needed > v.stage.train.max_tokens_per_micro_batch)
    fail(
        "train.max_tokens_per_micro_batch: {} does not hold one sequence of {} tokens (prompt {} + "
        "rollout.max_completion_length {})",
        v.stage.train.max_tokens_per_micro_batch, needed, longest,
        v.stage.rollout.max_completion_length);
}

/// An id that the model never draws would be a stop that never comes.
void check_stop_ids(const StageView& v) {
  for (const auto id : v.stage.rollout.stop_token_ids)
    if (id < 0 || id >= v.model.vocab_size)
      fail("rollout.stop_token_ids: {} is no id of this model, whose ids are 0 to {}", id,
           v.model.vocab_size - 1);
}

/// Every written completion of a finite training set; the first rows of an endless one. Mean tokens of a row.
double check_sft_rows(const StageView& v) {
  constexpr std::int64_t kOfAnEndlessSet = 64;
  const std::int64_t rows =
      std::max<std::int64_t>(1, v.data.train->size().value_or(kOfAnEndlessSet));
  std::size_t tokens = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const Group row = sft_example({*v.data.train, v.tokenizer, v.model, v.stage},
                                  {static_cast<std::uint64_t>(i), i});
    tokens += row.prompt.ids.size() + row.completions.front().ids.size();
  }
  return static_cast<double>(tokens) / static_cast<double>(rows);
}

std::string prompt_line(const Prompt& prompt) {
  constexpr std::size_t kIds = 24;
  std::string ids;
  for (std::size_t i = 0; i < std::min(kIds, prompt.ids.size()); ++i)
    ids += fmt::format("{}{}", i == 0 ? "" : " ", prompt.ids[i]);
  return fmt::format("prompt     {} = [{}{}] {} tokens", shortened(prompt.text), ids,
                     prompt.ids.size() > kIds ? " ..." : "", prompt.ids.size());
}

std::string rows_text(const PromptSet& set) {
  if (!set.size()) return "endless rows";
  return fmt::format("{} rows, prompts of at most {} tokens", with_commas(*set.size()),
                     set.longest());
}

std::vector<std::string> stage_lines(const StageView& v, std::int64_t steps) {
  const auto& train = v.stage.train;
  std::vector<std::string> lines;
  if (v.stage.method == "grpo")
    lines.push_back(
        fmt::format("steps      {} x ({})", with_commas(steps), batch_equation(v.stage)));
  else
    lines.push_back(fmt::format("steps      {} x {} sequences", with_commas(steps),
                                train.per_device_train_batch_size));
  lines.push_back(fmt::format("optimizer  AdamW, learning rate {:g} {}",
                              v.stage.optim.learning_rate, v.stage.optim.lr_scheduler_type));
  lines.push_back(
      fmt::format("train      {}: {}", v.data.train->dataset().name(), rows_text(*v.data.train)));
  if (v.data.train->dropped() > 0)
    lines.push_back(fmt::format("           {} over-long prompts dropped",
                                with_commas(v.data.train->dropped())));
  for (const auto& set : v.data.eval)
    lines.push_back(fmt::format("eval       {}: {}", set.name, rows_text(*set.prompts)));
  for (const auto& note : v.data.notes)
    lines.push_back("note       " + note);
  const Prompt prompt = v.data.train->prompt(0);
  lines.push_back(prompt_line(prompt));
  if (v.scorer != nullptr)
    for (auto& line : reward_probe_lines({v.stage, v.data, v.tokenizer, *v.scorer}))
      lines.push_back(std::move(line));
  return lines;
}

/// Less than the most: for answers of no length, or for rows as they are.
std::string less_text(const StageView& v, const StagePlan& plan, double row_tokens) {
  if (v.stage.method == "grpo")
    return "; without activations " +
           bytes_text(static_cast<double>(plan.memory.total() - plan.memory.part("activations")));
  MemoryInputs inputs = plan.inputs;
  inputs.answers = Answers{row_tokens, 1};
  return fmt::format("; {} with rows of {:.0f} tokens, as they are on average",
                     bytes_text(static_cast<double>(plan_memory(v.stage, v.model, inputs).total())),
                     row_tokens);
}

std::string memory_line(const StageView& v, const StagePlan& plan, const JobRanks& ranks,
                        double row_tokens) {
  std::string line = "memory     at most " + plan.memory.text();
  if (ranks.all > 1) line += fmt::format(" a rank, {} of {} ranks here", ranks.here, ranks.all);
  return line + less_text(v, plan, row_tokens);
}

/// What several ranks do on CPUs alone.
void check_device_ranks(const StageView& v, const JobRanks& ranks) {
  if (v.config.device != "cuda" || ranks.all == 1) return;
  const auto division = division_of(v.config);
  if (division.by_block && !division.whole_in_rollout)
    fail(
        "optim.zero3_gather_for_rollout: false is for the CPU: a GPU decodes with all weights; "
        "true would be right");
}

DeviceRoom room_here(const Config& config) {
  const DeviceState state = device_ops(config.device).device->state();
  return {state.name, state.free, state.total, state.held_before};
}

/// What the stage holds on a GPU, of which the fullest has room for it.
std::string device_line(const StageView& v, const MemoryInputs& inputs, const JobRanks& ranks) {
  const DeviceRoom device = ranks.least_room ? *ranks.least_room : room_here(v.config);
  const MemoryPlan plan = plan_device_memory(v.stage, v.model, inputs);
  require_device_memory(v.stage.name, plan, device,
                        lighter_settings(v.stage, v.model, inputs, device.free),
                        inputs.strict && v.stage.method == "grpo");
  return fmt::format("gpu        at most {}, of {} free on {}", plan.text(),
                     bytes_text(static_cast<double>(device.free)), device.name);
}

/// What the ranks tell each other in a step, at most.
std::string ranks_line(const StageView& v, const JobRanks& ranks, std::int64_t longest) {
  const Cluster cluster{machine_kind("cpu"), ranks.all, ranks.here};
  const auto division = division_of(v.config);
  StepWork work = step_work(v.stage, v.config.strict, static_cast<double>(longest));
  work.whole_in_rollout = division.whole_in_rollout;
  const Zero zero = division.by_block ? Zero::Weights : zero_of(v.stage);
  const double sent = sent_bytes_of(step_costs(model_size(v.model), work, cluster, zero));
  return fmt::format("ranks      {}; each {} at most {} a step: gradients, weights, completions",
                     ranks.all, ranks.neighbours ? "fetches" : "sends", bytes_text(sent));
}

void require_memory(const StageView& v, const StagePlan& plan, const JobRanks& ranks) {
  const std::int64_t has = machine_memory();
  const std::int64_t here = ranks.here * plan.memory.total();
  if (here <= has) return;
  const MemoryPlan again = plan_memory(recomputed(v.stage), v.model, plan.inputs);
  fail(
      "stage {}: needs {}{}, this machine has {}; {}lower train.max_tokens_per_micro_batch or "
      "rollout.max_batch_size, or set checkpoint.async=false",
      v.stage.name, bytes_text(static_cast<double>(here)),
      ranks.here > 1 ? fmt::format(" for {} ranks", ranks.here) : "",
      bytes_text(static_cast<double>(has)),
      ranks.here * again.total() <= has ? "set train.gradient_checkpointing=true, or " : "");
}

std::int64_t threads_of_a_rank(const StageConfig& stage, const JobRanks& ranks) {
  if (stage.train.threads > 0) return stage.train.threads;
  return std::max(1, thread_count(0) / ranks.here);
}

StagePlan plan_stage(const Config& config, const StageConfig& stage, const Tokenizer& tokenizer,
                     const ModelConfig& model, const JobRanks& ranks) {
  std::unique_ptr<Scorer> scorer = make_scorer(stage);
  const StageData data = open_stage_data(config, stage, tokenizer, scorer.get());
  const StageView view{config, stage, tokenizer, model, scorer.get(), data};
  const std::int64_t longest = longest_prompt(data, stage);
  check_lengths(view, longest);
  check_stop_ids(view);
  check_device_ranks(view, ranks);
  const double row_tokens = stage.method == "sft" ? check_sft_rows(view) : 0;
  StagePlan plan;
  plan.name = stage.name;
  plan.lines = stage_lines(view, planned_steps(stage, data.train->size()));
  plan.inputs = {longest,   most_eval_prompts(data), threads_of_a_rank(stage, ranks), config.strict,
                 ranks.all, ranks.neighbours};
  plan.inputs.division = division_of(config);
  plan.memory = plan_memory(stage, model, plan.inputs);
  if (ranks.all > 1 && stage.method == "grpo")
    plan.lines.push_back(ranks_line(view, ranks, longest));
  if (config.device == "cuda")
    plan.lines.push_back(device_line(view, plan.inputs, ranks));
  else
    plan.lines.push_back(memory_line(view, plan, ranks, row_tokens));
  if (config.device != "cuda") require_memory(view, plan, ranks);
  return plan;
}

}  // namespace

Answers answers_of(const StageConfig& stage, std::span<const Group> groups) {
  const auto& o = stage.objective;
  const bool all_teach = o.beta != 0 || o.entropy_coef != 0 || o.use_adaptive_entropy ||
                         o.advantage_estimator.starts_with("reinforce_pp") ||
                         o.advantage_estimator == "gdpo" || o.zero_variance_groups == "refill";
  double tokens = 0, completions = 0, trained = 0, prompts = 0;
  for (const auto& group : groups) {
    prompts += static_cast<double>(group.prompt.ids.size());
    for (const auto& completion : group.completions)
      tokens += static_cast<double>(completion.length());
    completions += static_cast<double>(group.completions.size());
    if (all_teach || has_spread(group)) ++trained;
  }
  const double count = std::max(1.0, static_cast<double>(groups.size()));
  return {tokens / std::max(1.0, completions), trained / count, prompts / count};
}

std::string shortened(const std::string& text, std::size_t limit) {
  std::string line = dump_line(Json(text));
  if (line.size() > limit) line = line.substr(0, limit - 3) + "...";
  return line;
}

std::vector<StagePlan> preflight(const Config& config, const JobRanks& ranks) {
  const StageConfig& first = config.stages.front();
  const auto tokenizer = job_tokenizer(first);
  const ModelConfig model = job_model_config(config, *tokenizer);
  check_vocabulary(tokenizer->vocabulary_size(), model,
                   first.model.tokenizer.empty() ? first.model.path : first.model.tokenizer,
                   first.model.path.empty() ? "model.init" : first.model.path);
  if (!first.model.path.empty()) check_weights(first.model.path, make_layout(model));
  std::vector<StagePlan> plans;
  for (const auto& stage : config.stages)
    plans.push_back(plan_stage(config, stage, *tokenizer, model, ranks));
  return plans;
}

std::vector<std::string> plan_lines(const Config& config, const std::vector<StagePlan>& plans) {
  const StageConfig& first = config.stages.front();
  const auto tokenizer = job_tokenizer(first);
  const ModelConfig model = job_model_config(config, *tokenizer);
  std::vector<std::string> lines;
  lines.push_back(fmt::format("job        seed {}, {}output in {}", config.seed,
                              config.strict ? "strict, " : "", config.output_dir));
  lines.push_back(fmt::format("model      {} {} x {}, {} {} parameters, vocabulary {}, {}",
                              model.model_type, model.num_hidden_layers, model.hidden_size,
                              with_commas(make_layout(model).total), first.model.storage,
                              model.vocab_size, positions_text(model)));
  for (const auto& plan : plans) {
    lines.push_back("stage      " + plan.name);
    for (const auto& line : plan.lines)
      lines.push_back(line);
  }
  return lines;
}

}  // namespace aha
