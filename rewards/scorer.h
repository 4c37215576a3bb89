#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/reward.h"
#include "trainer/config/schema.h"
#include "trainer/core/error.h"
#include "trainer/core/parallel.h"
#include "trainer/core/types/group.h"

namespace aha {

/// `reason` of a part whose reward is not meant for the row's source: its score is absent, and it
/// neither adds to the total nor leaves it open.
inline constexpr std::string_view kNotForSource = "not for this source";

/// A prompt's text without the prefill, which its completions begin with.
std::string_view given_text(const Prompt& prompt);

/// One reward with its share in the total.
struct WeightedReward {
  std::string name;
  double weight = 1.0;
  std::vector<std::string> sources;  ///< empty: every row
  std::unique_ptr<Reward> reward;
};

struct ScorerOptions {
  std::string accuracy;      ///< name of the accuracy reward; empty: the first verifier
  std::int64_t threads = 0;  ///< 0: all cores
  double timeout_s =
      10.0;  ///< > 0: of one call of score_group or score_groups, for rewards that wait
  double max_unjudged = 0.1;            ///< share of completions, in [0, 1]; see require_judged
  std::string answer_field = "answer";  ///< of a row, with its gold
};

/// A step must not be taken: too few of its completions were judged.
class Unjudged : public UserError {
 public:
  using UserError::UserError;
};

/// Scores completions with all rewards of a run.
///
///   total = sum of weight * score over the rewards that apply to the row's source
///
/// There is no total when one of these with a non-zero weight could not judge, or none applies.
/// Of rewards that wait for something outside, what is not asked within the time budget "cannot be
/// judged" (its reason says so, and the log counts it). All others bound their own work by its
/// amount: their scores depend on the completions alone, not on time, threads or order.
///
/// One call at a time: the scorer owns its team of threads. There are at least as many as may wait for what
/// is outside.
class Scorer {
 public:
  /// `answer_field` goes to rewards that have an option of this name which the section does not
  /// set. UserError: no functions, an unknown reward or option, a weight that is not finite, or an
  /// `accuracy` that is none of names().
  explicit Scorer(const RewardSection& section, const std::string& answer_field = "answer");
  Scorer(std::vector<WeightedReward> rewards, const ScorerOptions& options);

  /// The name of each reward, in the order of `parts`, for rewards/<name>/mean. The second of a
  /// name is NAME_2, and so on.
  const std::vector<std::string>& names() const { return names_; }
  double weight(std::size_t reward) const { return rewards_[reward].weight; }
  bool applies(std::size_t reward, std::string_view source) const;
  bool is_format(std::size_t reward) const { return rewards_[reward].reward->is_format(); }
  bool is_verifier(std::size_t reward) const { return rewards_[reward].reward->is_verifier(); }

  /// True if any reward waits for another process or machine.
  bool waits() const;
  /// Reward::reach of all.
  void reach() const;
  /// Of the rewards the largest: how many completions are with programs or machines outside at a time.
  std::int64_t concurrency() const;
  /// Completions that are scored at the same time.
  int threads() const { return pool_->threads(); }

  /// The part that is "accuracy" for rows of a source: the named one, else the first verifier that
  /// applies; nothing when there is none.
  std::optional<std::size_t> accuracy_part(std::string_view source) const;

  /// Whether "accuracy" is of a verifier that reads the gold in the answer field, so that the gold as the answer
  /// is right.
  bool compares_with_gold(std::string_view source) const;

  /// Why a row cannot be judged at all: "NAME: reason" (why_unjudgeable), or that no reward is for its source.
  std::optional<std::string> gold_problem(const Json& row, std::string_view source) const;

  /// Why judging a row tells nothing, though it can be judged: "NAME: reason" (DoubtsRows).
  std::optional<std::string> row_doubt(const Json& row, std::string_view source) const;

  /// One attempt, on the calling thread and without a time budget.
  Score score(const Attempt& attempt, std::string_view source) const;

  /// Fills `scores` of every completion. One time budget for all groups of a call. Attempt::id is
  /// `purpose` ORDINAL.INDEX: groups of equal ordinals have different purposes.
  void score_groups(std::span<Group> groups, std::int64_t max_completion_length,
                    std::string_view purpose = {});
  void score_group(Group& group, std::int64_t max_completion_length, std::string_view purpose = {});

  /// Says in the log which rewards could not judge how many of the completions that they are meant for, and
  /// the most frequent reason. Nothing where all were judged.
  void say_unjudged(std::span<const Group> groups) const;
  /// Unjudged when a reward that weighs something could not judge more than `max_unjudged` of the
  /// completions that it is meant for, those of `more` included.
  void require_judged(std::span<const Group> groups, std::span<const Group> more = {}) const;

 private:
  struct Count;
  /// Of each reward.
  std::vector<Count> counts(std::span<const Group> groups) const;
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  Score score_until(const Attempt& attempt, std::string_view source, Deadline deadline) const;
  void total_up(Score& score, std::string_view source) const;

  std::vector<WeightedReward> rewards_;
  std::vector<std::string> names_;
  std::optional<std::size_t> accuracy_;  ///< nothing: the first verifier that applies
  double timeout_s_;
  double max_unjudged_;
  std::string answer_field_;
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace aha
