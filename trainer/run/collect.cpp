#include "trainer/run/collect.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "trainer/run/sample_groups.h"

namespace aha {
namespace {

std::vector<GroupRequest> requests_for(const Stage& stage, const std::vector<Draw>& draws) {
  std::vector<GroupRequest> requests;
  requests.reserve(draws.size());
  for (const auto& draw : draws)
    requests.push_back({stage.data.train->prompt(draw.row), draw.ordinal,
                        stage.settings.rollout.num_generations, 0});
  return requests;
}

/// Samples and scores one batch of draws; nothing when cancelled.
std::optional<std::vector<Group>> sample(Stage& stage, std::int64_t count,
                                         const std::function<bool()>& cancelled,
                                         Collected& totals) {
  const auto requests = requests_for(stage, stage.sampler.next(count));
  auto sampled =
      sample_groups({stage.engine, *stage.scorer, stage.comm, stage.policy.weights.get()}, requests,
                    rollout_params(stage), stage.optimizer.updates(), cancelled);
  if (!sampled) return std::nullopt;
  totals.rollout_s += sampled->rollout_s;
  totals.reward_s += sampled->reward_s;
  totals.completion_tokens += sampled->completion_tokens;
  totals.drawn_groups += static_cast<std::int64_t>(sampled->groups.size());
  return std::move(sampled->groups);
}

}  // namespace

bool has_spread(const Group& group) {
  std::optional<double> first;
  for (const auto& score : group.scores) {
    if (!score.total) continue;
    if (first && *first != *score.total) return true;
    first = score.total;
  }
  return false;
}

std::optional<Collected> collect(Stage& stage, const std::function<bool()>& cancelled) {
  const auto& objective = stage.settings.objective;
  const std::int64_t wanted = stage.settings.train.prompts_per_step;
  const bool refill = objective.zero_variance_groups == "refill";
  const std::uint64_t cursor = stage.sampler.cursor();
  const Phase phase(stage.comm, "rollout", stage.global_step + 1);
  Collected collected;
  std::vector<Group> idle;  // without spread, in ordinal order
  while (static_cast<std::int64_t>(collected.groups.size()) < wanted) {
    const auto missing = wanted - static_cast<std::int64_t>(collected.groups.size());
    if (collected.drawn_groups >=
        wanted * std::max<std::int64_t>(1, objective.max_resample_batches))
      break;
    auto groups = sample(stage, missing, cancelled, collected);
    if (!groups) {
      stage.sampler.set_cursor(cursor);
      return std::nullopt;
    }
    for (auto& group : *groups) {
      const bool spread = has_spread(group);
      if (!spread) ++collected.zero_variance;
      (spread || !refill ? collected.groups : idle).push_back(std::move(group));
    }
    stage.scorer->require_judged(collected.groups, idle);
  }
  const auto missing = wanted - static_cast<std::int64_t>(collected.groups.size());
  if (missing > 0) {
    spdlog::warn(
        "{} of {} prompts still had no spread in their rewards after {} draws; they fill "
        "the step without teaching it anything",
        missing, wanted, collected.drawn_groups);
    std::move(idle.end() - missing, idle.end(), std::back_inserter(collected.groups));
    std::sort(collected.groups.begin(), collected.groups.end(),
              [](const Group& a, const Group& b) { return a.ordinal < b.ordinal; });
  }
  return collected;
}

}  // namespace aha
