#include "trainer/run/device_plan.h"

#include <algorithm>
#include <cmath>

#include "rollout/buckets.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/kernels/kv_parts.h"
#include "trainer/model/decoder.h"
#include "trainer/model/model_size.h"
#include "trainer/model/parameters.h"
#include "trainer/model/resident_weights.h"
#include "trainer/optim/trained_weights.h"
#include "trainer/run/cost_model.h"
#include "trainer/run/policy.h"
#include "trainer/run/stage.h"

namespace aha {
namespace {

constexpr std::int64_t kFloat = 4;

/// CUDA's context, the kernels of cuBLAS as they are loaded, and its workspace.
constexpr std::int64_t kProgram = std::int64_t{768} << 20;
/// CUDA graphs of decode steps, one a bucket of rows.
constexpr std::int64_t kGraphs = std::int64_t{256} << 20;
/// NCCL's buffers on one of several ranks: 32 channels with 4 MiB (NCCL_BUFFSIZE) for each of six connections, two of a ring
/// and four of a double tree. From its documentation, not measured.
constexpr std::int64_t kNetwork = std::int64_t{32 * 6 * 4} << 20;
/// What programs of CUDA that hold no memory of their own hold.
constexpr std::int64_t kOwnContext = std::int64_t{1} << 30;

constexpr std::int64_t blocks_of(std::int64_t positions) {
  return (positions + kKvBlock - 1) / kKvBlock;
}

/// Parts of a run of rows that attends to positions [0, end), at most.
constexpr std::int64_t parts_of(std::int64_t rows, std::int64_t end) {
  return most_parts(rows, blocks_of(end));
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
  ParameterLayout layout = make_layout(model);

  bool grpo() const { return stage.method == "grpo"; }
  bool sixteen() const { return storage_type(stage.model.storage) != FloatType::F32; }
  std::int64_t longest() const { return in.longest_prompt + stage.rollout.max_completion_length; }
  std::int64_t samples() const { return grpo() ? stage.rollout.num_generations : 1; }
  std::int64_t groups() const {
    return grpo() ? stage.train.prompts_per_step : stage.train.per_device_train_batch_size;
  }

  /// A rank's part of the completions of `prompts` prompts, with its part of those.
  double part(std::int64_t prompts, std::int64_t each) const {
    return std::ceil(static_cast<double>(prompts) * static_cast<double>(each) / in.ranks);
  }
  /// Rows of the largest micro-batch, in sequences of full length. Strict ones of grpo are units, of any size.
  std::int64_t micro_rows() const {
    if (in.strict && grpo())
      return in.longest_prompt +
             std::min(samples(), stage.train.strict_chunk) * stage.rollout.max_completion_length;
    const double completions = part(groups(), samples());
    const double all = std::min(static_cast<double>(groups()), completions) *
                           static_cast<double>(in.longest_prompt) +
                       completions * static_cast<double>(stage.rollout.max_completion_length);
    const auto most = static_cast<double>(stage.train.max_tokens_per_micro_batch);
    return std::max(longest(), static_cast<std::int64_t>(std::min(all, most)));
  }
  /// Blocks of their keys and values: a completion begins in a block of its own. As many as there are of completions that
  /// have a quarter of their length.
  std::int64_t micro_blocks() const {
    const std::int64_t rows = micro_rows();
    const std::int64_t short_ones =
        4 * rows / std::max<std::int64_t>(1, stage.rollout.max_completion_length) + 1;
    const double all = part(groups(), samples()) + static_cast<double>(groups());
    return blocks_of(rows) +
           2 * std::min(short_ones, static_cast<std::int64_t>(std::min(1e9, all)));
  }
  /// Its loss tokens: a completion's first is predicted by the prompt's last row, which all of a group share.
  std::int64_t micro_tokens() const {
    const std::int64_t rows = micro_rows();
    const double all = std::min(1e9, part(groups(), samples()));
    return rows + std::min(static_cast<std::int64_t>(all), rows / 8);
  }
  FloatType kept() const { return kept_beside(storage_type(stage.model.storage), false); }
  std::int64_t cache(std::int64_t blocks) const {
    return KvCache::bytes_for(model, blocks, kept());
  }
  /// Floats of the sums of attention's parts (kernels/kv_parts.h), of which some are held at a time. There are most where
  /// a micro-batch has all completions that there are, each as long as fits.
  std::int64_t part_sums() const {
    const auto all = static_cast<std::int64_t>(std::min(1e9, part(groups(), samples())));
    const std::int64_t most = std::max<std::int64_t>(1, stage.rollout.max_completion_length);
    const std::int64_t length =
        std::clamp<std::int64_t>(micro_rows() / std::max<std::int64_t>(1, all), 1, most);
    const std::int64_t parts =
        std::min(all, micro_rows() / length) * parts_of(length, in.longest_prompt + length) +
        std::min(all, groups()) * parts_of(in.longest_prompt, in.longest_prompt);
    const std::int64_t each = kPartBlocks * KvCache::layer_bytes_for(model, 1) / kFloat;
    return std::min(parts * each, kMostPartialSums + each);
  }
  /// Derivatives of the micro-batch's keys and values, of all blocks of the model.
  std::int64_t micro_cache_grads() const { return KvCache::bytes_for(model, micro_blocks()); }
  TrainedWeights::Options division() const { return in.division.value_or(weight_division(stage)); }
  /// Of a CPU's alone: copies of small models' matrices.
  std::int64_t packed() const {
    return ResidentWeights::bytes_for(layout, FloatType::F32) - kFloat * layout.total;
  }
  std::int64_t weights() const {
    const bool whole = in.ranks == 1 || !division().by_block;
    return TrainedWeights::bytes_for(layout, division(), in.ranks) - (whole ? packed() : 0);
  }
  std::int64_t gathered() const {
    const std::int64_t bytes = TrainedWeights::rollout_bytes_for(layout, division(), in.ranks);
    return bytes > 0 ? bytes - packed() : 0;
  }
  /// Rows of a pass that keeps nothing.
  std::int64_t pass(std::int64_t rows) const { return Scratch::bytes_for(model, rows); }
  /// Logits of a pass, as many of its rows' as are computed at a time.
  std::int64_t logits(std::int64_t rows) const {
    const std::int64_t V = round_up(model.vocab_size, 8);
    return std::min(rows, rows_of_logits(V)) * V;
  }
  /// Rows of which the head keeps logits for its backward pass, at most, and whether it keeps those of all micro-batches.
  std::int64_t kept_logit_rows() const {
    if (!stage.train.keep_logits) return 0;
    return std::min(micro_tokens(),
                    most_kept_rows(model.vocab_size, storage_type(stage.model.storage)));
  }
  bool keeps_logits() const { return kept_logit_rows() == micro_tokens(); }
  std::int64_t kept_logits() const {
    return kFloat *
           head_kept_floats(kept_logit_rows(), model.vocab_size, storage_type(stage.model.storage));
  }
  /// Rows of prompts that are computed at a time, at most.
  std::int64_t prefill_rows() const { return kPrefillTokens + in.longest_prompt; }
  /// Rows that are decoded at a time.
  std::int64_t most_rows() const { return std::min(decode_rows(stage), std::int64_t{kMostRows}); }
};

/// Keys, values and rows of sampling `prompts` prompts with `samples` completions each, as the scheduler
/// places them.
std::int64_t sampling_bytes(const Sizes& s, std::int64_t prompts, std::int64_t samples) {
  const auto part = static_cast<std::int64_t>(std::min(1e9, s.part(prompts, samples)));
  const std::int64_t rows = std::min(part, s.most_rows());
  prompts = std::min(prompts, part);
  const std::int64_t places = std::min({prompts, rows, 2 * (rows / samples + 1)});
  const std::int64_t blocks =
      places * blocks_of(s.in.longest_prompt) +
      rows * blocks_of(kKvBlock - 1 + s.stage.rollout.max_completion_length) + 1;
  return s.cache(blocks) + s.pass(rows) +
         s.pass(std::min(prompts * s.in.longest_prompt, s.prefill_rows()));
}

std::int64_t rollout_bytes(const Sizes& s) {
  std::int64_t most = 0;
  for (const auto& sampling : samplings(s.stage, s.in.eval_prompts))
    most = std::max(most, sampling_bytes(s, sampling.prompts, sampling.samples));
  return most;
}

/// What the forward pass keeps, and what the backward pass works in; a device takes a micro-batch in one piece.
std::int64_t activation_bytes(const Sizes& s) {
  const bool recomputed = s.stage.train.gradient_checkpointing;
  const TrainingRow row = training_row(s.model, recomputed);
  const std::int64_t cache = s.cache(s.micro_blocks());
  const std::int64_t gates = 2 * s.model.intermediate_size * (recomputed ? 1 : s.size.layers);
  return s.micro_rows() *
             (kFloat * (row.kept + row.block + row.back) - (kFloat - bytes_of(s.kept())) * gates) +
         (recomputed ? cache / s.size.layers : cache) + s.micro_cache_grads() / s.size.layers +
         s.kept_logits();
}

/// Of the operands in the place that gates and ups have, those of attention and of the residual stream.
std::int64_t widest_rows(const ModelConfig& c) {
  return std::max(c.hidden_size, c.num_attention_heads * c.head_dim);
}

/// Logits of some rows; with weights of 16 bits the operands of products, rounded. Recorded steps have theirs apart.
std::int64_t scratch_bytes(const Sizes& s) {
  const std::int64_t rows = s.micro_rows();
  const std::int64_t logits = s.logits(rows);
  std::int64_t bytes = grown(kFloat * logits) + grown(kFloat * s.part_sums()) +
                       grown(kFloat * rows * s.model.num_attention_heads) +
                       grown(kFloat * s.logits(s.most_rows()));
  if (!s.sixteen()) return bytes;
  const std::int64_t widest = std::max(s.model.intermediate_size, widest_rows(s.model));
  const std::int64_t derivatives = s.keeps_logits() ? 0 : logits;
  const std::int64_t right =
      std::max({2 * rows * s.model.intermediate_size, derivatives, s.prefill_rows() * widest});
  return bytes + grown(2 * rows * widest) + grown(2 * rows * s.model.hidden_size) +
         grown(2 * right) + grown(2 * s.most_rows() * widest);
}

}  // namespace

MemoryPlan plan_device_memory(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& inputs) {
  const Sizes s{stage, model, inputs};
  const bool reference = s.grpo() && stage.objective.beta != 0;
  const std::int64_t reference_pass = s.pass(s.micro_rows()) + s.cache(s.micro_blocks()) +
                                      kFloat * s.micro_rows() * model.hidden_size;
  MemoryPlan plan;
  plan.parts = {
      {"program", kProgram + kGraphs},
      {"weights", s.weights()},
      {"network", inputs.ranks > 1 ? kNetwork : 0},
      {"gradients",
       GradientSum::bytes_for(
           s.layout, gradient_options(inputs.strict, stage, s.division().by_block), inputs.ranks)},
      {"optimizer", 2 * kFloat * s.size.parameters / inputs.ranks},
      {"reference", reference ? s.weights() + reference_pass : 0},
      {"rollout", rollout_bytes(s)},
      {"gathered", s.gathered()},
      {"activations", activation_bytes(s)},
      {"scratch", scratch_bytes(s)}};
  return plan;
}

std::vector<Sampling> samplings(const StageConfig& stage, std::int64_t eval_prompts) {
  const auto& eval = stage.eval;
  const std::int64_t asked =
      eval.max_prompts > 0 ? std::min(eval.max_prompts, eval_prompts) : eval_prompts;
  std::vector<Sampling> all = {{asked, eval.num_generations},
                               {asked, eval.final_num_generations},
                               {asked, eval.greedy ? 1 : 0}};
  if (stage.method == "grpo")
    all.push_back({stage.train.prompts_per_step, stage.rollout.num_generations});
  std::erase_if(all, [](const Sampling& s) { return s.prompts == 0 || s.samples == 0; });
  return all;
}

MicroSize largest_micro_batch(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& inputs) {
  const Sizes s{stage, model, inputs};
  return {s.micro_rows(), s.micro_tokens(), s.micro_blocks()};
}

std::string lighter_settings(const StageConfig& stage, const ModelConfig& model,
                             const MemoryInputs& inputs, std::int64_t free) {
  const auto fits = [&](bool keep_logits, bool recompute) {
    StageConfig changed = stage;
    changed.train.keep_logits = keep_logits;
    changed.train.gradient_checkpointing = recompute;
    return plan_device_memory(changed, model, inputs).total() <= free;
  };
  if (fits(stage.train.keep_logits, stage.train.gradient_checkpointing)) return "";
  if (fits(false, stage.train.gradient_checkpointing)) return "train.keep_logits=false";
  if (fits(stage.train.keep_logits, true)) return "train.gradient_checkpointing=true";
  if (fits(false, true)) return "train.keep_logits=false and train.gradient_checkpointing=true";
  return "";
}

void require_device_memory(const std::string& stage, const MemoryPlan& plan,
                           const DeviceRoom& device, std::string_view lighter, bool in_units) {
  if (plan.total() <= device.free) return;
  const std::int64_t others = device.held_before - kOwnContext;
  const std::string held =
      others > 0
          ? fmt::format(", and other programs hold {} of it: end them (nvidia-smi names them)",
                        bytes_text(static_cast<double>(device.held_before)))
          : "";
  const std::string rows = in_units ? "train.strict_chunk" : "train.max_tokens_per_micro_batch";
  const bool sampling = plan.part("rollout") > plan.part("activations");
  fail("stage {}: needs {} on the GPU, {} has {} of {} free{}; {}lower {}, or set device=cpu",
       stage, plan.text(), device.name, bytes_text(static_cast<double>(device.free)),
       bytes_text(static_cast<double>(device.total)), held,
       lighter.empty() ? "" : fmt::format("set {}, or ", lighter),
       sampling ? fmt::format("rollout.max_batch_size (then {})", rows)
                : fmt::format("{} (then rollout.max_batch_size)", rows));
}

}  // namespace aha
