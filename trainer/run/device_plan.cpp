#include "trainer/run/device_plan.h"

#include <algorithm>

#include "rollout/buckets.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/model/decoder.h"
#include "trainer/model/model_size.h"
#include "trainer/model/parameters.h"
#include "trainer/run/cost_model.h"
#include "trainer/run/policy.h"

namespace aha {
namespace {

constexpr std::int64_t kFloat = 4;

/// CUDA's context, the kernels of cuBLAS as they are loaded, and its workspace.
constexpr std::int64_t kProgram = std::int64_t{768} << 20;
/// CUDA graphs of decode steps, one a bucket of rows.
constexpr std::int64_t kGraphs = std::int64_t{256} << 20;
/// What programs of CUDA that hold no memory of their own hold.
constexpr std::int64_t kOwnContext = std::int64_t{1} << 30;

constexpr std::int64_t blocks_of(std::int64_t positions) {
  return (positions + kKvBlock - 1) / kKvBlock;
}

/// Scratch memory grows by a quarter more than is asked for.
constexpr std::int64_t grown(std::int64_t bytes) {
  return bytes + bytes / 4;
}

/// The shapes that the parts are computed from.
struct Sizes {
  const StageConfig& stage;
  const ModelConfig& model;
  const MemoryInputs& in;
  ModelSize size = model_size(model);

  bool grpo() const { return stage.method == "grpo"; }
  bool sixteen() const { return storage_type(stage.model.storage) != FloatType::F32; }
  std::int64_t longest() const { return in.longest_prompt + stage.rollout.max_completion_length; }
  std::int64_t samples() const { return grpo() ? stage.rollout.num_generations : 1; }

  /// Rows of the largest micro-batch, in sequences of full length.
  std::int64_t micro_rows() const {
    const std::int64_t groups =
        grpo() ? stage.train.prompts_per_step : stage.train.per_device_train_batch_size;
    const double all =
        static_cast<double>(groups) *
        static_cast<double>(in.longest_prompt + samples() * stage.rollout.max_completion_length);
    const auto most = static_cast<double>(stage.train.max_tokens_per_micro_batch);
    return std::max(longest(), static_cast<std::int64_t>(std::min(all, most)));
  }
  /// Blocks of their keys and values: a completion begins in a block of its own.
  std::int64_t micro_blocks() const {
    const std::int64_t rows = micro_rows();
    const std::int64_t sequences =
        rows / std::max<std::int64_t>(1, stage.rollout.max_completion_length) + 1;
    return blocks_of(rows) + 2 * sequences;
  }
  std::int64_t cache(std::int64_t blocks) const {
    return KvCache::bytes_for(model, blocks,
                              KvCache::type_beside(storage_type(stage.model.storage), false));
  }
  /// Derivatives of the micro-batch's keys and values, of all blocks of the model.
  std::int64_t micro_cache_grads() const { return KvCache::bytes_for(model, micro_blocks()); }
  std::int64_t weights() const { return size.parameters * (sixteen() ? 6 : 4); }
  /// Rows of a pass that keeps nothing.
  std::int64_t pass(std::int64_t rows) const { return Scratch::bytes_for(model, rows); }
  /// Logits of a pass, as many of its rows' as are computed at a time.
  std::int64_t logits(std::int64_t rows) const {
    const std::int64_t V = round_up(model.vocab_size, 8);
    return std::min(rows, rows_of_logits(V)) * V;
  }
  /// Rows that are decoded at a time.
  std::int64_t most_rows() const { return std::min(decode_rows(stage), std::int64_t{kMostRows}); }
};

/// Keys, values and rows of sampling `prompts` prompts with `samples` completions each, as the scheduler
/// places them.
std::int64_t sampling_bytes(const Sizes& s, std::int64_t prompts, std::int64_t samples) {
  std::int64_t rows = static_cast<std::int64_t>(
      std::min(1e9, static_cast<double>(prompts) * static_cast<double>(samples)));
  rows = std::min(rows, s.most_rows());
  const std::int64_t places = std::min({prompts, rows, 2 * (rows / samples + 1)});
  const std::int64_t blocks =
      places * blocks_of(s.in.longest_prompt) +
      rows * blocks_of(kKvBlock - 1 + s.stage.rollout.max_completion_length) + 1;
  const std::int64_t prefill =
      std::min(prompts * s.in.longest_prompt, kPrefillTokens + s.in.longest_prompt);
  return s.cache(blocks) + s.pass(rows) + s.pass(prefill);
}

std::int64_t rollout_bytes(const Sizes& s) {
  const auto& eval = s.stage.eval;
  const std::int64_t asked =
      eval.max_prompts > 0 ? std::min(eval.max_prompts, s.in.eval_prompts) : s.in.eval_prompts;
  std::int64_t most = s.grpo() ? sampling_bytes(s, s.stage.train.prompts_per_step, s.samples()) : 0;
  for (const auto samples : {eval.num_generations, eval.final_num_generations})
    if (asked > 0 && samples > 0) most = std::max(most, sampling_bytes(s, asked, samples));
  return most;
}

/// What the forward pass keeps, and what the backward pass works in; a device takes a micro-batch in one piece.
std::int64_t activation_bytes(const Sizes& s) {
  const bool recomputed = s.stage.train.gradient_checkpointing;
  const TrainingRow row = training_row(s.model, recomputed);
  const std::int64_t cache = s.cache(s.micro_blocks());
  return kFloat * s.micro_rows() * (row.kept + row.block + row.back) +
         (recomputed ? cache / s.size.layers : cache) + s.micro_cache_grads() / s.size.layers;
}

/// Logits of some rows; with weights of 16 bits the operands of products, rounded. Recorded steps have theirs apart.
std::int64_t scratch_bytes(const Sizes& s) {
  const std::int64_t rows = s.micro_rows();
  const std::int64_t logits = s.logits(rows);
  const std::int64_t partial =
      std::min(kMostPartialSums, s.micro_cache_grads()) + s.size.kv_elements * kKvBlock;
  std::int64_t bytes = grown(kFloat * logits) + grown(kFloat * partial) +
                       grown(kFloat * rows * s.model.num_attention_heads) +
                       grown(kFloat * s.logits(s.most_rows()));
  if (s.sixteen())
    bytes += grown(2 * rows * s.model.intermediate_size) +
             grown(2 * std::max(2 * rows * s.model.intermediate_size, logits)) +
             grown(2 * s.most_rows() * s.model.intermediate_size);
  return bytes;
}

}  // namespace

MemoryPlan plan_device_memory(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& inputs) {
  const Sizes s{stage, model, inputs};
  const bool reference = s.grpo() && stage.objective.beta != 0;
  const std::int64_t reference_pass = s.pass(s.micro_rows()) + s.cache(s.micro_blocks()) +
                                      kFloat * s.micro_rows() * model.hidden_size;
  MemoryPlan plan;
  plan.parts = {{"program", kProgram + kGraphs},
                {"weights", s.weights()},
                {"gradients", kFloat * s.size.parameters},
                {"optimizer", 2 * kFloat * s.size.parameters},
                {"reference", reference ? s.weights() + reference_pass : 0},
                {"rollout", rollout_bytes(s)},
                {"activations", activation_bytes(s)},
                {"scratch", scratch_bytes(s)}};
  return plan;
}

void require_device_memory(const std::string& stage, const MemoryPlan& plan,
                           const DeviceState& device, bool fits_recomputed) {
  if (plan.total() <= device.free) return;
  const std::int64_t others = device.held_before - kOwnContext;
  const std::string held =
      others > 0
          ? fmt::format(", and other programs hold {} of it: end them (nvidia-smi names them)",
                        bytes_text(static_cast<double>(device.held_before)))
          : "";
  const bool sampling = plan.part("rollout") > plan.part("activations");
  fail("stage {}: needs {} on the GPU, {} has {} of {} free{}; {}lower {}, or set device=cpu",
       stage, plan.text(), device.name, bytes_text(static_cast<double>(device.free)),
       bytes_text(static_cast<double>(device.total)), held,
       fits_recomputed ? "set train.gradient_checkpointing=true, or " : "",
       sampling ? "rollout.max_batch_size (then train.max_tokens_per_micro_batch)"
                : "train.max_tokens_per_micro_batch (then rollout.max_batch_size)");
}

}  // namespace aha
