#include "data/sampler.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "tests/support/catch.h"

using namespace aha;  // NOLINT

namespace {

std::vector<std::int64_t> rows_of(const std::vector<Draw>& draws) {
  std::vector<std::int64_t> rows;
  rows.reserve(draws.size());
  for (const auto& draw : draws)
    rows.push_back(draw.row);
  return rows;
}

bool is_permutation_of_rows(std::vector<std::int64_t> rows) {
  std::sort(rows.begin(), rows.end());
  std::vector<std::int64_t> all(rows.size());
  std::iota(all.begin(), all.end(), 0);
  return rows == all;
}

}  // namespace

TEST_CASE("sampler: every epoch holds every row once, in an order of its own",
          "[sampler][property]") {
  const std::int64_t rows = GENERATE(1, 2, 3, 4, 5, 7, 16, 17, 64, 100, 1000, 4097);
  Sampler sampler({.rows = rows, .seed = 3});
  std::set<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 4; ++epoch) {
    const auto order = rows_of(sampler.next(rows));
    CHECK(is_permutation_of_rows(order));
    orders.insert(order);
  }
  if (rows >= 16) CHECK(orders.size() == 4);
  CHECK(sampler.epoch() == 4.0);
}

TEST_CASE("sampler: batches that cross an epoch, and resuming, change nothing",
          "[sampler][property]") {
  Sampler whole({.rows = 37, .seed = 11, .stage = 2});
  const auto all = whole.next(200);
  Sampler parts({.rows = 37, .seed = 11, .stage = 2});
  std::vector<Draw> pieces;
  for (const std::int64_t size : {5, 0, 60, 1, 34}) {
    const auto batch = parts.next(size);
    pieces.insert(pieces.end(), batch.begin(), batch.end());
  }
  Sampler resumed({.rows = 37, .seed = 11, .stage = 2});
  resumed.set_cursor(parts.cursor());
  const auto rest = resumed.next(100);
  pieces.insert(pieces.end(), rest.begin(), rest.end());
  CHECK(rows_of(pieces) == rows_of(all));
  for (std::size_t i = 0; i < pieces.size(); ++i)
    CHECK(pieces[i].ordinal == i);
}

TEST_CASE("sampler: seed and stage change the order", "[sampler]") {
  const auto order = [](std::uint64_t seed, std::uint32_t stage) {
    Sampler sampler({.rows = 100, .seed = seed, .stage = stage});
    return rows_of(sampler.next(100));
  };
  CHECK(order(1, 0) == order(1, 0));
  CHECK(order(1, 0) != order(2, 0));
  CHECK(order(1, 0) != order(1, 1));
}

TEST_CASE("sampler: without shuffling rows come in order; endless rows are the ordinals",
          "[sampler]") {
  Sampler in_order({.rows = 3, .shuffle = false});
  CHECK(rows_of(in_order.next(7)) == std::vector<std::int64_t>{0, 1, 2, 0, 1, 2, 0});
  Sampler endless({.rows = std::nullopt, .seed = 5});
  endless.set_cursor(1000);
  CHECK(rows_of(endless.next(3)) == std::vector<std::int64_t>{1000, 1001, 1002});
  CHECK(endless.epoch() == 0.0);
}

TEST_CASE("sampler: no row and no order is preferred", "[sampler][property]") {
  // 24 orders of 4 rows, 24,000 epochs: each is expected 1000 times with a deviation of 31.
  Sampler sampler({.rows = 4, .seed = 1});
  std::map<std::vector<std::int64_t>, int> counts;
  for (int epoch = 0; epoch < 24000; ++epoch)
    ++counts[rows_of(sampler.next(4))];
  CHECK(counts.size() == 24);
  for (const auto& [order, count] : counts)
    CHECK(std::abs(count - 1000) < 150);

  // The first row of an epoch over 10 rows: chi-squared with 9 degrees of freedom, 0.999
  // quantile 27.9.
  Sampler ten({.rows = 10, .seed = 1});
  std::vector<double> first(10, 0.0);
  for (int epoch = 0; epoch < 10000; ++epoch)
    first[static_cast<std::size_t>(ten.next(10)[0].row)] += 1;
  double chi_squared = 0;
  for (const double count : first)
    chi_squared += (count - 1000) * (count - 1000) / 1000;
  CHECK(chi_squared < 27.9);
}
