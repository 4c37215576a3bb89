#include "trainer/run/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "trainer/core/text.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"
#include "trainer/model/resident_weights.h"

namespace aha {
namespace {

constexpr std::int64_t kFloat = 4;

std::int64_t blocks_for(std::int64_t tokens) {
  return (tokens + 15) / 16;
}

/// Rows of activations that one micro-batch keeps: its own and one over, since a group is never cut
/// inside a completion.
std::int64_t activation_bytes(const StageConfig& stage, const ModelConfig& model,
                              std::int64_t longest) {
  const std::int64_t rows = std::max(stage.train.max_tokens_per_micro_batch, longest);
  const std::int64_t C = model.hidden_size;
  const std::int64_t attention = model.num_attention_heads * model.head_dim;
  const std::int64_t qkv = attention + 2 * model.num_key_value_heads * model.head_dim;
  const std::int64_t F = model.intermediate_size;
  const std::int64_t heads = model.num_attention_heads + model.num_key_value_heads;
  const std::int64_t qk = model.family().qk_norm ? heads * (model.head_dim + 1) : 0;
  const std::int64_t layer = 2 * C + 2 + qkv + qk + attention + model.num_attention_heads + 2 * F;
  const std::int64_t shared = 7 * C + qkv + 3 * F + std::max(attention, C);
  // blocks are as many as rows when completions are long, some more when they are short
  const std::int64_t blocks = blocks_for(rows) * 2;
  return rows * kFloat * (layer * model.num_hidden_layers + shared) +
         2 * KvCache::bytes_for(model, blocks);
}

std::int64_t cache_bytes(const StageConfig& stage, const ModelConfig& model,
                         std::int64_t longest_prompt) {
  const std::int64_t groups = stage.train.prompts_per_step;
  std::int64_t rows = groups * stage.rollout.num_generations;
  if (stage.rollout.max_batch_size > 0) rows = std::min(rows, stage.rollout.max_batch_size);
  const std::int64_t prompt = blocks_for(longest_prompt);
  const std::int64_t completion =
      blocks_for(longest_prompt + stage.rollout.max_completion_length) - longest_prompt / 16;
  const double blocks = static_cast<double>(groups) * static_cast<double>(prompt) +
                        static_cast<double>(rows) * static_cast<double>(completion);
  if (blocks > 1e10) return std::numeric_limits<std::int64_t>::max() / 4;  // no machine has that
  return KvCache::bytes_for(model, groups * prompt + rows * completion);
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

MemoryPlan plan_memory(const StageConfig& stage, const ModelConfig& model,
                       std::int64_t longest_prompt, bool strict) {
  const ParameterLayout layout = make_layout(model);
  const std::int64_t parameters = layout.total;
  const std::int64_t weights = ResidentWeights::bytes_for(layout);
  const bool grpo = stage.method == "grpo";
  const std::int64_t longest = longest_prompt + (grpo ? stage.rollout.max_completion_length : 0);
  MemoryPlan plan;
  plan.parts.emplace_back("weights", weights);
  plan.parts.emplace_back("gradients", kFloat * parameters + (strict ? 8 * parameters : 0));
  plan.parts.emplace_back("optimizer", 2 * kFloat * parameters);
  plan.parts.emplace_back("reference", grpo && stage.objective.beta != 0 ? weights : 0);
  plan.parts.emplace_back("key/value cache", grpo ? cache_bytes(stage, model, longest_prompt) : 0);
  plan.parts.emplace_back("activations", activation_bytes(stage, model, longest));
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
