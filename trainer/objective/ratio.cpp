#include "trainer/objective/ratio.h"

#include <algorithm>
#include <numeric>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr double kMaxLogRatio = 20.0;

}  // namespace

RatioLevel ratio_level(std::string_view name) {
  if (name == "token") return RatioLevel::Token;
  if (name == "sequence") return RatioLevel::Sequence;
  if (name == "sequence_token") return RatioLevel::SequenceToken;
  check(name == "sequence_sum",
        "importance_sampling_level is token, sequence, sequence_token or sequence_sum");
  return RatioLevel::SequenceSum;
}

LogRatio clamped(double log_ratio) {
  if (log_ratio < -kMaxLogRatio) return {-kMaxLogRatio, 0.0};
  if (log_ratio > kMaxLogRatio) return {kMaxLogRatio, 0.0};
  return {log_ratio, 1.0};
}

std::vector<LogRatio> log_ratios(RatioLevel level, std::span<const double> differences) {
  std::vector<LogRatio> ratios(differences.size());
  if (level == RatioLevel::Token) {
    std::transform(differences.begin(), differences.end(), ratios.begin(), clamped);
    return ratios;
  }
  double sum = std::accumulate(differences.begin(), differences.end(), 0.0);
  if (level != RatioLevel::SequenceSum) sum /= static_cast<double>(differences.size());
  std::fill(ratios.begin(), ratios.end(), clamped(sum));
  return ratios;
}

void chain_log_ratios(RatioLevel level, std::span<const LogRatio> ratios, std::span<double> d) {
  for (std::size_t t = 0; t < d.size(); ++t)
    d[t] *= ratios[t].slope;
  if (level == RatioLevel::Token || level == RatioLevel::SequenceToken) return;
  double all = std::accumulate(d.begin(), d.end(), 0.0);
  if (level == RatioLevel::Sequence) all /= static_cast<double>(d.size());
  std::fill(d.begin(), d.end(), all);
}

}  // namespace aha
