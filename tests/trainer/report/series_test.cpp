#include "trainer/report/series.h"

#include <algorithm>
#include <cmath>

#include "tests/support/catch.h"

using namespace aha;

namespace {

Series wave(std::size_t n) {
  Series series;
  for (std::size_t i = 0; i < n; ++i) {
    series.steps.push_back(static_cast<double>(i));
    series.values.push_back(std::sin(static_cast<double>(i) / 50));
  }
  return series;
}

}  // namespace

TEST_CASE("downsampled: a spike of one step stays, and so do both ends", "[report]") {
  Series series = wave(10000);
  series.values[6543] = 100;
  series.values[1234] = -100;
  const Series out = downsampled(series, 400);
  CHECK(out.size() <= 400);
  CHECK(out.steps.front() == 0);
  CHECK(out.steps.back() == 9999);
  CHECK(*std::max_element(out.values.begin(), out.values.end()) == 100);
  CHECK(*std::min_element(out.values.begin(), out.values.end()) == -100);
  const auto at = std::find(out.steps.begin(), out.steps.end(), 6543.0);
  REQUIRE(at != out.steps.end());
  CHECK(out.values[static_cast<std::size_t>(at - out.steps.begin())] == 100);
}

TEST_CASE("downsampled: every point is one of the series, in its order, once", "[report]") {
  const Series series = wave(5001);
  const Series out = downsampled(series, 301);
  for (std::size_t i = 0; i < out.size(); ++i) {
    CHECK(out.values[i] == series.values[static_cast<std::size_t>(out.steps[i])]);
    if (i > 0) CHECK(out.steps[i] > out.steps[i - 1]);
  }
}

TEST_CASE("downsampled: each bucket keeps its own lowest and highest value", "[report]") {
  const Series series = wave(1002);
  const Series out = downsampled(series, 102);  // 50 buckets of 20 steps
  for (int bucket = 0; bucket < 50; ++bucket) {
    const auto begin = series.values.begin() + 1 + 20 * bucket;
    for (const double extreme :
         {*std::min_element(begin, begin + 20), *std::max_element(begin, begin + 20)})
      CHECK(std::find(out.values.begin(), out.values.end(), extreme) != out.values.end());
  }
}

TEST_CASE("downsampled: short, flat and empty series are kept whole", "[report]") {
  CHECK(downsampled(wave(100), 100).values == wave(100).values);
  CHECK(downsampled(Series(), 100).empty());
  Series flat = wave(1000);
  std::fill(flat.values.begin(), flat.values.end(), 2.0);
  const Series out = downsampled(flat, 50);
  CHECK(out.first() == 2.0);
  CHECK(out.steps.back() == 999);
}

TEST_CASE("series: rows in any order are sorted, the later of two at one step stays", "[report]") {
  Series series;
  series.steps = {3, 1, 2, 1};
  series.values = {30, 10, 20, 11};
  series.nulls = 4;
  series.settle();
  CHECK(series.steps == std::vector<double>{1, 2, 3});
  CHECK(series.values == std::vector<double>{11, 20, 30});
  CHECK(series.nulls == 4);
}

TEST_CASE("first_mean, last_mean: mean and standard error of a window", "[report]") {
  Series series;
  for (int i = 0; i < 20; ++i) {
    series.steps.push_back(i);
    series.values.push_back(i);
  }
  const auto first = first_mean(series, 0.1, 4);  // 0 1 2 3: mean 1.5, sd sqrt(5/3), error sd / 2
  CHECK(first.count == 4);
  CHECK(first.mean == Approx(1.5));
  CHECK(first.standard_error == Approx(0.6454972243679028));
  CHECK(last_mean(series, 0.5, 4).mean == Approx(14.5));
  CHECK(last_mean(Series(), 0.5, 4).count == 0);
}

TEST_CASE("thinned: what lies between the points is beside them, so that means stay means",
          "[report]") {
  Series zero_or_one;  // one of nine
  for (int i = 0; i < 9000; ++i) {
    zero_or_one.steps.push_back(i);
    zero_or_one.values.push_back(i % 9 == 4 ? 1.0 : 0.0);
  }
  const Series* const runs[] = {&zero_or_one};
  const Curve curve = thinned(runs, 1200)[0];
  REQUIRE(curve.shown.size() <= 1200);
  REQUIRE(curve.means.size() == curve.shown.size());
  REQUIRE(curve.counts.size() == curve.shown.size());
  CHECK(curve.recorded == 9000);
  double sum = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < curve.means.size(); ++i) {
    sum += curve.means[i] * static_cast<double>(curve.counts[i]);
    count += curve.counts[i];
  }
  CHECK(count == 9000);
  CHECK(sum == Approx(1000));
  const Series whole = wave(1200);
  const Series* const short_run[] = {&whole};
  CHECK(thinned(short_run, 1200)[0].means.empty());
  CHECK(thinned(short_run, 1200)[0].shown.values == whole.values);
}

TEST_CASE("thinned: seeds of one metric show the same steps, each with its own extremes",
          "[report]") {
  std::vector<Series> seeds(3, wave(5000));
  for (std::size_t run = 0; run < seeds.size(); ++run)
    for (std::size_t i = 0; i < 5000; ++i)
      seeds[run].values[i] += std::sin(static_cast<double>((run + 7) * i));
  seeds[1].values[1234] = 100;
  seeds[2].steps.resize(1000);  // ended early: shorter than the limit
  seeds[2].values.resize(1000);
  const std::vector<const Series*> runs{&seeds[0], &seeds[1], &seeds[2]};
  const auto curves = thinned(runs, 1200);
  CHECK(curves[0].shown.size() <= 1200);
  CHECK(curves[0].shown.steps == curves[1].shown.steps);
  const auto& all = curves[0].shown.steps;
  const auto& early = curves[2].shown.steps;
  CHECK(std::vector<double>(all.begin(), std::lower_bound(all.begin(), all.end(), 1000.0)) ==
        early);
  for (std::size_t run = 0; run < seeds.size(); ++run) {
    const auto& values = curves[run].shown.values;
    CHECK(*std::max_element(values.begin(), values.end()) ==
          *std::max_element(seeds[run].values.begin(), seeds[run].values.end()));
  }
}
