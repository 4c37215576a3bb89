#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rewards/scorer.h"
#include "trainer/core/types/group.h"

namespace aha {

/// What samples of a policy look like to the rewards.
struct SampleCounts {
  std::int64_t completions = 0;
  std::int64_t truncated = 0;           ///< cut off at max_completion_length
  std::int64_t truncated_answered = 0;  ///< of these: an answer stands in them all the same
  std::int64_t answered = 0;            ///< the verifier found something to judge
  std::int64_t format_valid = 0;        ///< full marks of every format reward
  std::int64_t unjudged = 0;            ///< without a total
  std::int64_t judged = 0;              ///< by the verifier
  double tokens = 0;                    ///< of all completions
  double accuracy = 0;                  ///< sum over those that the verifier judged
  std::int64_t groups = 0;
  std::int64_t mixed = 0;  ///< rewards differ: only these teach
  std::int64_t all_right = 0;
  std::int64_t all_wrong = 0;
  bool has_format = false;
  bool has_verifier = false;

  double mean_accuracy() const { return judged == 0 ? 0 : accuracy / static_cast<double>(judged); }
  /// Whether the verifier says what it found: a scorer from outside need not.
  bool says_answers() const { return answered > 0 || accuracy == 0; }
};

/// The first completion of a scored group as a line, for a reader to see what the untrained policy writes.
std::string sample_line(const Group& group);

SampleCounts sample_counts(std::span<const Group> groups, const Scorer& scorer);

/// The shares, and what they advise before a run, a line each, with the numbers that say so: too hard
/// (most groups all wrong), too easy (most all right), the end of an answer missed (cut off with an
/// answer in it: an EOS or template mismatch), too short a limit (cut off without one), a format that
/// the prompt does not bring about. `max_completion_length` in tokens.
std::vector<std::string> sample_lines(const SampleCounts& counts,
                                      std::int64_t max_completion_length);

}  // namespace aha
