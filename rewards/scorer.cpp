#include "rewards/scorer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

#include "rewards/correctness.h"
#include "rewards/proportion.h"
#include "rewards/registry.h"
#include "rewards/row_doubt.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::string_view kLate = "not scored within";

bool is_late(const RewardPart& part) {
  return !part.score && part.reason.starts_with(kLate);
}

std::vector<WeightedReward> rewards_of(const RewardSection& section,
                                       const std::string& answer_field) {
  std::vector<WeightedReward> rewards;
  for (const auto& function : section.functions) {
    auto options = function.options;
    if (reward_info(function.name).has_option("answer_field"))
      options.emplace("answer_field", answer_field);
    rewards.push_back(
        {function.name, function.weight, function.sources, make_reward(function.name, options)});
  }
  return rewards;
}

std::vector<std::string> unique_names(std::span<const WeightedReward> rewards) {
  std::vector<std::string> names;
  for (const auto& weighted : rewards) {
    auto name = weighted.name;
    for (int n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n)
      name = fmt::format("{}_{}", weighted.name, n);
    names.push_back(name);
  }
  return names;
}

}  // namespace

std::string_view given_text(const Prompt& prompt) {
  std::string_view text = prompt.text;
  if (text.ends_with(prompt.prefill)) text.remove_suffix(prompt.prefill.size());
  return text;
}

Scorer::Scorer(const RewardSection& section, const std::string& answer_field)
    : Scorer(rewards_of(section, answer_field),
             {section.accuracy, section.threads, section.timeout_s, section.max_unjudged,
              answer_field}) {}

Scorer::Scorer(std::vector<WeightedReward> rewards, const ScorerOptions& options)
    : rewards_(std::move(rewards)),
      names_(unique_names(rewards_)),
      timeout_s_(options.timeout_s),
      max_unjudged_(options.max_unjudged),
      answer_field_(options.answer_field) {
  if (rewards_.empty()) fail("reward.functions is empty: name at least one reward");
  for (const auto& weighted : rewards_) {
    if (!std::isfinite(weighted.weight))
      fail("reward '{}': the weight is {}, expected a number", weighted.name, weighted.weight);
  }
  if (!(options.timeout_s > 0))
    fail("reward.timeout_s is {}, expected a number above 0", options.timeout_s);
  if (options.threads < 0 || options.threads > 4096)
    fail("reward.threads is {}, expected 0 (all cores) to 4096", options.threads);
  if (!options.accuracy.empty()) {
    const auto found = std::find(names_.begin(), names_.end(), options.accuracy);
    if (found == names_.end())
      fail("reward.accuracy names '{}', which is not one of the rewards {}", options.accuracy,
           join_list(names_));
    accuracy_ = static_cast<std::size_t>(found - names_.begin());
  }
  if (!(options.max_unjudged >= 0 && options.max_unjudged <= 1))
    fail("reward.max_unjudged is {}, expected a share from 0 to 1", options.max_unjudged);
  const auto threads = options.threads > 0 ? static_cast<int>(options.threads) : available_cores();
  pool_ = std::make_unique<ThreadPool>(std::max(threads, static_cast<int>(concurrency())));
}

bool Scorer::applies(std::size_t reward, std::string_view source) const {
  const auto& sources = rewards_[reward].sources;
  return sources.empty() || std::find(sources.begin(), sources.end(), source) != sources.end();
}

bool Scorer::waits() const {
  return std::any_of(rewards_.begin(), rewards_.end(),
                     [](const WeightedReward& weighted) { return weighted.reward->waits(); });
}

void Scorer::reach() const {
  for (const auto& weighted : rewards_)
    weighted.reward->reach();
}

std::int64_t Scorer::concurrency() const {
  std::int64_t most = 0;
  for (const auto& weighted : rewards_)
    most = std::max(most, weighted.reward->concurrency());
  return most;
}

std::optional<std::size_t> Scorer::accuracy_part(std::string_view source) const {
  if (accuracy_) return accuracy_;
  for (std::size_t i = 0; i < rewards_.size(); ++i) {
    if (applies(i, source) && rewards_[i].reward->is_verifier()) return i;
  }
  return std::nullopt;
}

bool Scorer::compares_with_gold(std::string_view source) const {
  const auto part = accuracy_part(source);
  return part && rewards_[*part].reward->is_verifier() &&
         reward_info(rewards_[*part].name).has_option("answer_field");
}

std::optional<std::string> Scorer::gold_problem(const Json& row, std::string_view source) const {
  bool any = false;
  for (std::size_t i = 0; i < rewards_.size(); ++i) {
    if (!applies(i, source)) continue;
    any = true;
    if (auto problem = why_unjudgeable(*rewards_[i].reward, row, answer_field_))
      return fmt::format("{}: {}", names_[i], *problem);
  }
  if (!any) return fmt::format("no reward is for source '{}'", source);
  return std::nullopt;
}

std::optional<std::string> Scorer::row_doubt(const Json& row, std::string_view source) const {
  for (std::size_t i = 0; i < rewards_.size(); ++i) {
    const auto* doubts = dynamic_cast<const DoubtsRows*>(rewards_[i].reward.get());
    if (doubts == nullptr || !applies(i, source)) continue;
    if (const auto doubt = doubts->row_doubt(row)) return fmt::format("{}: {}", names_[i], *doubt);
  }
  return std::nullopt;
}

Score Scorer::score(const Attempt& attempt, std::string_view source) const {
  return score_until(attempt, source, std::nullopt);
}

Score Scorer::score_until(const Attempt& attempt, std::string_view source,
                          Deadline deadline) const {
  Score score;
  for (std::size_t i = 0; i < rewards_.size(); ++i) {
    auto& part = score.parts.emplace_back();
    if (!applies(i, source)) {
      part.reason = kNotForSource;
    } else if (deadline && rewards_[i].reward->waits() &&
               std::chrono::steady_clock::now() >= *deadline) {
      part.reason = fmt::format("{} {} s (reward.timeout_s)", kLate, timeout_s_);
    } else {
      part = in_proportion(rewards_[i].reward->score(attempt));
    }
  }
  total_up(score, source);
  return score;
}

void Scorer::total_up(Score& score, std::string_view source) const {
  double total = 0.0;
  bool any = false;
  bool judged = true;
  for (std::size_t i = 0; i < rewards_.size(); ++i) {
    if (!applies(i, source)) continue;
    any = true;
    const auto& part = score.parts[i].score;
    if (part) total += rewards_[i].weight * *part;
    if (!part && rewards_[i].weight != 0.0) judged = false;
  }
  if (any && judged && std::isfinite(total)) score.total = total;
  if (const auto accuracy = accuracy_part(source)) score.accuracy = score.parts[*accuracy].score;
}

void Scorer::score_groups(std::span<Group> groups, std::int64_t max_completion_length,
                          std::string_view purpose) {
  struct Place {
    Group* group;
    std::size_t completion;
    std::int64_t shortest;
    std::int64_t longest;
  };
  std::vector<Place> places;
  for (auto& group : groups) {
    group.scores.assign(group.completions.size(), {});
    if (group.completions.empty()) continue;
    const auto [shortest, longest] = std::minmax_element(
        group.completions.begin(), group.completions.end(),
        [](const Completion& a, const Completion& b) { return a.length() < b.length(); });
    for (std::size_t i = 0; i < group.completions.size(); ++i)
      places.push_back({&group, i, shortest->length(), longest->length()});
  }

  // A day is as good as for ever, and keeps the sum within the clock's range.
  const std::chrono::duration<double> budget(std::min(timeout_s_, 86400.0));
  const Deadline deadline = std::chrono::steady_clock::now() +
                            std::chrono::duration_cast<std::chrono::steady_clock::duration>(budget);
  std::atomic<std::int64_t> late{0};
  pool_->run(std::ssize(places), [&](std::int64_t piece) {
    const auto& [group, index, shortest, longest] = places[static_cast<std::size_t>(piece)];
    const auto& completion = group->completions[index];
    const auto id = fmt::format("{}{}.{}", purpose, group->ordinal, index);
    const Attempt attempt{.prompt = given_text(group->prompt),
                          .completion = completion.text,
                          .row = group->prompt.fields,
                          .ids = completion.ids,
                          .length = completion.length(),
                          .truncated = completion.truncated(),
                          .max_completion_length = max_completion_length,
                          .group_shortest = shortest,
                          .group_longest = longest,
                          .id = id};
    auto& score = group->scores[index];
    score = score_until(attempt, group->prompt.source, deadline);
    late += std::any_of(score.parts.begin(), score.parts.end(), is_late) ? 1 : 0;
  });
  if (late > 0) {
    spdlog::warn("{} of {} completions were not scored within {} s (reward.timeout_s)", late.load(),
                 places.size(), timeout_s_);
  }
}

/// What one reward could not judge.
struct Scorer::Count {
  std::int64_t all = 0;  ///< completions that it is meant for
  std::int64_t unjudged = 0;
  std::map<std::string, std::int64_t> reasons;

  void add(const Count& other) {
    all += other.all;
    unjudged += other.unjudged;
    for (const auto& [reason, count] : other.reasons)
      reasons[reason] += count;
  }
  std::string text(const std::string& name) const {
    const auto most =
        std::max_element(reasons.begin(), reasons.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return fmt::format("reward '{}' could not judge {} of {} completions; {} of them: {}", name,
                       unjudged, all, most->second, most->first);
  }
};

std::vector<Scorer::Count> Scorer::counts(std::span<const Group> groups) const {
  std::vector<Count> counts(rewards_.size());
  for (const auto& group : groups)
    for (const auto& score : group.scores)
      for (std::size_t i = 0; i < rewards_.size(); ++i) {
        if (!applies(i, group.prompt.source)) continue;
        ++counts[i].all;
        if (score.parts[i].score) continue;
        ++counts[i].unjudged;
        ++counts[i].reasons[score.parts[i].reason];
      }
  return counts;
}

void Scorer::say_unjudged(std::span<const Group> groups) const {
  const auto all = counts(groups);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].unjudged > 0) spdlog::warn("{}", all[i].text(names_[i]));
}

void Scorer::require_judged(std::span<const Group> groups, std::span<const Group> more) const {
  auto all = counts(groups);
  const auto others = counts(more);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].add(others[i]);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto most = max_unjudged_ * static_cast<double>(all[i].all);
    if (rewards_[i].weight != 0 && static_cast<double>(all[i].unjudged) > most)
      throw Unjudged(fmt::format("{} (more than reward.max_unjudged, {})", all[i].text(names_[i]),
                                 max_unjudged_));
  }
}

void Scorer::score_group(Group& group, std::int64_t max_completion_length,
                         std::string_view purpose) {
  score_groups({&group, 1}, max_completion_length, purpose);
}

}  // namespace aha
