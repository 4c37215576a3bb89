#include "trainer/run/update.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "trainer/core/bytes.h"
#include "trainer/core/error.h"
#include "trainer/objective/deal.h"

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

std::string not_finite(std::span<const Group> groups, const MicroBatch& micro, const char* what) {
  return fmt::format(
      "{} is not finite; the step was refused and the last good state is saved. Prompts of that "
      "micro-batch: {}. Lower optim.learning_rate or set optim.max_grad_norm",
      what, prompts_text(groups, micro));
}

/// What the other ranks learn of a micro-batch.
struct MicroNote {
  std::int64_t index = 0;
  LossStats stats;
  LogpGap gap;
  std::string failure;  ///< empty: none
};

/// The notes of all ranks, in the order of the micro-batches.
std::vector<MicroNote> notes_of_all(Communicator& comm, const std::vector<MicroNote>& own) {
  ByteWriter message;
  for (const auto& note : own) {
    message.add(note.index);
    message.add(note.stats);
    message.add(note.gap);
    message.add(note.failure);
  }
  std::vector<MicroNote> notes;
  for (const auto& bytes : comm.all_gather(message.take(), "gather_losses")) {
    ByteReader reader(bytes);
    while (!reader.done()) {
      MicroNote& note = notes.emplace_back();
      note.index = reader.get<std::int64_t>();
      note.stats = reader.get<LossStats>();
      note.gap = reader.get<LogpGap>();
      note.failure = reader.text();
    }
  }
  std::sort(notes.begin(), notes.end(),
            [](const MicroNote& a, const MicroNote& b) { return a.index < b.index; });
  return notes;
}

void throw_first_failure(const std::vector<MicroNote>& notes) {
  for (const auto& note : notes)
    if (!note.failure.empty()) throw NotFinite(note.failure);
}

const std::vector<DealtBatch>& own_of(const Stage& stage,
                                      const std::vector<std::vector<DealtBatch>>& dealt) {
  return dealt[static_cast<std::size_t>(stage.comm.rank())];
}

/// Micro-batches of the rank that has most.
std::size_t most_of(const std::vector<std::vector<DealtBatch>>& dealt) {
  std::size_t most = 0;
  for (const auto& batches : dealt)
    most = std::max(most, batches.size());
  return most;
}

/// An update's own part.
class OwnPart {
 public:
  OwnPart(Stage& stage, std::span<const Group> groups, const MicroLoss& loss)
      : stage_(stage), groups_(groups), loss_(loss) {}

  /// Runs the own micro-batches up to the first that fails; the sum over ranks is then in stage.gradients.
  std::vector<MicroNote> run(const std::vector<std::vector<DealtBatch>>& dealt) {
    const auto& batches = own_of(stage_, dealt);
    const std::size_t most = most_of(dealt);
    auto& gradients = stage_.gradients;
    gradients.begin(std::ssize(batches), static_cast<std::int64_t>(most),
                    stage_.optimizer.updates());
    std::vector<MicroNote> notes;
    std::vector<Index> tokens;
    for (const auto& batch : batches)
      tokens.push_back(loss_tokens(groups_, batch.sections));
    stage_.learner.expect(*stage_.policy.weights, tokens);
    for (const auto& batch : batches) {
      notes.push_back(pass(batch, "the gradient (or its fixed-point sum)"));
      if (!notes.back().failure.empty()) break;
    }
    pass_by(most - notes.size());
    const Phase phase(stage_.comm, "reduce");
    if (!gradients.finish())
      notes.push_back(
          {std::numeric_limits<std::int64_t>::max(),
           {},
           {},
           "the fixed-point sum of the ranks' gradients overflows; the step was refused "
           "and the last good state is saved. Lower optim.learning_rate or set "
           "optim.max_grad_norm"});
    return notes;
  }

  /// Runs each micro-batch again by itself to find those whose gradient is not finite.
  std::vector<MicroNote> examine(const std::vector<std::vector<DealtBatch>>& dealt) {
    std::vector<MicroNote> notes;
    stage_.gradients.begin_examination();
    for (const auto& batch : own_of(stage_, dealt))
      notes.push_back(pass(batch, "the gradient"));
    pass_by(most_of(dealt) - notes.size());
    return notes;
  }

 private:
  /// Forward, loss and backward of one micro-batch; the gradient is added to stage.gradients.
  MicroNote pass(const DealtBatch& batch, const char* gradient) {
    const MicroBatch micro = pack(groups_, batch.sections);
    auto& weights = *stage_.policy.weights;
    const MicroResult result = forward(weights, micro);
    MicroNote note{batch.index, result.stats, result.gap, {}};
    const Phase phase(stage_.comm, "backward");
    if (!std::isfinite(result.stats.loss)) {
      note.failure = not_finite(groups_, micro, "the loss");
      pass_back_by();
      return note;
    }
    stage_.learner.backward(weights, micro, result.d_logprob, result.d_entropy, stage_.gradients);
    if (!stage_.gradients.end_batch()) note.failure = not_finite(groups_, micro, gradient);
    return note;
  }

  /// The passes of other ranks' micro-batches, for which blocks are gathered on every rank.
  void pass_by(std::size_t batches) {
    for (std::size_t i = 0; i < batches; ++i) {
      stage_.policy.weights->pass_by();
      pass_back_by();
    }
  }
  void pass_back_by() {
    if (stage_.policy.weights->side_by_side()) return;
    stage_.learner.pass_back_by(*stage_.policy.weights, stage_.gradients);
    (void)stage_.gradients.end_batch();  // of nothing
  }

  MicroResult forward(ParameterProvider& weights, const MicroBatch& micro) {
    const Phase phase(stage_.comm, "forward");
    return loss_(micro, stage_.learner.forward(weights, micro));
  }

  Stage& stage_;
  std::span<const Group> groups_;
  const MicroLoss& loss_;
};

}  // namespace

PackLimits pack_limits(const Stage& stage) {
  const auto& train = stage.settings.train;
  PackLimits limits;
  limits.max_tokens = train.max_tokens_per_micro_batch;
  if (stage.settings.method == "grpo") limits.max_completions = train.per_device_train_batch_size;
  if (stage.config.strict) limits.unit = train.strict_chunk;
  return limits;
}

UpdateResult update_policy(Stage& stage, std::span<const Group> groups,
                           std::span<const SampleRef> samples, const MicroLoss& loss,
                           double learning_rate) {
  if (samples.empty()) return {};
  Communicator& comm = stage.comm;
  const Phase phase(comm, "train", stage.global_step + 1);
  const auto dealt = deal_micro_batches(groups, samples, pack_limits(stage), comm.size());
  stage.policy.weights->settle();
  OwnPart own(stage, groups, loss);
  const auto notes = notes_of_all(comm, own.run(dealt));
  throw_first_failure(notes);
  UpdateResult result;
  for (const auto& note : notes) {
    result.stats.add(note.stats);
    result.gap.add(note.gap);
  }
  const Exec& exec = stage.machine.exec;
  const Phase optimizer(comm, "optimizer");
  auto& weights = *stage.policy.weights;
  const auto limit = storage_limit(weights.storage());
  const AdamWOptimizer::Parts gradient = [&](const auto& body) { stage.gradients.each_part(body); };
  const UpdateStats stats = stage.optimizer.step(exec, weights.data(), gradient, learning_rate,
                                                 limit, {weights.own_rounded(), weights.storage()});
  result.grad_norm = stats.grad_norm;
  if (!stats.applied && std::isfinite(stats.grad_norm))
    throw NotFinite(fmt::format(
        "a weight would become {:g} or more, which model.storage: {} does not hold; the step was "
        "refused and the last good state is saved. Use bf16 or f32, or lower optim.learning_rate",
        *limit, storage_name(weights.storage())));
  if (!stats.applied) {
    throw_first_failure(notes_of_all(comm, own.examine(dealt)));
    throw NotFinite(
        "the gradient's norm is not finite though every micro-batch's is; lower "
        "optim.learning_rate");
  }
  weights.publish(stats.rounded);
  return result;
}

std::vector<std::vector<std::vector<float>>> token_logprobs(Stage& stage, TrainedWeights& weights,
                                                            std::span<const Group> groups,
                                                            std::span<const SampleRef> samples) {
  weights.settle();
  const auto dealt = deal_micro_batches(groups, samples, pack_limits(stage), stage.comm.size());
  ByteWriter message;
  for (const auto& batch : own_of(stage, dealt)) {
    const MicroBatch micro = pack(groups, batch.sections);
    const auto logprobs = stage.learner.logprobs(weights, micro);
    for (std::size_t i = 0; i < micro.samples.size(); ++i) {
      message.add(micro.samples[i]);
      message.add(std::vector<float>(logprobs.begin() + micro.offsets[i],
                                     logprobs.begin() + micro.offsets[i + 1]));
    }
  }
  for (auto i = own_of(stage, dealt).size(); i < most_of(dealt); ++i)
    weights.pass_by();
  std::vector<std::vector<std::vector<float>>> result(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g)
    result[g].resize(groups[g].completions.size());
  for (const auto& bytes : stage.comm.all_gather(message.take(), "gather_reference")) {
    ByteReader reader(bytes);
    while (!reader.done()) {
      const auto sample = reader.get<SampleRef>();
      result[sample.group][sample.completion] = reader.values<float>();
    }
  }
  return result;
}

}  // namespace aha
