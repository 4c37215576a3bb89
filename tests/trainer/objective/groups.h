#pragma once
#include <optional>
#include <vector>

#include "trainer/objective/advantage.h"
#include "trainer/objective/batch.h"

namespace aha_test {

/// A group with these total rewards; each completion has `length` sampled tokens.
inline aha::Group group_of(const std::vector<std::optional<double>>& totals, std::size_t length = 3,
                           std::uint64_t ordinal = 0) {
  aha::Group group;
  group.ordinal = ordinal;
  for (const auto& total : totals) {
    auto& completion = group.completions.emplace_back();
    completion.index = static_cast<std::int64_t>(group.completions.size()) - 1;
    completion.ids.assign(length, 1);
    completion.sampled.assign(length, 1);
    auto& score = group.scores.emplace_back();
    score.total = total;
    score.parts.push_back({total, {}, {}, 0});
  }
  return group;
}

/// k ones and n - k zeros.
inline aha::Group binary_group(int k, int n) {
  std::vector<std::optional<double>> totals;
  totals.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    totals.emplace_back(i < k ? 1.0 : 0.0);
  return group_of(totals);
}

/// Every completion of every group, in order.
inline std::vector<aha::SampleRef> all_samples(const std::vector<aha::Group>& groups) {
  std::vector<aha::SampleRef> samples;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t c = 0; c < groups[g].completions.size(); ++c)
      samples.push_back({g, c});
  return samples;
}

}  // namespace aha_test
