#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "data/tasks/task.h"
#include "trainer/core/philox.h"

namespace aha {

/// The class of a problem: a fixed hash of its identity (what makes it the same problem, whatever
/// the order or wording) puts a quarter of all problems into HeldOut. Neither seed nor count
/// enters.
Split split_of(std::string_view identity);

/// What all generators share: keys, and held-out rows that are distinct.
///
/// A train row is draw `index` of (seed, Train). Held-out rows are the draws 0, 1, 2, ... of
/// (seed, HeldOut) without those whose question occurred before, so an evaluation set holds no
/// question twice while there are new ones (then a new round begins). Rows are found in order and
/// remembered: a row costs nothing once it was asked for. Safe to use from several threads.
class GeneratedTask : public Task {
 public:
  Json row(Split split, std::uint64_t seed, std::uint64_t index) const final;

 protected:
  /// One row of `split` from `random`, by rejecting problems of the other class.
  virtual Json draw(Split split, RandomStream& random) const = 0;

  /// For constructors: one problem of each class, so that options without one fail at once.
  void require_both_splits() const;

 private:
  struct HeldOutRows {
    std::vector<std::uint64_t> draws;  ///< of row i
    std::unordered_set<std::uint64_t> seen;
    std::uint64_t next = 0;
    std::uint64_t repeats = 0;  ///< in a row
  };
  Json draw_at(Split split, std::uint64_t seed, std::uint64_t draw_index) const;
  std::uint64_t held_out_draw(std::uint64_t seed, std::uint64_t index) const;

  mutable std::mutex mutex_;
  mutable std::map<std::uint64_t, HeldOutRows> held_out_;  ///< by seed
};

/// Tries `problem(random)` until it returns one with split_of(identity) == split; UserError naming
/// `task` when 100,000 tries give none.
[[noreturn]] void fail_no_problem(std::string_view task, Split split);
template <class Problem>
auto drawn_of(Split split, std::string_view task, RandomStream& random, const Problem& problem) {
  for (int i = 0; i < 100000; ++i) {
    auto found = problem(random);
    if (found && split_of(found->identity()) == split) return *found;
  }
  fail_no_problem(task, split);
}

/// Makes the rates of a task out of its summed counts. A rate with no cases is left out.
class RateTable {
 public:
  explicit RateTable(const BehaviourCounts& sums) : sums_(sums) {}

  std::int64_t sum(const std::string& count) const;  ///< 0 when nothing was counted
  /// values[name] = sum(part) / whole.
  void rate(const std::string& name, const std::string& part, std::int64_t whole);

  std::map<std::string, double> values;

 private:
  const BehaviourCounts& sums_;
};

/// The white-space separated words of a completion.
std::vector<std::string_view> words_of(std::string_view text);

/// A whole number in [0, 10^9] written with digits alone.
std::optional<std::int64_t> number_of(std::string_view word);

/// Reads row[field] as a list of whole numbers; nothing when it is not one.
std::optional<std::vector<std::int64_t>> numbers_field(const Json& row, const char* field);

/// "9 4 3" of {9, 4, 3}.
std::string joined(const std::vector<std::int64_t>& numbers, std::string_view separator);

/// UserError when an option that `task` does not use was changed from its default. `used` names the
/// options it does use.
void refuse_unused(const std::string& task, const TaskOptions& options,
                   const std::vector<std::string>& used);

}  // namespace aha
