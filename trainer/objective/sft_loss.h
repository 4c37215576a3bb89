#pragma once
#include <cstdint>
#include <span>

#include "trainer/objective/policy_loss.h"

namespace aha {

/// Negative log-likelihood: loss = -sum(mask * logprob) / total, with `total` the counted tokens of the whole
/// step. Writes d_logprob = -mask / total. All spans [T]. Of the result loss, entropy_sum and tokens are set.
LossStats sft_loss(std::span<const float> logprobs, std::span<const float> entropies,
                      std::span<const std::uint8_t> mask, std::int64_t total,
                      std::span<float> d_logprob);

}  // namespace aha
