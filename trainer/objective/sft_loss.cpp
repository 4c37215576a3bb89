#include "trainer/objective/sft_loss.h"

#include <algorithm>

namespace aha {

LossStats sft_loss(std::span<const float> logprobs, std::span<const float> entropies,
                      std::span<const std::uint8_t> mask, std::int64_t total,
                      std::span<float> d_logprob) {
  const double share = 1.0 / static_cast<double>(std::max<std::int64_t>(total, 1));
  LossStats stats;
  for (std::size_t t = 0; t < mask.size(); ++t) {
    d_logprob[t] = mask[t] != 0 ? static_cast<float>(-share) : 0.0F;
    if (mask[t] == 0) continue;
    stats.loss -= share * logprobs[t];
    stats.entropy_sum += entropies[t];
    ++stats.tokens;
  }
  return stats;
}

}  // namespace aha
