#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/types/group.h"
#include "trainer/metrics/step_metrics.h"

namespace aha {

/// Counts words and phrases of a list in texts: the "aha moment" as a number (DeepSeek-R1,
/// arXiv:2501.12948, extended data figure 1: words of reflection over training).
///
/// A word counts where it stands by itself: neither neighbour is an ASCII letter, digit or `_`
/// (other bytes, such as those of “ ” — or of CJK text, are no part of a word). ASCII letters match
/// in either case. A space in an entry matches any run of white space. Where several entries begin
/// at one place the longest counts, and counting goes on behind it, so no letter is counted twice.
/// An entry may hold or end in punctuation ("wait,").
///
/// Time is linear in the text for a fixed list. Immutable after construction.
class ReflectionWords {
 public:
  /// UserError when an entry is empty or white space.
  explicit ReflectionWords(std::span<const std::string> words);

  /// Occurrences in `text`, all entries together.
  std::int64_t count(std::string_view text) const;

 private:
  std::vector<std::string> words_;  ///< lower case, white space runs as one ' ', longest first
};

/// reflection/{share, per_completion, per_1k_tokens, wait, accuracy_with, accuracy_without} over
/// all completions' texts; accuracies over those that are judged (and NaN before scoring).
MetricValues reflection_metrics(std::span<const Group> groups, const ReflectionWords& words);

}  // namespace aha
