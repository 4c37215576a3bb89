#pragma once
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "trainer/run/stage.h"

namespace aha {

/// Scored groups of one step, in ordinal order, and what it took to get them.
struct Collected {
  std::vector<Group> groups;           ///< P
  std::int64_t drawn_groups = 0;       ///< sampled in all; more than P when groups were refilled
  std::int64_t zero_variance = 0;      ///< of the drawn ones
  std::int64_t completion_tokens = 0;  ///< sampled in all
  double rollout_s = 0;
  double reward_s = 0;
};

/// True when the rewards of a group differ, so that it has something to teach.
bool has_spread(const Group& group);

/// Draws the next P prompts, samples G completions of each and scores every group as soon as it is
/// done. With objective.zero_variance_groups = refill (DAPO's dynamic sampling, arXiv:2503.14476,
/// section 3.2) groups without spread are replaced by further draws, up to max_resample_batches times P;
/// what is then missing is filled with the last groups that have none, and that is logged.
/// Collective; the same on every rank, but for the times.
/// Nothing when `cancelled` said so on any rank: the sampler's cursor is then where it was.
std::optional<Collected> collect(Stage& stage, const std::function<bool()>& cancelled);

}  // namespace aha
