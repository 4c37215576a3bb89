#include "trainer/kernels/truncate.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace aha {
namespace {

using Ids = std::vector<std::int64_t>;

/// Leaves the `count` heaviest of ids, heaviest first. False weights (NaN) have been left out.
void sort_heaviest(const float* weights, Ids& ids, std::size_t count) {
  const auto heavier = [&](std::int64_t a, std::int64_t b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : a < b;
  };
  if (count < ids.size())
    std::nth_element(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                     heavier);
  std::sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, ids.size())),
            heavier);
}

double sum_of(const float* weights, const Ids& ids) {
  double sum = 0;
  for (const auto id : ids)
    sum += static_cast<double>(weights[id]);
  return sum;
}

/// Keeps the heaviest ids until their share reaches top_p. Few are sorted when few are enough.
void keep_top_p(const float* weights, Ids& ids, double top_p) {
  const double wanted = top_p * sum_of(weights, ids);
  for (std::size_t sorted = 64;; sorted *= 8) {
    sort_heaviest(weights, ids, sorted);
    double sum = 0;
    const std::size_t end = std::min(sorted, ids.size());
    for (std::size_t i = 0; i < end; ++i) {
      sum += static_cast<double>(weights[ids[i]]);
      if (sum >= wanted) return ids.resize(i + 1);
    }
    if (end == ids.size()) return;
  }
}

}  // namespace

std::int64_t truncated_draw(const float* weights, std::int64_t n, double uniform,
                            const Truncation& truncation) {
  thread_local Ids ids;
  ids.clear();
  for (std::int64_t id = 0; id < n; ++id)
    if (weights[id] > 0) ids.push_back(id);
  if (ids.empty()) return 0;
  if (truncation.top_k > 0 && static_cast<std::size_t>(truncation.top_k) < ids.size()) {
    sort_heaviest(weights, ids, static_cast<std::size_t>(truncation.top_k));
    ids.resize(static_cast<std::size_t>(truncation.top_k));
    std::sort(ids.begin(), ids.end());
  }
  if (truncation.top_p < 1.0F) keep_top_p(weights, ids, static_cast<double>(truncation.top_p));
  if (truncation.min_p > 0.0F) {
    float heaviest = 0;
    for (const auto id : ids)
      heaviest = std::max(heaviest, weights[id]);
    std::erase_if(ids, [&](auto id) { return weights[id] < truncation.min_p * heaviest; });
  }
  std::sort(ids.begin(), ids.end());
  const double target = uniform * sum_of(weights, ids);
  double sum = 0;
  for (const auto id : ids) {
    sum += static_cast<double>(weights[id]);
    if (sum > target) return id;
  }
  return ids.back();
}

}  // namespace aha
