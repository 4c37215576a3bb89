#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rewards/scorer.h"
#include "rollout/engine.h"
#include "trainer/comm/communicator.h"
#include "trainer/optim/trained_weights.h"

namespace aha {

/// What groups are sampled and scored with.
struct SamplingTools {
  Engine& engine;
  Scorer& scorer;
  Communicator& comm;
  TrainedWeights* weights = nullptr;  ///< of a job, whose ranks may divide them; null: they are whole
};

/// Groups of a rollout and what it took, on all ranks together but for the times, which are the own.
struct SampledGroups {
  std::vector<Group> groups;           ///< scored, in the order of the requests
  std::int64_t completion_tokens = 0;  ///< sampled in all
  double rollout_s = 0;
  double reward_s = 0;  ///< scoring beside which nothing was decoded
};

/// Samples and scores one group for each request, on all ranks: each takes the next request from a queue
/// when it has room for it, and in the end every rank has every group. A sample depends on its key alone,
/// so who took what changes nothing. Collective; requests are the same on every rank.
///
/// Token records of the whole batch are on every rank (about 25 bytes a token): all that follows is then the
/// same pure function everywhere, with no second, distributed form of it.
///
/// Nothing when `cancelled` said so on any rank. NotFinite as require_finite.
std::optional<SampledGroups> sample_groups(const SamplingTools& tools,
                                           std::span<const GroupRequest> requests,
                                           const SamplingParams& params, std::int64_t version,
                                           const std::function<bool()>& cancelled = {});

/// NotFinite, naming the first prompt, when a sample was drawn from probabilities that are not numbers:
/// such weights give every completion the same worth, so that no loss would ever say so.
void require_finite(std::span<const Group> groups);

}  // namespace aha
