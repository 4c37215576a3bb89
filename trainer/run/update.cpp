#include "trainer/run/update.h"

#include <cmath>
#include <set>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// "prompt 17 ('9 4 3 8 |'), prompt 4 (...)": the first three of the micro-batch.
std::string prompts_text(std::span<const Group> groups, const MicroBatch& micro) {
  std::string text;
  std::set<std::size_t> seen;
  for (const auto& sample : micro.samples) {
    if (!seen.insert(sample.group).second || seen.size() > 3) continue;
    const auto& prompt = groups[sample.group].prompt;
    text += fmt::format("{}row {} of {} ('{}')", text.empty() ? "" : ", ", prompt.row,
                        prompt.source, prompt.text.substr(0, 60));
  }
  return text;
}

[[noreturn]] void fail_not_finite(std::span<const Group> groups, const MicroBatch& micro,
                                  const char* what) {
  throw NotFinite(fmt::format(
      "{} is not finite; the step was refused and the last good state is saved. Prompts of that "
      "micro-batch: {}. Lower optim.learning_rate or set optim.max_grad_norm",
      what, prompts_text(groups, micro)));
}

/// Forward, loss and backward of one micro-batch; the gradient is added to stage.gradients.
void run_micro(Stage& stage, std::span<const Group> groups, const MicroBatch& micro,
               const MicroLoss& loss) {
  auto& weights = *stage.policy.weights;
  const auto values = stage.learner.forward(weights, micro);
  const LossGradient gradient = loss(micro, values);
  if (!std::isfinite(gradient.loss)) fail_not_finite(groups, micro, "the loss");
  stage.learner.backward(weights, micro, gradient.d_logprob, gradient.d_entropy, stage.gradients);
}

/// Runs each micro-batch again by itself to find the one whose gradient is not finite.
void find_culprit(Stage& stage, std::span<const Group> groups,
                  const std::vector<std::vector<Section>>& plan, const MicroLoss& loss) {
  for (const auto& sections : plan) {
    const MicroBatch micro = pack(groups, sections);
    stage.gradients.clear();
    run_micro(stage, groups, micro, loss);
    const double squares = stage.machine.ops.sum_squares(stage.machine.exec, stage.gradients.data(),
                                                         stage.policy.layout.total);
    if (!std::isfinite(squares)) fail_not_finite(groups, micro, "the gradient");
  }
  throw NotFinite(
      "the gradient's norm is not finite though every micro-batch's is; lower "
      "optim.learning_rate");
}

}  // namespace

PackLimits pack_limits(const Stage& stage) {
  const auto& train = stage.settings.train;
  PackLimits limits;
  limits.max_tokens = train.max_tokens_per_micro_batch;
  if (stage.settings.method == "grpo") limits.max_completions = train.per_device_train_batch_size;
  if (stage.config.strict) limits.unit = train.strict_chunk;
  return limits;
}

UpdateStats update_policy(Stage& stage, std::span<const Group> groups,
                          std::span<const SampleRef> samples, const MicroLoss& loss,
                          double learning_rate) {
  if (samples.empty()) return {0.0, 1.0, false};
  const auto plan = plan_micro_batches(groups, samples, pack_limits(stage));
  const Exec& exec = stage.machine.exec;
  stage.gradients.clear();
  if (stage.strict) stage.strict->clear();
  for (const auto& sections : plan) {
    const MicroBatch micro = pack(groups, sections);
    run_micro(stage, groups, micro, loss);
    if (!stage.strict) continue;
    if (!stage.strict->add(exec, stage.gradients.data()))
      fail_not_finite(groups, micro, "the gradient (or its fixed-point sum)");
    stage.gradients.clear();
  }
  if (stage.strict) stage.strict->read(exec, stage.gradients.data());
  const UpdateStats stats = stage.optimizer.step(exec, stage.policy.weights->data(),
                                                 stage.gradients.data(), learning_rate);
  if (!stats.applied) find_culprit(stage, groups, plan, loss);
  stage.policy.weights->publish(exec);
  return stats;
}

}  // namespace aha
