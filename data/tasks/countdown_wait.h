#pragma once
#include <string>
#include <vector>

#include "data/tasks/generated_task.h"

namespace aha {

/// Countdown with guess, check and "wait": the toy on which self-correction can be seen to grow.
///
/// A problem is three numbers in [1, max_number] and a target that one legal attempt reaches; an
/// attempt is (a o b) o' c over all three numbers, with both results in [0, 99]. In words of the
/// task's own vocabulary:
///
///   prompt      n1 n2 n3 target |
///   attempt     a o b r o' c t [ok|no]       r = a o b and t = r o' c as stated
///   completion  attempt (wait attempt)* => a o b o' c
///
/// A written trace draws attempts uniformly from the legal ones, stops at a hit, goes on after a
/// miss with `wait_probability` (at most `max_attempts` attempts) and else gives up with a wrong
/// answer: reflection is in it, but rare. With `verdict` each attempt is followed by ok or no,
/// always right. A sum or difference is never multiplied: without parentheses the answer would mean
/// another number.
///
/// Fields: question, nums, target, answer (a right expression), completion (the trace; it may be
/// wrong). The end-of-text token is not part of it.
class CountdownWaitTask final : public GeneratedTask {
 public:
  explicit CountdownWaitTask(const TaskOptions& options);

  std::string ideal(const Json& row) const override;
  std::vector<std::string> vocabulary() const override;
  std::string reward() const override { return "countdown_wait"; }

  /// Counts: waits (the word, anywhere), attempts (well-formed), malformed (other stretches between
  /// waits), hits and misses (attempts whose stated t is, is not, the target), waits_after_hit,
  /// waits_after_miss, verdicts, verdicts_right, slips (attempts that state a false result),
  /// illegal (attempts with other numbers than the given ones), answered, gave_up (answers after a
  /// miss).
  BehaviourCounts behaviour(const Json& row, std::string_view completion) const override;

  /// waits, attempts (per completion), verdict_accuracy (of verdicts), p_wait_given_miss,
  /// p_wait_given_hit, verification_gap (their difference), slips, illegal (per attempt), gave_up
  /// (per completion).
  std::map<std::string, double> behaviour_rates(const BehaviourCounts& sums,
                                                std::int64_t completions) const override;

 protected:
  Json draw(Split split, RandomStream& random) const override;

 private:
  struct Attempt {
    std::int64_t a = 0, b = 0, c = 0;  ///< in the order of use
    char first = '+', second = '+';
    std::int64_t result = 0;  ///< a first b
    std::int64_t total = 0;   ///< result second c
  };
  struct Problem {
    std::vector<std::int64_t> nums;
    std::vector<Attempt> legal;
    Attempt solution;
    std::string identity() const;
  };
  std::vector<Attempt> legal_attempts(const std::vector<std::int64_t>& nums) const;
  std::string attempt_text(const Attempt& attempt, std::int64_t target) const;
  static std::string expression(const Attempt& attempt);

  TaskOptions options_;
};

}  // namespace aha
