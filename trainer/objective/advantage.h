#pragma once
#include <span>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/core/types/group.h"

namespace aha {

/// What advantages are made of.
struct AdvantageInputs {
  std::span<const Group> groups;    ///< scored, [P]
  std::span<const double> weights;  ///< of the rewards, as Score::parts; gdpo uses them
  /// With kl_in "reward" or reinforce_pp and beta != 0: lp_old - lp_ref of each token, [P][G][T]; else empty.
  std::span<const std::vector<std::vector<float>>> log_ratio_ref;
};

struct Advantages {
  std::vector<std::vector<float>> values;  ///< [P][G]; with `tokens` the mean over the tokens
  /// [P][G][T] where the estimator tells tokens apart; else empty
  std::vector<std::vector<std::vector<float>>> tokens;
};

/// Advantages by objective.advantage_estimator (m: mean over the group's judged completions):
///
///   group_norm             (r - m) / (std + std_epsilon), std of the group, of the batch, or no division
///                          (scale_rewards); std_ddof                       arXiv:2402.03300, 2503.20783
///   rloo                   r - mean of the others; "batch": z-score after  arXiv:2402.14740
///   reinforce_pp           return to go of r and the KL rewards, whitened over the tokens of the batch:
///                          (x - mean) / sqrt(var + 1e-8)                   arXiv:2501.03262
///   reinforce_pp_baseline  r - m, whitened the same way
///   gdpo                   sum_k weight_k (r_k - m_k) / (std_k + std_epsilon), z-score over the batch
///   opo                    r - sum(length r) / sum(length)                 arXiv:2505.23585
///   max_rl                 (r - m) / m, 0 where m <= 0
///
/// With KL in the reward, r is the total less beta * sum_t (lp_old - lp_ref); reinforce_pp takes it token by
/// token. A completion without a total reward (it cannot be judged) is in no mean or std, and its advantage
/// is 0. Groups of equal rewards, and of one judged completion, give exactly 0 (save where the whole batch is
/// whitened: an equal group is there as far from the mean as it is). Arithmetic is in double, over the batch
/// in the order of ordinals. UserError for gdpo with KL in the reward.
Advantages advantages(const AdvantageInputs& inputs, const ObjectiveConfig& objective);

}  // namespace aha
