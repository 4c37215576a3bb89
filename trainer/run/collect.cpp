#include "trainer/run/collect.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "trainer/core/clock.h"
#include "trainer/run/update.h"

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
  const auto start = Clock::now();
  double reward_s = 0;
  const auto score = [&](Group& group) {
    const auto begin = Clock::now();
    stage.scorer->score_group(group, stage.settings.rollout.max_completion_length);
    reward_s += seconds_since(begin);
  };
  auto groups = stage.engine.generate(requests, rollout_params(stage), stage.optimizer.updates(),
                                      score, cancelled);
  if (groups.empty()) return std::nullopt;
  require_finite(groups);
  totals.rollout_s += seconds_since(start) - reward_s;
  totals.reward_s += reward_s;
  totals.completion_tokens += stage.engine.last_stats().completion_tokens;
  totals.drawn_groups += static_cast<std::int64_t>(groups.size());
  return groups;
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

void require_finite(std::span<const Group> groups) {
  for (const auto& group : groups)
    for (const auto& completion : group.completions)
      if (std::any_of(completion.logprobs.begin(), completion.logprobs.end(),
                      [](float logprob) { return !std::isfinite(logprob); }))
        throw NotFinite(
            fmt::format("the model's probabilities after row {} of {} ('{}') are not finite: its "
                        "weights hold NaN or Inf, or lead there",
                        group.prompt.row, group.prompt.source, group.prompt.text.substr(0, 60)));
}

std::optional<Collected> collect(Stage& stage, const std::function<bool()>& cancelled) {
  const auto& objective = stage.settings.objective;
  const std::int64_t wanted = stage.settings.train.prompts_per_step;
  const bool refill = objective.zero_variance_groups == "refill";
  const std::uint64_t cursor = stage.sampler.cursor();
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
