#include "trainer/run/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "rollout/runner.h"
#include "trainer/core/text.h"
#include "trainer/model/decoder.h"
#include "trainer/model/model_size.h"
#include "trainer/model/parameters.h"
#include "trainer/model/resident_weights.h"
#include "trainer/run/cost_model.h"
#include "trainer/run/learner.h"
#include "trainer/run/policy.h"
#include "trainer/run/stage.h"

namespace aha {
namespace {

constexpr std::int64_t kFloat = 4;

/// What the program and its libraries take before there is a model, and the tokenizer of an id.
constexpr std::int64_t kProgram = std::int64_t{130} << 20;
constexpr std::int64_t kIdOfATokenizer = 450;

/// a * b + c * d, or more than any machine has.
std::int64_t sum_of_products(std::int64_t a, std::int64_t b, std::int64_t c = 0,
                             std::int64_t d = 0) {
  constexpr double kMost = 1e12;
  const double sum = static_cast<double>(a) * static_cast<double>(b) +
                     static_cast<double>(c) * static_cast<double>(d);
  return static_cast<std::int64_t>(std::min(sum, kMost));
}

/// Tokens of a batch of completions: `groups` prompts, `rows` completions.
struct Shape {
  std::int64_t groups;
  std::int64_t rows;
  std::int64_t prompt;      ///< tokens
  std::int64_t completion;  ///< tokens

  std::int64_t tokens() const { return sum_of_products(groups, prompt, rows, completion); }
  /// Key/value blocks: a prompt's once, and a completion's, which begins within the prompt's last.
  std::int64_t blocks() const {
    return sum_of_products(groups, (prompt + kKvBlock - 1) / kKvBlock, rows,
                           (completion + 2 * kKvBlock - 2) / kKvBlock);
  }
};

bool is_grpo(const StageConfig& stage) {
  return stage.method == "grpo";
}

std::int64_t share(std::int64_t whole, double part) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(whole) * part));
}

/// What a rank trains at most in an update: its part of a mini-batch of completions; of written ones, which
/// may be of any length, a full micro-batch.
Shape update_shape(const StageConfig& stage, const MemoryInputs& in) {
  const auto& train = stage.train;
  if (!is_grpo(stage)) {
    const double most = in.answers ? in.answers->mean_tokens : 1e9;
    return {0, 1, 0,
            std::min(train.max_tokens_per_micro_batch,
                     share(train.per_device_train_batch_size, most / in.ranks))};
  }
  const Answers answers =
      in.answers.value_or(Answers{static_cast<double>(stage.rollout.max_completion_length), 1});
  const double parts = static_cast<double>(std::max<std::int64_t>(1, stage.objective.minibatches));
  const std::int64_t groups =
      std::max<std::int64_t>(1, share(train.prompts_per_step, answers.trained_share / parts));
  const std::int64_t rows = share(groups * stage.rollout.num_generations, 1.0 / in.ranks);
  const std::int64_t prompt =
      answers.mean_prompt > 0 ? share(1, answers.mean_prompt) : in.longest_prompt;
  return {std::min(groups, rows), rows, prompt, share(1, answers.mean_tokens)};
}

/// Rows of the largest micro-batch.
std::int64_t micro_rows(const StageConfig& stage, const Shape& update) {
  const std::int64_t longest = update.prompt + update.completion;
  std::int64_t rows = std::min(update.tokens(), stage.train.max_tokens_per_micro_batch);
  if (const auto most = stage.train.per_device_train_batch_size; most > 0 && is_grpo(stage))
    rows = std::min(rows, sum_of_products(most, longest));
  return std::max(rows, longest);
}

/// Keys and values of `rows` rows of an update.
std::int64_t cache_bytes(const ModelConfig& model, const Shape& update, std::int64_t rows) {
  return KvCache::bytes_for(
      model,
      share(update.blocks(), static_cast<double>(rows) /
                                 static_cast<double>(std::max<std::int64_t>(1, update.tokens()))));
}

/// Activations of a micro-batch (Learner). What the forward pass keeps exists for all of its rows; what a pass
/// through a block works in, for the rows of a piece on each thread; what the backward pass works in, of one.
std::int64_t activation_bytes(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& in) {
  const bool recomputed = stage.train.gradient_checkpointing;
  const TrainingRow row = training_row(model, recomputed);
  const Shape update = update_shape(stage, in);
  const std::int64_t rows = std::max<std::int64_t>(1, micro_rows(stage, update));
  const std::int64_t section = std::clamp<std::int64_t>(
      sum_of_products(1, update.prompt, stage.rollout.num_generations, update.completion), 1, rows);
  // whole sections, as many as Learner::cut takes; each thread has a scratch where all have a piece
  const std::int64_t piece = std::min(
      rows, section * std::max<std::int64_t>(1, Learner::rows_of_a_piece(model) / section));
  const std::int64_t aside = in.threads <= (rows + piece - 1) / piece ? in.threads : 1;
  // a piece keeps what a larger one had, and answers of other micro-batches have other lengths
  const bool varies = is_grpo(stage) && update.tokens() > rows && piece < rows;
  const std::int64_t kept = varies ? share(rows, Learner::kMostGrowth) : rows;
  const std::int64_t block_cache = cache_bytes(model, update, piece) / model.num_hidden_layers;
  const std::int64_t caches =
      recomputed ? (aside + 1) * block_cache : cache_bytes(model, update, kept) + block_cache;
  return kFloat * (kept * row.kept + piece * (aside * row.block + row.back)) + caches;
}

/// The reference's pass over a micro-batch.
std::int64_t reference_pass_bytes(const StageConfig& stage, const ModelConfig& model,
                                  const MemoryInputs& in) {
  const Shape update = update_shape(stage, in);
  const std::int64_t rows = micro_rows(stage, update);
  return Scratch::bytes_for(model, rows) + cache_bytes(model, update, rows) +
         kFloat * rows * model.hidden_size;
}

/// Rows decoded at once, of `prompts` prompts with `samples` completions each.
Shape decode_shape(const StageConfig& stage, const ModelConfig& model, const MemoryInputs& in,
                   std::int64_t prompts, std::int64_t samples) {
  const std::int64_t own = share(sum_of_products(prompts, samples), 1.0 / in.ranks);
  const std::int64_t most = Runner::rows_in_caches(
      model, in.threads, in.longest_prompt + stage.rollout.max_completion_length / 2);
  const std::int64_t rows = std::min({own, most, decode_rows(stage)});
  const std::int64_t groups = std::min({prompts, rows, 2 * (rows / samples + 1)});
  return {groups, rows, in.longest_prompt, stage.rollout.max_completion_length};
}

/// The engine's cache and scratch at the larger of training's rollout and an evaluation.
std::int64_t rollout_bytes(const StageConfig& stage, const ModelConfig& model,
                           const MemoryInputs& in) {
  const auto& eval = stage.eval;
  const std::int64_t asked =
      eval.max_prompts > 0 ? std::min(eval.max_prompts, in.eval_prompts) : in.eval_prompts;
  const auto bytes = [&](const Shape& shape) {
    return KvCache::bytes_for(model, shape.blocks()) +
           Scratch::bytes_for(model,
                              std::max(shape.rows, sum_of_products(shape.groups, shape.prompt)));
  };
  std::int64_t most = 0;
  if (is_grpo(stage))
    most = bytes(decode_shape(stage, model, in, stage.train.prompts_per_step,
                              stage.rollout.num_generations));
  for (const auto samples : {eval.num_generations, eval.final_num_generations})
    if (asked > 0 && samples > 0)
      most = std::max(most, bytes(decode_shape(stage, model, in, asked, samples)));
  return most;
}

/// The state before a step of several updates, which a refused one goes back to.
std::int64_t undo_bytes(const StageConfig& stage, std::int64_t parameters, int ranks) {
  const auto& o = stage.objective;
  if (!is_grpo(stage) || o.num_iterations * o.minibatches == 1) return 0;
  return kFloat * 3 * parameters / ranks;
}

/// What a checkpoint is written from, of rank 0: where weights are divided, those of all and of a reference, and
/// while training goes on copies of the values, its own moments, and a reference that moves. Beside what a rollout
/// gathers, which is gone while training waits for a save.
std::int64_t copy_to_save_bytes(const StageConfig& stage, const TrainedWeights::Options& division,
                                std::int64_t parameters, int ranks, std::int64_t gathered) {
  const bool divided = ranks > 1 && (division.by_block || division.storage != FloatType::F32);
  const bool async = stage.checkpoint.async;
  const bool reference = is_grpo(stage) && stage.objective.beta != 0 &&
                         (divided || (async && stage.objective.sync_ref_model));
  const std::int64_t whole =
      kFloat * parameters * ((async || divided ? 1 : 0) + (reference ? 1 : 0));
  return async ? whole + kFloat * 2 * parameters / ranks
               : std::max<std::int64_t>(0, whole - gathered);
}

}  // namespace

std::int64_t MemoryPlan::total() const {
  std::int64_t sum = 0;
  for (const auto& part : parts)
    sum += part.second;
  return sum;
}

std::int64_t MemoryPlan::part(std::string_view name) const {
  for (const auto& [key, bytes] : parts)
    if (key == name) return bytes;
  return 0;
}

std::string MemoryPlan::text() const {
  std::string text;
  for (const auto& [name, bytes] : parts) {
    if (bytes == 0) continue;
    if (!text.empty()) text += " + ";
    text += name + " " + bytes_text(static_cast<double>(bytes));
  }
  return text + " = " + bytes_text(static_cast<double>(total()));
}

MemoryPlan plan_memory(const StageConfig& stage, const ModelConfig& model, const MemoryInputs& in) {
  const ParameterLayout layout = make_layout(model);
  const std::int64_t parameters = layout.total;
  const auto division = in.division.value_or(weight_division(stage));
  const std::int64_t weights = TrainedWeights::bytes_for(layout, division, in.ranks);
  const std::int64_t gathered = TrainedWeights::rollout_bytes_for(layout, division, in.ranks);
  const bool reference = is_grpo(stage) && stage.objective.beta != 0;
  MemoryPlan plan;
  plan.parts.emplace_back("program", kProgram + kIdOfATokenizer * model.vocab_size);
  plan.parts.emplace_back("weights", weights);
  const auto sum = gradient_options(in.strict, stage, division.by_block);
  plan.parts.emplace_back(
      "network", in.neighbours ? 0 : GradientSum::room_bytes_for(layout, sum, in.ranks));
  plan.parts.emplace_back("gradients", GradientSum::bytes_for(layout, sum, in.ranks));
  plan.parts.emplace_back("optimizer", 2 * kFloat * parameters / in.ranks);
  plan.parts.emplace_back("reference",
                          reference ? weights + reference_pass_bytes(stage, model, in) : 0);
  plan.parts.emplace_back("undo", undo_bytes(stage, parameters, in.ranks));
  plan.parts.emplace_back("rollout", rollout_bytes(stage, model, in));
  plan.parts.emplace_back("gathered", gathered);
  plan.parts.emplace_back("activations", activation_bytes(stage, model, in));
  plan.parts.emplace_back("logits", in.threads * kFloat * head_chunk_rows(model.vocab_size) *
                                        round_up(model.vocab_size, 16));
  plan.parts.emplace_back("checkpoint",
                          copy_to_save_bytes(stage, division, parameters, in.ranks, gathered));
  return plan;
}

StageConfig recomputed(StageConfig stage) {
  stage.train.gradient_checkpointing = true;
  return stage;
}

std::int64_t machine_memory() {
  std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::int64_t>(sysconf(_SC_PAGE_SIZE));
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  if (std::int64_t value = 0; limit >> value && value > 0) bytes = std::min(bytes, value);
  return bytes;
}

}  // namespace aha
