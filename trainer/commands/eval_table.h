#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "trainer/core/json.h"
#include "trainer/metrics/step_metrics.h"

namespace aha {

/// What `aha eval` found on one set.
struct MeasuredSet {
  std::string name;
  std::int64_t prompts = 0;
  std::int64_t samples = 0;  ///< a prompt
  MetricValues values;       ///< under bare names

  /// {"set", "prompts", "samples", then every metric}.
  OrderedJson json() const;
};

/// A line a set: accuracy with its 95 % interval, greedy accuracy, pass@k and maj@k where they were
/// measured, mean length in tokens, share of truncated completions.
///
///   set         prompts  samples  accuracy         pass@4  maj@4  length  truncated
///   svamp_test      100        4  0.420 +- 0.081    0.710  0.510    63.1      3.5 %
///   (+-: 95 % interval, problems as the unit)
///
/// "-" is a mean over nothing.
std::string eval_table(std::span<const MeasuredSet> sets);

}  // namespace aha
