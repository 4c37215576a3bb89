#pragma once
#include <span>
#include <vector>

#include "trainer/model/decoder.h"
#include "trainer/objective/batch.h"

namespace aha {

/// Joins the decoder to objectives: log-probabilities of a micro-batch's loss tokens, and the backward
/// pass from their derivatives. Owns the activations, which are reused from micro-batch to micro-batch.
class Learner {
 public:
  /// `vocabulary`: logits at or above it do not exist, as in rollout. `temperature` as sampled.
  Learner(const Decoder& decoder, Exec exec, std::int64_t vocabulary, double temperature);

  struct TokenValues {
    std::vector<float> logprobs;   ///< [T] of the targets
    std::vector<float> entropies;  ///< [T] nats
  };

  /// Forward pass that keeps what `backward` needs.
  TokenValues forward(ParameterProvider& weights, const MicroBatch& micro);

  /// Adds the gradient of sum(d_logprob * logprob + d_entropy * entropy) to `grads`, for the micro-batch
  /// of the last `forward`. `d_entropy` is empty when the loss has no entropy term.
  void backward(ParameterProvider& weights, const MicroBatch& micro,
                std::span<const float> d_logprob, std::span<const float> d_entropy,
                GradientSink& grads);

  /// Log-probabilities alone, keeping nothing: for the reference policy.
  std::vector<float> logprobs(ParameterProvider& weights, const MicroBatch& micro);

  /// Bytes of activations so far.
  std::int64_t bytes() const { return activations_.bytes(); }

 private:
  const float* gather(const float* hidden, const MicroBatch& micro);

  const Decoder* decoder_;
  Exec exec_;
  std::int64_t vocabulary_;
  float inv_temperature_;
  Activations activations_;
  KvCache reference_cache_;
  Scratch reference_scratch_;
  Buffer head_rows_, dhead_rows_, dhidden_;
};

}  // namespace aha
