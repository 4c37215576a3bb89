#include "trainer/run/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "trainer/core/text.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"
#include "trainer/model/resident_weights.h"
#include "trainer/run/learner.h"
#include "trainer/run/stage.h"

namespace aha {
namespace {

constexpr std::int64_t kFloat = 4;

/// What the program and its libraries take before there is a model.
constexpr std::int64_t kProgram = std::int64_t{200} << 20;

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

std::int64_t qkv_width(const ModelConfig& model) {
  return (model.num_attention_heads + 2 * model.num_key_value_heads) * model.head_dim;
}

std::int64_t share(std::int64_t whole, std::int64_t part, std::int64_t of) {
  return static_cast<std::int64_t>(static_cast<double>(whole) * static_cast<double>(part) /
                                   static_cast<double>(std::max<std::int64_t>(1, of)));
}

/// What an update trains at most: a mini-batch of completions of full length; of written ones, which
/// may be of any length, a full micro-batch.
Shape update_shape(const StageConfig& stage, const MemoryInputs& in) {
  const auto& train = stage.train;
  if (!is_grpo(stage)) return {0, 1, 0, train.max_tokens_per_micro_batch};
  const std::int64_t parts = std::max<std::int64_t>(1, stage.objective.minibatches);
  const std::int64_t groups = (train.prompts_per_step + parts - 1) / parts;
  return {groups, groups * stage.rollout.num_generations, in.longest_prompt,
          stage.rollout.max_completion_length};
}

/// Activations of a micro-batch (Learner). What the forward pass keeps exists for all of its rows; what
/// the backward pass works in, for the rows of one piece.
std::int64_t activation_bytes(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& in) {
  const Shape update = update_shape(stage, in);
  const std::int64_t longest = update.prompt + update.completion;
  std::int64_t rows = std::min(update.tokens(), stage.train.max_tokens_per_micro_batch);
  if (const auto most = stage.train.per_device_train_batch_size; most > 0 && is_grpo(stage))
    rows = std::min(rows, sum_of_products(most, longest));
  rows = std::max(rows, longest);
  const std::int64_t section =
      sum_of_products(1, update.prompt, stage.rollout.num_generations, update.completion);
  const std::int64_t piece = std::min(rows, std::max(Learner::rows_of_a_piece(model), section));
  const std::int64_t C = model.hidden_size;
  const std::int64_t F = model.intermediate_size;
  const std::int64_t heads = model.num_attention_heads + model.num_key_value_heads;
  const std::int64_t qk = model.family().qk_norm ? heads * (model.head_dim + 1) : 0;
  const std::int64_t layer =
      2 * C + 2 + qkv_width(model) + qk + model.num_attention_heads * (model.head_dim + 1) + 2 * F;
  const std::int64_t edges = 6 * C + F + 1;
  const std::int64_t backward = 2 * C + qkv_width(model) + 2 * F;
  const auto cache = [&](std::int64_t tokens) {
    return KvCache::bytes_for(model, share(update.blocks(), tokens, update.tokens()));
  };
  return kFloat * (rows * (layer * model.num_hidden_layers + edges) + piece * backward) +
         cache(rows) + cache(piece);
}

/// Rows decoded at once, of `prompts` prompts with `samples` completions each.
Shape decode_shape(const StageConfig& stage, const MemoryInputs& in, std::int64_t prompts,
                   std::int64_t samples) {
  const std::int64_t rows = std::min(sum_of_products(prompts, samples), decode_rows(stage));
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
    const std::int64_t row = 3 * model.hidden_size + qkv_width(model) +
                             model.num_attention_heads * model.head_dim +
                             3 * model.intermediate_size;
    return KvCache::bytes_for(model, shape.blocks()) +
           kFloat * row * std::max(shape.rows, sum_of_products(shape.groups, shape.prompt));
  };
  std::int64_t most = 0;
  if (is_grpo(stage))
    most =
        bytes(decode_shape(stage, in, stage.train.prompts_per_step, stage.rollout.num_generations));
  for (const auto samples : {eval.num_generations, eval.final_num_generations})
    if (asked > 0 && samples > 0)
      most = std::max(most, bytes(decode_shape(stage, in, asked, samples)));
  return most;
}

}  // namespace

std::int64_t MemoryPlan::total() const {
  std::int64_t sum = 0;
  for (const auto& part : parts)
    sum += part.second;
  return sum;
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
  const std::int64_t weights =
      ResidentWeights::bytes_for(layout, storage_type(stage.model.storage));
  const bool reference = is_grpo(stage) && stage.objective.beta != 0;
  MemoryPlan plan;
  plan.parts.emplace_back("program", kProgram);
  plan.parts.emplace_back("weights", weights);
  plan.parts.emplace_back("gradients", kFloat * parameters + (in.strict ? 8 * parameters : 0));
  plan.parts.emplace_back("optimizer", 2 * kFloat * parameters);
  plan.parts.emplace_back("reference", reference ? weights : 0);
  plan.parts.emplace_back("rollout", rollout_bytes(stage, model, in));
  plan.parts.emplace_back("activations", activation_bytes(stage, model, in));
  plan.parts.emplace_back("logits", in.threads * kFloat * head_chunk_rows(model.vocab_size) *
                                        round_up(model.vocab_size, 16));
  plan.parts.emplace_back("checkpoint", stage.checkpoint.async ? 3 * kFloat * parameters : 0);
  return plan;
}

std::int64_t machine_memory() {
  std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::int64_t>(sysconf(_SC_PAGE_SIZE));
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  if (std::int64_t value = 0; limit >> value && value > 0) bytes = std::min(bytes, value);
  return bytes;
}

}  // namespace aha
