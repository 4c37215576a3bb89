#include "trainer/optim/strict_gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.h"
#include "tests/trainer/comm/ranks.h"
#include "trainer/core/error.h"
#include "trainer/core/philox.h"

using namespace aha;

namespace {

Communicator alone;

/// Units of very different size: sums of floats would depend on their order.
std::vector<std::vector<float>> random_units(std::size_t count, std::size_t n) {
  std::vector<std::vector<float>> units(count, std::vector<float>(n));
  for (std::size_t u = 0; u < count; ++u)
    for (std::size_t i = 0; i < n; ++i)
      units[u][i] = static_cast<float>(normal({7, Purpose::Init, 0, i, u, 0}) *
                                       std::pow(10.0, static_cast<double>(u % 7) - 5.0));
  return units;
}

std::vector<float> sum_of(const std::vector<std::vector<float>>& units, const Exec& exec) {
  StrictGradient strict(cpu_ops(), static_cast<Index>(units.front().size()));
  for (const auto& unit : units)
    REQUIRE(strict.add(exec, unit.data()));
  std::vector<float> sum(units.front().size());
  strict.reduce(exec, alone, shards_of(static_cast<Index>(sum.size()), 1), sum.data());
  return sum;
}

}  // namespace

TEST_CASE("strict gradient: the sum has the same bits in any order and for any threads") {
  auto units = random_units(20, 40001);
  const auto expected = sum_of(units, {});
  for (int round = 0; round < 3; ++round) {
    std::rotate(units.begin(), units.begin() + 7, units.end());
    std::reverse(units.begin(), units.begin() + 11);
    ThreadPool pool(round + 1);
    CHECK(sum_of(units, {&pool}) == expected);
  }
}

TEST_CASE("strict gradient: the sum is the exact one, rounded at 2^-44 a unit and then to f32") {
  const auto units = random_units(20, 100);
  const auto sum = sum_of(units, {});
  for (std::size_t i = 0; i < sum.size(); ++i) {
    double exact = 0;
    for (const auto& unit : units)
      exact += unit[i];
    CHECK(sum[i] == Approx(exact).epsilon(1e-7).margin(20 * std::ldexp(0.5, -44)));
  }
}

TEST_CASE("strict gradient: a cleared sum is 0") {
  StrictGradient strict(cpu_ops(), 300);
  for (const auto& unit : random_units(3, 300))
    REQUIRE(strict.add({}, unit.data()));
  strict.clear();
  std::vector<float> sum(300, 1.0F);
  strict.reduce({}, alone, shards_of(static_cast<Index>(sum.size()), 1), sum.data());
  CHECK(sum == std::vector<float>(300, 0.0F));
}

TEST_CASE("strict gradient: values that are not finite and sums that overflow are found") {
  const float big = std::ldexp(1.0F, 18);  // 2^18 * 2^44 = 2^62
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(), 4 * big, -4 * big}) {
    StrictGradient strict(cpu_ops(), 40);
    std::vector<float> grads(40, 1.0F);
    grads[33] = bad;
    CHECK_FALSE(strict.add({}, grads.data()));
  }
  StrictGradient strict(cpu_ops(), 1);
  CHECK(strict.add({}, &big));
  CHECK_FALSE(strict.add({}, &big));
}

TEST_CASE("strict gradient: units dealt over ranks sum to the bits of one rank") {
  const std::int64_t n = 2 * kShardUnit + 5;
  const auto units = random_units(11, static_cast<std::size_t>(n));
  const auto expected = sum_of(units, {});
  for (const int ranks : {2, 3})
    on_ranks(ranks, [&](Communicator& comm) {
      StrictGradient strict(cpu_ops(), n);
      for (std::size_t u = 0; u < units.size(); ++u)
        if (static_cast<int>(u * 7 % 5) % comm.size() == comm.rank())
          check(strict.add({}, units[u].data()), "finite");
      const auto shards = shards_of(n, comm.size());
      std::vector<float> sum(static_cast<std::size_t>(n));
      strict.reduce({}, comm, shards, sum.data());
      const Slice own = shards[static_cast<std::size_t>(comm.rank())];
      for (auto i = own.begin; i < own.end; ++i)
        check(sum[static_cast<std::size_t>(i)] == expected[static_cast<std::size_t>(i)], "sum");
    });
}

TEST_CASE("strict gradient: sums that ranks together would overflow are found before") {
  StrictGradient strict(cpu_ops(), 1);
  const float large = 300000.0F;
  REQUIRE(strict.add({}, &large));
  CHECK(strict.leaves_room_for(1));
  CHECK_FALSE(strict.leaves_room_for(2));
}
