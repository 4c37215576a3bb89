#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/tasks/generated_task.h"

namespace aha {

/// The problem as a user asks it; `operators` are some of "+-*/".
std::string countdown_question(const std::vector<std::int64_t>& nums, std::int64_t target,
                               std::string_view operators);

/// Countdown in natural text, for models with a tokenizer of their own: min_numbers to max_numbers
/// numbers in [1, max_number], each to be used exactly once, to reach a target in [1, 99]. A
/// problem is made from a random expression over whole numbers (no step leaves [1, 9999]), so it
/// always has a solution.
///
/// Fields: question, nums, target, answer (an expression), completion (the solution worked out step
/// by step between think tags, then between answer tags).
class CountdownTask final : public GeneratedTask {
 public:
  explicit CountdownTask(const TaskOptions& options);

  std::string ideal(const Json& row) const override;
  std::vector<std::string> vocabulary() const override { return {}; }
  std::string reward() const override { return "countdown"; }

  /// Counts: answered (an answer tag that closes), equations ("a op b = c" over whole numbers),
  /// slips (those of them that are false).
  BehaviourCounts behaviour(const Json& row, std::string_view completion) const override;

  /// answered, equations (per completion), slips (per equation).
  std::map<std::string, double> behaviour_rates(const BehaviourCounts& sums,
                                                std::int64_t completions) const override;

 protected:
  Json draw(Split split, RandomStream& random) const override;

 private:
  TaskOptions options_;
};

}  // namespace aha
