#pragma once
#include <functional>
#include <span>
#include <vector>

#include "trainer/core/error.h"
#include "trainer/run/stage.h"

namespace aha {

/// How the stage cuts samples into micro-batches.
PackLimits pack_limits(const Stage& stage);

/// An objective's answer for one micro-batch.
struct LossGradient {
  double loss = 0;               ///< its share of the step's loss
  std::vector<float> d_logprob;  ///< [T] d loss / d log-probability
  std::vector<float> d_entropy;  ///< [T] or empty
};

/// The objective, called once for each micro-batch of an update, after its forward pass.
using MicroLoss = std::function<LossGradient(const MicroBatch&, const Learner::TokenValues&)>;

/// One optimizer update on `samples` of `groups`: packs them into micro-batches, runs forward, loss and
/// backward on each, adds the gradients (order-free in strict mode), clips, updates, publishes.
/// With no samples nothing changes and the norm is 0. When a loss or the norm is not finite nothing is
/// changed and UserError names the prompts that caused it.
UpdateStats update_policy(Stage& stage, std::span<const Group> groups,
                          std::span<const SampleRef> samples, const MicroLoss& loss,
                          double learning_rate);

/// The run cannot go on: a loss or gradient is not finite. The weights are those before the step.
class NotFinite : public UserError {
 public:
  using UserError::UserError;
};

}  // namespace aha
