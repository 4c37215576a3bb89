#include "trainer/report/series.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace aha {
namespace {

WindowMean mean_of(std::span<const double> values) {
  WindowMean window;
  window.count = values.size();
  if (values.empty()) return window;
  const auto n = static_cast<double>(values.size());
  window.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return window;
  double squares = 0;
  for (const double value : values)
    squares += (value - window.mean) * (value - window.mean);
  window.standard_error = std::sqrt(squares / (n - 1) / n);
  return window;
}

std::size_t window_size(const Series& series, double share, std::size_t least) {
  const auto wished =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(series.size())));
  return std::min(series.size(), std::max(wished, least));
}

/// The points of a series at these steps.
Curve curve_at(const Series& series, const std::set<double>& steps) {
  Curve curve;
  curve.recorded = series.size();
  curve.shown.nulls = series.nulls;
  double sum = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    sum += series.values[i];
    ++count;
    if (steps.count(series.steps[i]) == 0) continue;
    curve.shown.steps.push_back(series.steps[i]);
    curve.shown.values.push_back(series.values[i]);
    curve.means.push_back(sum / static_cast<double>(count));
    curve.counts.push_back(count);
    sum = 0;
    count = 0;
  }
  return curve;
}

}  // namespace

void Series::settle() {
  std::vector<std::size_t> order(size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return steps[a] < steps[b]; });
  Series sorted;
  sorted.nulls = nulls;
  for (const auto i : order) {
    if (!sorted.empty() && sorted.steps.back() == steps[i]) {
      sorted.values.back() = values[i];
      continue;
    }
    sorted.steps.push_back(steps[i]);
    sorted.values.push_back(values[i]);
  }
  *this = std::move(sorted);
}

Series downsampled(const Series& series, std::size_t points) {
  const std::size_t n = series.size();
  if (n <= points || points < 4) return series;
  Series out;
  out.nulls = series.nulls;
  const auto keep = [&](std::size_t i) {
    if (!out.empty() && out.steps.back() == series.steps[i]) return;
    out.steps.push_back(series.steps[i]);
    out.values.push_back(series.values[i]);
  };
  keep(0);
  const std::size_t buckets = (points - 2) / 2;
  const std::size_t inner = n - 2;
  for (std::size_t b = 0; b < buckets; ++b) {
    const auto begin = series.values.begin() + 1 + static_cast<std::ptrdiff_t>(b * inner / buckets);
    const auto end =
        series.values.begin() + 1 + static_cast<std::ptrdiff_t>((b + 1) * inner / buckets);
    if (begin == end) continue;
    const auto [low, high] = std::minmax_element(begin, end);
    const auto at_low = static_cast<std::size_t>(low - series.values.begin());
    const auto at_high = static_cast<std::size_t>(high - series.values.begin());
    keep(std::min(at_low, at_high));
    keep(std::max(at_low, at_high));
  }
  keep(n - 1);
  return out;
}

std::vector<Curve> thinned(std::span<const Series* const> runs, std::size_t points) {
  constexpr std::size_t kLeastOfARun = 8;
  std::vector<Curve> curves;
  const bool all_short =
      std::all_of(runs.begin(), runs.end(), [&](const Series* s) { return s->size() <= points; });
  if (all_short) {
    for (const Series* series : runs)
      curves.push_back({*series, {}, {}, series->size()});
    return curves;
  }
  std::set<double> steps;
  const std::size_t share = std::max(points / runs.size(), kLeastOfARun);
  for (const Series* series : runs) {
    const Series own = downsampled(*series, share);
    steps.insert(own.steps.begin(), own.steps.end());
  }
  for (const Series* series : runs)
    curves.push_back(curve_at(*series, steps));
  return curves;
}

WindowMean first_mean(const Series& series, double share, std::size_t least) {
  return mean_of(std::span(series.values).first(window_size(series, share, least)));
}

WindowMean last_mean(const Series& series, double share, std::size_t least) {
  return mean_of(std::span(series.values).last(window_size(series, share, least)));
}

}  // namespace aha
