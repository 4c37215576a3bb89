#pragma once
#include <string_view>

#include "trainer/config/schema.h"

namespace aha {

/// The policy term of one token's loss, by objective.policy_loss, with r the ratio and A the advantage:
///
///   clip   -min(min(r, delta) A, clip(r, 1 - epsilon, 1 + epsilon_high) A), without delta r itself
///          with dual_clip c and A < 0: at most -c A            PPO arXiv:1707.06347 eq. 7, arXiv:1912.09729 eq. 5
///   cispo  -sg(clip(r, is_cap_low, is_cap_high)) A lp          MiniMax-M1 arXiv:2506.13585 eq. 4
///   sapo   -sigmoid(tau (r - 1)) 4 / tau A, tau by A's sign    arXiv:2511.20347
///   gpg    -A lp                                               arXiv:2504.02546
///   gmpo   of a whole completion: -A exp(mean_t u_t), u_t = log r_t clipped at gmpo_clip on the side that
///          A rewards (A > 0: from above, A < 0: from below)    arXiv:2507.20673 eq. 5
enum class PolicyLossKind { Clip, Cispo, Sapo, Gpg, Gmpo };

/// InternalError for an unknown name (the configuration is checked when read).
PolicyLossKind policy_loss_kind(std::string_view name);

struct SurrogateTerm {
  double loss = 0;
  double d_log_ratio = 0;  ///< through the ratio
  double d_logprob = 0;    ///< directly
  bool low = false;        ///< A < 0 and the ratio below its lower bound
  bool high = false;       ///< A > 0 and the ratio above its upper bound (cispo: its cap)
};

/// One token's term; not for gmpo. `log_ratio` is finite.
SurrogateTerm surrogate(PolicyLossKind kind, const ObjectiveConfig& objective, double log_ratio,
                        double logprob, double advantage);

/// gmpo's u_t and its derivative with respect to the log-ratio, in `loss` and `d_log_ratio`.
SurrogateTerm gmpo_factor(const ObjectiveConfig& objective, double log_ratio, double advantage);

}  // namespace aha
