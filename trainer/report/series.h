#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aha {

/// One metric over the steps of a stage, where it has a value. Steps ascend.
struct Series {
  std::vector<double> steps;
  std::vector<double> values;
  std::int64_t nulls = 0;  ///< rows that name the metric without a value

  std::size_t size() const { return steps.size(); }
  bool empty() const { return steps.empty(); }
  double first() const { return values.front(); }
  double last() const { return values.back(); }
  /// Sorts by step. Of two values at one step the later in the file stays.
  void settle();
};

/// At most about `points` of a series, and every extreme among them: the steps are cut into equal
/// buckets, and of each its lowest and its highest value stay, where they are; so do the first and
/// the last point. Values are never averaged: what is shown is in the file. A series that is no
/// longer than `points` stays as it is.
Series downsampled(const Series& series, std::size_t points);

/// A curve as a page draws it. Thinned, it has beside each point what was left out: `means` and `counts` are of
/// the values behind the point before it, up to and with this one. Of a whole curve they are empty.
struct Curve {
  Series shown;
  std::vector<double> means;
  std::vector<std::int64_t> counts;
  std::size_t recorded = 0;  ///< values of the series
};

/// Curves of one metric of several runs, with about `points` each. Where one of them is longer, all are thinned
/// together: each keeps its own extremes (of stretches that are longer the more runs there are), and its values
/// at the steps that any other keeps. So runs that have values at the same steps show the same steps.
std::vector<Curve> thinned(std::span<const Series* const> runs, std::size_t points);

/// Mean and standard error of a part of a series.
struct WindowMean {
  double mean = 0;
  double standard_error = 0;
  std::size_t count = 0;
};

/// Of the first (or last) `share` of the values, at least `least` of them if there are so many.
WindowMean first_mean(const Series& series, double share, std::size_t least);
WindowMean last_mean(const Series& series, double share, std::size_t least);

}  // namespace aha
