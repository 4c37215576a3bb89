#pragma once
#include <functional>
#include <span>
#include <vector>

#include "trainer/core/error.h"
#include "trainer/metrics/reduce.h"
#include "trainer/objective/policy_loss.h"
#include "trainer/run/stage.h"

namespace aha {

/// How the stage cuts samples into micro-batches.
PackLimits pack_limits(const Stage& stage);

/// An objective's answer for one micro-batch.
struct MicroResult {
  LossStats stats;               ///< `loss` is its share of the step's loss
  LogpGap gap;                   ///< between rollout and training, where it is measured
  std::vector<float> d_logprob;  ///< [T] d loss / d log-probability
  std::vector<float> d_entropy;  ///< [T] or empty
};

/// The objective, called once for each micro-batch of an update, after its forward pass.
using MicroLoss = std::function<MicroResult(const MicroBatch&, const Learner::TokenValues&)>;

/// What an update did: the sums over the micro-batches of all ranks, in their order.
struct UpdateResult {
  double grad_norm = 0;
  LossStats stats;
  LogpGap gap;
};

/// One optimizer update on `samples` of `groups`: deals them to ranks and micro-batches, runs forward, loss
/// and backward on the own ones, adds the gradients of all ranks (order-free in strict mode), clips,
/// updates, publishes. Collective: groups and samples are the same on every rank, and so is the result.
/// With no samples nothing changes and the norm is 0. When a loss or the norm is not finite anywhere,
/// nothing is changed and every rank throws NotFinite naming the prompts that caused it.
UpdateResult update_policy(Stage& stage, std::span<const Group> groups,
                           std::span<const SampleRef> samples, const MicroLoss& loss,
                           double learning_rate);

/// Log-probabilities of the samples' tokens under `weights`, dealt to ranks in the same way: [P][G][T], on
/// every rank.
std::vector<std::vector<std::vector<float>>> token_logprobs(Stage& stage, TrainedWeights& weights,
                                                            std::span<const Group> groups,
                                                            std::span<const SampleRef> samples);

/// The run cannot go on: a loss or gradient is not finite. The weights are those before the step.
class NotFinite : public UserError {
 public:
  using UserError::UserError;
};

}  // namespace aha
