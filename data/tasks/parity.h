#pragma once
#include <string>
#include <vector>

#include "data/tasks/generated_task.h"

namespace aha {

/// Parity of a row of bits, with a mixture of long and short answers (after Tsilivis et al.,
/// arXiv:2510.11495): short answers cannot be learnt, long ones can, and RL finds that out.
///
///   prompt  b1 b2 ... bd |
///   long    c1 c2 ... cd = y      running parities, c1 = b1, ci = c(i-1) xor bi
///   short   = y
///
/// A written trace is long with probability `long_fraction`; its label is always right.
/// Fields: question, bits, answer ("0" or "1"), completion.
class ParityTask final : public GeneratedTask {
 public:
  explicit ParityTask(const TaskOptions& options);

  std::string ideal(const Json& row) const override;  ///< the long trace
  std::vector<std::string> vocabulary() const override;
  std::string reward() const override { return "parity"; }

  /// Counts: answered (ends "= y"), long (answers after as many running parities as bits), running
  /// (parities stated, d at most), slips (those that are not the one before xor the bit).
  BehaviourCounts behaviour(const Json& row, std::string_view completion) const override;

  /// answered, long_traces (per completion), slips (per stated running parity).
  std::map<std::string, double> behaviour_rates(const BehaviourCounts& sums,
                                                std::int64_t completions) const override;

 protected:
  Json draw(Split split, RandomStream& random) const override;

 private:
  TaskOptions options_;
};

}  // namespace aha
