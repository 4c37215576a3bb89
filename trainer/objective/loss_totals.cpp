#include <algorithm>
#include <cmath>

#include "trainer/objective/policy_loss.h"

namespace aha {
namespace {

/// As numpy.quantile and torch.quantile interpolate it.
float quantile(std::vector<float>& values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double low = values[below];
  const double high = values[std::min(below + 1, values.size() - 1)];
  return static_cast<float>(low + (place - static_cast<double>(below)) * (high - low));
}

}  // namespace

std::int64_t counted(const LossSample& sample) {
  if (sample.excluded) return 0;
  return std::count_if(sample.mask.begin(), sample.mask.end(), [](auto m) { return m != 0; });
}

void LossStats::add(const LossStats& other) {
  loss += other.loss;
  entropy_loss += other.entropy_loss;
  kl_sum += other.kl_sum;
  entropy_sum += other.entropy_sum;
  tokens += other.tokens;
  sequences += other.sequences;
  clipped_low += other.clipped_low;
  clipped_high += other.clipped_high;
  capped += other.capped;
  clip_low_min = std::min(clip_low_min, other.clip_low_min);
  clip_high_max = std::max(clip_high_max, other.clip_high_max);
}

LossTotals loss_totals(const ObjectiveConfig& objective, std::span<const LossSample> samples,
                       std::int64_t max_completion_length, double entropy_coef) {
  LossTotals totals;
  totals.max_completion_length = max_completion_length;
  totals.entropy_coef = entropy_coef;
  const bool by_entropy = objective.top_entropy_quantile < 1.0;
  std::vector<float> entropies;
  for (const auto& sample : samples) {
    const std::int64_t n = counted(sample);
    totals.tokens += n;
    totals.sequences += n > 0 ? 1 : 0;
    for (std::size_t t = 0; by_entropy && n > 0 && t < sample.mask.size(); ++t)
      if (sample.mask[t] != 0 && std::isfinite(sample.old_entropies[t]))
        entropies.push_back(sample.old_entropies[t]);
  }
  totals.entropy_tokens = totals.tokens;
  if (entropies.empty()) return totals;
  totals.entropy_threshold = quantile(entropies, 1.0 - objective.top_entropy_quantile);
  totals.entropy_tokens -= std::count_if(entropies.begin(), entropies.end(),
                                         [&](float h) { return h < *totals.entropy_threshold; });
  return totals;
}

}  // namespace aha
