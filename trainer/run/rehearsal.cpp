#include "trainer/run/rehearsal.h"

#include <algorithm>
#include <numeric>

#include "rollout/buckets.h"
#include "trainer/kernels/device_ops.h"
#include "trainer/run/device_plan.h"
#include "trainer/run/update.h"

namespace aha {
namespace {

/// Lengths in tokens.
struct Lengths {
  Index prompt, completion;
  std::int64_t samples;  ///< of a prompt
};

/// Groups that take so many rows of a micro-batch together, as long as they may be; the last ones are what is left.
std::vector<Group> groups_of_rows(Index rows, const Lengths& lengths) {
  std::vector<Group> groups;
  for (Index left = rows; left > 0;) {
    Group& group = groups.emplace_back();
    const Index prompt = std::min(lengths.prompt, left);
    group.prompt.ids.assign(static_cast<std::size_t>(prompt), 0);
    left -= prompt;
    for (std::int64_t s = 0; s == 0 || (s < lengths.samples && left > 0); ++s) {
      const Index fed = std::min(lengths.completion - 1, left);  // nothing follows the last token
      group.completions.emplace_back().ids.assign(static_cast<std::size_t>(fed + 1), 0);
      left -= fed;
    }
  }
  return groups;
}

MicroBatch one_batch(std::span<const Group> groups) {
  std::vector<Section> sections(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    sections[g].group = g;
    sections[g].completions.resize(groups[g].completions.size());
    std::iota(sections[g].completions.begin(), sections[g].completions.end(), std::size_t{0});
  }
  return pack(groups, sections);
}

/// Within the positions that the model has.
Lengths lengths_of(const Stage& stage) {
  const Index positions = stage.policy.config.positions();
  const auto& rollout = stage.settings.rollout;
  const Index prompt =
      std::clamp<Index>(longest_prompt(stage.data, stage.settings), 1, positions - 1);
  return {prompt, std::clamp<Index>(rollout.max_completion_length, 1, positions - prompt),
          stage.settings.method == "grpo" ? rollout.num_generations : 1};
}

class Rehearsal {
 public:
  explicit Rehearsal(Stage& stage) : stage_(stage), lengths_(lengths_of(stage)) {}

  void rollout() {
    const auto all = samplings(stage_.settings, stage_.scorer ? most_eval_prompts(stage_.data) : 0);
    if (all.empty()) return;
    TrainedWeights& weights = *stage_.policy.weights;
    weights.begin_rollout();  // which may bring them together
    std::int64_t prompts = 0;
    for (const auto& one : all) {
      const std::int64_t ranks = stage_.comm.size();
      stage_.engine.expect({one.prompts, one.samples, lengths_.prompt, lengths_.completion,
                            ranks == 1 ? 0 : (one.prompts * one.samples + ranks - 1) / ranks});
      prompts = std::max(prompts, one.prompts);
    }
    sample(std::min(prompts, kPrefillTokens / lengths_.prompt + 1));
    weights.end_rollout();
  }

  void update() {
    const MemoryInputs inputs{.longest_prompt = lengths_.prompt,
                              .strict = stage_.config.strict,
                              .ranks = stage_.comm.size()};
    const MicroSize size = largest_micro_batch(stage_.settings, stage_.policy.config, inputs);
    const std::int64_t most = pack_limits(stage_).max_completions;
    const Index rows =
        most > 0 ? std::min(size.rows, most * (lengths_.prompt + lengths_.completion)) : size.rows;
    MicroBatch micro = one_batch(groups_of_rows(rows, lengths_));
    micro.num_blocks = std::max<Index>(micro.num_blocks, size.blocks);
    TrainedWeights& weights = *stage_.policy.weights;
    const Index kept = most_kept_rows(stage_.policy.config.vocab_size, weights.storage());
    const Index predicted[] = {size.tokens, std::min(size.tokens, kept)};
    stage_.learner.expect(weights, predicted);
    (void)stage_.learner.forward(weights, micro);
    const std::vector<float> zeros(micro.targets.size());
    stage_.gradients.begin_examination();
    stage_.learner.backward(weights, micro, zeros, zeros, stage_.gradients);
    (void)stage_.gradients.end_batch();
    if (!stage_.reference) return;
    stage_.reference->settle();
    (void)stage_.learner.logprobs(*stage_.reference, micro);
  }

 private:
  /// The first token of as many prompts as are computed at a time.
  void sample(std::int64_t prompts) {
    std::vector<GroupRequest> requests(static_cast<std::size_t>(prompts));
    for (auto& request : requests) {
      request.prompt.ids.assign(static_cast<std::size_t>(lengths_.prompt), 0);
      request.samples = lengths_.samples;
      request.max_completion_length = 1;
    }
    (void)stage_.engine.generate(requests, rollout_params(stage_));
  }

  Stage& stage_;
  Lengths lengths_;
};

}  // namespace

void rehearse(Stage& stage) {
  if (stage.machine.ops.memory->host) return;
  const Phase phase(stage.comm, "rehearsal");
  stage.policy.weights->settle();  // of several ranks they may still be coming
  Rehearsal rehearsal(stage);
  rehearsal.update();  // first: a rollout goes on with fewer rows where it has too little
  rehearsal.rollout();
}

}  // namespace aha
