#include "trainer/objective/advantage.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trainer/core/error.h"
#include "trainer/objective/moments.h"

namespace aha {
namespace {

constexpr double kWhitenEpsilon = 1e-8;  // on the variance

using Values = std::vector<std::vector<double>>;  // [P][G]
using Judged = std::vector<std::size_t>;          // completions of a group that have a total

std::int64_t sampled_tokens(const Completion& completion) {
  return std::count_if(completion.sampled.begin(), completion.sampled.end(),
                       [](auto s) { return s != 0; });
}

/// The step's rewards and what estimators do to them. Groups are visited by ordinal: sums over the
/// batch then do not depend on the order in which groups were finished.
class Estimator {
 public:
  Estimator(const AdvantageInputs& inputs, const ObjectiveConfig& objective)
      : inputs_(inputs), objective_(objective), ddof_(static_cast<double>(objective.std_ddof)) {
    const auto& groups = inputs_.groups;
    order_.resize(groups.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return groups[a].ordinal < groups[b].ordinal;
    });
    judged_.resize(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto& scores = groups[g].scores;
      values_.emplace_back(groups[g].completions.size(), 0.0);
      check(scores.size() == values_[g].size(), "every completion has a score");
      for (std::size_t c = 0; c < scores.size(); ++c)
        if (scores[c].total) judged_[g].push_back(c);
    }
  }

  Advantages result() {
    const auto& name = objective_.advantage_estimator;
    const bool with_kl = !inputs_.log_ratio_ref.empty();
    if (with_kl && name == "gdpo")
      fail("objective.kl_in is reward, which gdpo has no place for; set it to loss");
    if (with_kl && name == "reinforce_pp") return reinforce_pp_tokens();
    set_rewards();
    if (name == "gdpo")
      gdpo();
    else if (name == "group_norm")
      group_norm();
    else if (name == "rloo")
      rloo();
    else if (name == "reinforce_pp")
      whiten(judged_);
    else if (name == "reinforce_pp_baseline")
      reinforce_pp_baseline();
    else if (name == "opo")
      opo();
    else if (name == "max_rl")
      max_rl();
    else
      check(false,
            "advantage_estimator is group_norm, rloo, reinforce_pp, "
            "reinforce_pp_baseline, gdpo, opo or max_rl");
    return finish();
  }

 private:
  /// r, less beta * sum_t k1 where KL is in the reward.
  void set_rewards() {
    for (std::size_t g = 0; g < judged_.size(); ++g)
      for (const std::size_t c : judged_[g]) {
        values_[g][c] = *inputs_.groups[g].scores[c].total;
        if (!inputs_.log_ratio_ref.empty()) values_[g][c] -= objective_.beta * sum_k1(g, c);
      }
  }

  double sum_k1(std::size_t g, std::size_t c) const {
    const auto& sampled = inputs_.groups[g].completions[c].sampled;
    const auto& k1 = inputs_.log_ratio_ref[g][c];
    double sum = 0;
    for (std::size_t t = 0; t < sampled.size(); ++t)
      if (sampled[t] != 0) sum += k1[t];
    return sum;
  }

  std::vector<double> gathered(const std::vector<Judged>& judged) const {
    std::vector<double> all;
    for (const std::size_t g : order_)
      for (const std::size_t c : judged[g])
        all.push_back(values_[g][c]);
    return all;
  }

  std::vector<double> of_group(std::size_t g) const {
    std::vector<double> values;
    for (const std::size_t c : judged_[g])
      values.push_back(values_[g][c]);
    return values;
  }

  /// values = (values - mean) * scale, exactly 0 in a flat group.
  void center(std::size_t g, const Moments& m, double scale) {
    for (const std::size_t c : judged_[g])
      values_[g][c] = m.flat ? 0.0 : (values_[g][c] - m.mean) * scale;
  }

  double inverse_std(const Moments& m) const {
    return 1.0 / (std::sqrt(m.variance) + objective_.std_epsilon);
  }

  void group_norm() {
    const auto& how = objective_.scale_rewards;
    const double batch = how == "batch" ? inverse_std(moments(gathered(judged_), ddof_)) : 1.0;
    for (std::size_t g = 0; g < judged_.size(); ++g) {
      const Moments m = moments(of_group(g), ddof_);
      center(g, m, how == "group" ? inverse_std(m) : batch);
    }
  }

  /// A_i = r_i - mean of the others = n / (n - 1) (r_i - mean); scale_rewards "batch": z-score over the batch.
  void rloo() {
    for (std::size_t g = 0; g < judged_.size(); ++g) {
      const auto n = static_cast<double>(judged_[g].size());
      center(g, moments(of_group(g), ddof_), n / std::max(n - 1.0, 1.0));
    }
    if (objective_.scale_rewards == "batch") z_score();
  }

  /// Over the batch; what carries no information (flat groups) stays exactly 0.
  void z_score() {
    const std::vector<Judged> judged = not_alone();
    const Moments m = moments(gathered(judged), ddof_);
    for (std::size_t g = 0; g < judged.size(); ++g) {
      const auto& values = values_[g];
      if (std::all_of(values.begin(), values.end(), [](double v) { return v == 0; })) continue;
      center(g, m, inverse_std(m));
    }
  }

  /// Judged completions of groups in which at least two are.
  std::vector<Judged> not_alone() const {
    std::vector<Judged> judged = judged_;
    for (auto& completions : judged)
      if (completions.size() < 2) completions.clear();
    return judged;
  }

  void reinforce_pp_baseline() {
    for (std::size_t g = 0; g < judged_.size(); ++g)
      center(g, moments(of_group(g), ddof_), 1.0);
    whiten(not_alone());
  }

  /// Whitens a value per completion over all tokens of the batch that carry it.
  void whiten(const std::vector<Judged>& judged) {
    std::vector<double> lengths;
    for (const std::size_t g : order_)
      for (const std::size_t c : judged[g])
        lengths.push_back(static_cast<double>(sampled_tokens(inputs_.groups[g].completions[c])));
    const Moments m = moments(gathered(judged), lengths, ddof_);
    for (std::size_t g = 0; g < judged.size(); ++g)
      for (const std::size_t c : judged[g])
        values_[g][c] =
            m.flat ? 0.0 : (values_[g][c] - m.mean) / std::sqrt(m.variance + kWhitenEpsilon);
  }

  /// Token reward -beta k1_t, and r at the last sampled token; return to go; whitened over all tokens.
  Advantages reinforce_pp_tokens() {
    std::vector<double> all;
    std::vector<std::vector<std::vector<double>>> returns(judged_.size());
    for (const std::size_t g : order_) {
      returns[g].resize(values_[g].size());
      for (const std::size_t c : judged_[g]) {
        returns[g][c] = returns_to_go(g, c);
        all.insert(all.end(), returns[g][c].begin(), returns[g][c].end());
      }
    }
    const Moments m = moments(all, ddof_);
    Advantages result;
    result.tokens.resize(judged_.size());
    for (std::size_t g = 0; g < judged_.size(); ++g)
      for (std::size_t c = 0; c < values_[g].size(); ++c) {
        const auto& sampled = inputs_.groups[g].completions[c].sampled;
        auto& tokens = result.tokens[g].emplace_back(sampled.size(), 0.0F);
        double sum = 0;
        std::size_t next = 0;
        for (std::size_t t = 0; t < sampled.size() && !returns[g][c].empty(); ++t) {
          if (sampled[t] == 0) continue;
          const double value =
              m.flat ? 0.0
                     : (returns[g][c][next] - m.mean) / std::sqrt(m.variance + kWhitenEpsilon);
          ++next;
          sum += value;
          tokens[t] = static_cast<float>(value);
        }
        values_[g][c] = next == 0 ? 0.0 : sum / static_cast<double>(next);
      }
    result.values = finish().values;
    return result;
  }

  /// Of the sampled tokens alone.
  std::vector<double> returns_to_go(std::size_t g, std::size_t c) const {
    const auto& sampled = inputs_.groups[g].completions[c].sampled;
    const auto& k1 = inputs_.log_ratio_ref[g][c];
    double running = *inputs_.groups[g].scores[c].total;
    std::vector<double> returns;
    for (std::size_t t = sampled.size(); t-- > 0;) {
      if (sampled[t] == 0) continue;
      running -= objective_.beta * k1[t];
      returns.push_back(running);
    }
    std::reverse(returns.begin(), returns.end());
    return returns;
  }

  /// sum_k weight_k (r_k - mean_G r_k) / (std_G r_k + eps), then z-score over the batch.
  void gdpo() {
    for (auto& group : values_)
      std::fill(group.begin(), group.end(), 0.0);
    for (std::size_t g = 0; g < judged_.size(); ++g)
      for (std::size_t k = 0; k < inputs_.weights.size(); ++k)
        if (inputs_.weights[k] != 0) add_normalized_part(g, k);
    z_score();
  }

  /// A reward that is not for this group's source has no score here and adds nothing.
  void add_normalized_part(std::size_t g, std::size_t k) {
    Judged judged;
    std::vector<double> scores;
    for (const std::size_t c : judged_[g]) {
      const auto& score = inputs_.groups[g].scores[c].parts[k].score;
      if (!score) continue;
      judged.push_back(c);
      scores.push_back(*score);
    }
    const Moments m = moments(scores, ddof_);
    for (std::size_t i = 0; i < scores.size() && !m.flat; ++i)
      values_[g][judged[i]] += inputs_.weights[k] * (scores[i] - m.mean) * inverse_std(m);
  }

  /// Baseline: the length-weighted mean reward.
  void opo() {
    for (std::size_t g = 0; g < judged_.size(); ++g) {
      std::vector<double> lengths;
      for (const std::size_t c : judged_[g])
        lengths.push_back(static_cast<double>(sampled_tokens(inputs_.groups[g].completions[c])));
      Moments m = moments(of_group(g), ddof_);
      if (!m.flat) m.mean = moments(of_group(g), lengths, ddof_).mean;
      center(g, m, 1.0);
    }
  }

  /// (r - mean) / mean for rewards >= 0; a group whose mean is not above 0 teaches nothing.
  void max_rl() {
    for (std::size_t g = 0; g < judged_.size(); ++g) {
      const Moments m = moments(of_group(g), ddof_);
      center(g, m, m.mean <= 0 ? 0.0 : 1.0 / m.mean);
    }
  }

  Advantages finish() const {
    Advantages result;
    for (const auto& group : values_) {
      auto& row = result.values.emplace_back();
      for (const double value : group)
        row.push_back(static_cast<float>(value));
    }
    return result;
  }

  const AdvantageInputs& inputs_;
  const ObjectiveConfig& objective_;
  double ddof_;
  std::vector<std::size_t> order_;  // groups by ordinal
  std::vector<Judged> judged_;      // [P]
  Values values_;
};

}  // namespace

Advantages advantages(const AdvantageInputs& inputs, const ObjectiveConfig& objective) {
  return Estimator(inputs, objective).result();
}

}  // namespace aha
