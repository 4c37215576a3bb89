#pragma once
#include <cstdint>
#include <span>

namespace aha {

struct SftLossStats {
  double loss = 0;         ///< share of the step's loss
  double entropy_sum = 0;  ///< nats, over counted tokens
  void add(const SftLossStats& other) {
    loss += other.loss;
    entropy_sum += other.entropy_sum;
  }
};

/// Negative log-likelihood: loss = -sum(mask * logprob) / total, with `total` the counted tokens of the whole
/// step. Writes d_logprob = -mask / total. All spans [T].
SftLossStats sft_loss(std::span<const float> logprobs, std::span<const float> entropies,
                      std::span<const std::uint8_t> mask, std::int64_t total,
                      std::span<float> d_logprob);

}  // namespace aha
