#include "trainer/metrics/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double mean(std::span<const double> values) {
  if (values.empty()) return kNan;
  double sum = 0;
  for (const double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

/// n - 1 in the denominator; NaN below two values.
double sample_std(std::span<const double> values) {
  if (values.size() < 2) return kNan;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values)
    squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double ratio(std::size_t part, std::size_t whole) {
  return whole == 0 ? kNan : static_cast<double>(part) / static_cast<double>(whole);
}

double smallest(std::span<const double> values) {
  return values.empty() ? kNan : *std::min_element(values.begin(), values.end());
}

double largest(std::span<const double> values) {
  return values.empty() ? kNan : *std::max_element(values.begin(), values.end());
}

void require_scores(std::span<const Group> groups) {
  for (const auto& group : groups)
    check(group.scores.size() == group.completions.size(), "every completion has a score");
}

/// Judged and right completions of one prompt.
struct Tally {
  std::int64_t judged = 0;
  std::int64_t correct = 0;
};

Tally tally(const Group& group) {
  Tally sums;
  for (const auto& score : group.scores) {
    const auto correct = is_correct(score);
    if (correct) ++sums.judged;
    if (correct.value_or(false)) ++sums.correct;
  }
  return sums;
}

std::vector<double> totals(const Group& group) {
  std::vector<double> values;
  for (const auto& score : group.scores)
    if (score.total) values.push_back(*score.total);
  return values;
}

/// TRL's torch.isclose(std, 0): absolute tolerance 1e-8. A group of one has no std and counts as
/// equal; one with fewer than two judged completions among several has std NaN there, which is not
/// close to 0.
bool has_zero_std(const Group& group, std::span<const double> judged) {
  return group.completions.size() == 1 || sample_std(judged) <= 1e-8;
}

/// Of the first k samples; nothing when the prompt does not count.
std::optional<bool> majority_is_correct(const Group& group, std::size_t k, std::size_t part) {
  if (group.scores.size() < k || tally(group).judged == 0) return std::nullopt;
  std::vector<std::string_view> answers;
  for (const auto& score : std::span(group.scores).first(k)) {
    check(part < score.parts.size(), "the accuracy reward is one of the parts");
    answers.emplace_back(is_correct(score) ? score.parts[part].extracted : std::string_view());
  }
  const auto chosen = majority_answer(answers);
  return chosen && is_correct(group.scores[*chosen]).value_or(false);
}

double mean_pass_at_k(std::span<const Group> groups, std::int64_t k) {
  std::vector<double> chances;
  for (const auto& group : groups) {
    const auto [judged, correct] = tally(group);
    if (judged >= k) chances.push_back(pass_at_k(judged, correct, k));
  }
  return mean(chances);
}

double mean_majority(std::span<const Group> groups, std::int64_t k, std::size_t part) {
  std::vector<double> right;
  for (const auto& group : groups)
    if (const auto correct = majority_is_correct(group, static_cast<std::size_t>(k), part))
      right.push_back(*correct ? 1.0 : 0.0);
  return mean(right);
}

}  // namespace

std::optional<bool> is_correct(const Score& score) {
  if (!score.accuracy) return std::nullopt;
  return *score.accuracy > 0.5;
}

MetricValues length_metrics(std::span<const Group> groups) {
  std::vector<double> all, terminated, correct, wrong;
  for (const auto& group : groups) {
    for (std::size_t i = 0; i < group.completions.size(); ++i) {
      const auto& completion = group.completions[i];
      const auto length = static_cast<double>(completion.length());
      all.push_back(length);
      if (!completion.truncated()) terminated.push_back(length);
      if (i >= group.scores.size()) continue;
      if (const auto right = is_correct(group.scores[i]))
        (*right ? correct : wrong).push_back(length);
    }
  }
  const std::size_t cut = all.size() - terminated.size();
  if (terminated.empty() && !all.empty()) terminated.push_back(0.0);  // as TRL
  return {{"completions/mean_length", mean(all)},
          {"completions/min_length", smallest(all)},
          {"completions/max_length", largest(all)},
          {"completions/clipped_ratio", ratio(cut, all.size())},
          {"completions/mean_terminated_length", mean(terminated)},
          {"completions/min_terminated_length", smallest(terminated)},
          {"completions/max_terminated_length", largest(terminated)},
          {"completions/mean_length_correct", mean(correct)},
          {"completions/mean_length_wrong", mean(wrong)}};
}

MetricValues reward_metrics(std::span<const Group> groups, std::span<const std::string> names) {
  require_scores(groups);
  std::vector<double> judged;
  std::vector<std::vector<double>> parts(names.size());
  std::size_t completions = 0;
  std::size_t in_equal_groups = 0;
  for (const auto& group : groups) {
    const auto rewards = totals(group);
    completions += group.completions.size();
    if (has_zero_std(group, rewards)) in_equal_groups += group.completions.size();
    judged.insert(judged.end(), rewards.begin(), rewards.end());
    for (const auto& score : group.scores) {
      check(score.parts.size() == names.size(), "a score has one part for each reward");
      for (std::size_t f = 0; f < names.size(); ++f)
        if (score.parts[f].score) parts[f].push_back(*score.parts[f].score);
    }
  }
  MetricValues values = {{"reward", mean(judged)},
                         {"reward_std", sample_std(judged)},
                         {"frac_reward_zero_std", ratio(in_equal_groups, completions)}};
  for (std::size_t f = 0; f < names.size(); ++f) {
    values.emplace_back("rewards/" + names[f] + "/mean", mean(parts[f]));
    values.emplace_back("rewards/" + names[f] + "/std", sample_std(parts[f]));
  }
  values.emplace_back("unjudged_ratio", ratio(completions - judged.size(), completions));
  return values;
}

MetricValues accuracy_metrics(std::span<const Group> groups,
                              std::span<const std::int64_t> pass_at_k,
                              std::optional<std::size_t> accuracy_part) {
  require_scores(groups);
  MetricValues values = {{"accuracy", mean_accuracy(groups)}};
  for (const auto k : pass_at_k) {
    check(k >= 1, "k is at least 1");
    values.emplace_back(fmt::format("pass@{}", k), mean_pass_at_k(groups, k));
    if (accuracy_part)
      values.emplace_back(fmt::format("maj@{}", k), mean_majority(groups, k, *accuracy_part));
  }
  return values;
}

double mean_accuracy(std::span<const Group> groups) {
  Tally all;
  for (const auto& group : groups) {
    const auto one = tally(group);
    all.judged += one.judged;
    all.correct += one.correct;
  }
  if (all.judged == 0) return kNan;
  return static_cast<double>(all.correct) / static_cast<double>(all.judged);
}

double accuracy_stderr(std::span<const Group> groups) {
  const double accuracy = mean_accuracy(groups);
  double squares = 0;
  double judged = 0;
  double prompts = 0;
  for (const auto& group : groups) {
    const auto one = tally(group);
    if (one.judged == 0) continue;
    const double residual =
        static_cast<double>(one.correct) - accuracy * static_cast<double>(one.judged);
    squares += residual * residual;
    judged += static_cast<double>(one.judged);
    ++prompts;
  }
  if (prompts < 2) return kNan;
  return std::sqrt(prompts / (prompts - 1) * squares) / judged;
}

double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k) {
  check(0 <= c && c <= n && 1 <= k && k <= n, "0 <= c <= n and 1 <= k <= n");
  if (n - c < k) return 1.0;
  double none = 1.0;  // C(n - c, k) / C(n, k) as a product: the binomials overflow
  for (auto i = n - c + 1; i <= n; ++i)
    none *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1.0 - none;
}

std::optional<std::size_t> majority_answer(std::span<const std::string_view> answers) {
  std::unordered_map<std::string_view, std::size_t> votes;
  for (const auto answer : answers)
    ++votes[answer];
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (!answers[i].empty() && (!best || votes[answers[i]] > votes[answers[*best]])) best = i;
  return best;
}

std::int64_t token_count(std::span<const Group> groups) {
  std::int64_t tokens = 0;
  for (const auto& group : groups)
    for (const auto& completion : group.completions)
      tokens += static_cast<std::int64_t>(group.prompt.ids.size()) + completion.length();
  return tokens;
}

double rollout_entropy(std::span<const Group> groups) {
  double sum = 0;
  std::int64_t count = 0;
  for (const auto& group : groups) {
    for (const auto& completion : group.completions) {
      check(completion.entropies.size() == completion.sampled.size(), "an entropy for each token");
      for (std::size_t t = 0; t < completion.sampled.size(); ++t) {
        if (completion.sampled[t] == 0) continue;
        sum += static_cast<double>(completion.entropies[t]);
        ++count;
      }
    }
  }
  return count == 0 ? kNan : sum / static_cast<double>(count);
}

void LogpGap::add(std::span<const float> rollout, std::span<const float> training) {
  check(rollout.size() == training.size(), "both sides have every token");
  for (std::size_t t = 0; t < rollout.size(); ++t) {
    const double gap = static_cast<double>(training[t]) - static_cast<double>(rollout[t]);
    sum_ += std::abs(gap);
    if (std::isnan(gap) || std::abs(gap) > max_) max_ = std::abs(gap);  // a NaN stays
    kl_sum_ += std::expm1(gap) - gap;
  }
  count_ += static_cast<std::int64_t>(rollout.size());
}

void LogpGap::add(const LogpGap& other) {
  count_ += other.count_;
  sum_ += other.sum_;
  if (std::isnan(other.max_) || other.max_ > max_) max_ = other.max_;
  kl_sum_ += other.kl_sum_;
}

MetricValues LogpGap::metrics() const {
  if (count_ == 0)
    return {{"sampling/sampling_logp_difference/mean", kNan},
            {"sampling/sampling_logp_difference/max", kNan},
            {"mismatch_kl", kNan}};
  const auto count = static_cast<double>(count_);
  return {{"sampling/sampling_logp_difference/mean", sum_ / count},
          {"sampling/sampling_logp_difference/max", max_},
          {"mismatch_kl", kl_sum_ / count}};
}

}  // namespace aha
