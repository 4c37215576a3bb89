#pragma once
#include <span>
#include <string_view>
#include <vector>

namespace aha {

/// The level at which the policy's ratio to the old policy is taken (lp and lp_old over the tokens that
/// count, n of them):
///
///   token           log r_t = lp_t - lp_old_t
///   sequence        log s = mean_t(lp_t - lp_old_t), one ratio for all tokens      GSPO, arXiv:2507.18071 eq. 7
///   sequence_token  the value of s, the derivative of token t alone                GSPO-token, eq. 14
///   sequence_sum    log s = sum_t(lp_t - lp_old_t): grows with length              RLOO, arXiv:2402.14740
enum class RatioLevel { Token, Sequence, SequenceToken, SequenceSum };

/// By objective.importance_sampling_level. InternalError for another name.
RatioLevel ratio_level(std::string_view name);

/// A log-ratio held within [-20, 20] before its exponential; `slope` is 0 where it was held back, else 1.
struct LogRatio {
  double value = 0;
  double slope = 1;
};
LogRatio clamped(double log_ratio);

/// The ratio that the loss of each token uses. `differences` are lp - lp_old of the tokens that count.
std::vector<LogRatio> log_ratios(RatioLevel level, std::span<const double> differences);

/// Turns d loss / d log-ratio of each token's loss into d loss / d lp of each token, in place.
void chain_log_ratios(RatioLevel level, std::span<const LogRatio> ratios, std::span<double> d);

}  // namespace aha
