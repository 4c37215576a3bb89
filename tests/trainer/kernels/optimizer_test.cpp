#include <bit>
#include <cmath>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/support.h"

using namespace aha_test;
using aha::Index;

TEST_CASE("adamw: three updates equal the published formula in f64") {
  Random random(41);
  const Index n = 4099;
  const Floats start = random.normal(n);
  for (const auto* ops : tables()) {
    INFO(ops->name);
    Random gradients(42);
    Floats p = start;
    Floats m(at(n), 0.0F);
    Floats v(at(n), 0.0F);
    std::vector<double> P(start.begin(), start.end());
    std::vector<double> M(at(n), 0.0);
    std::vector<double> V(at(n), 0.0);
    for (int t = 1; t <= 3; ++t) {
      const Floats g = gradients.normal(n, 0.1F);
      ops->adamw({}, {p.data(), g.data(), m.data(), v.data(), n, t, 1e-2F, 0.9F, 0.95F, 1e-8F, 0.1F,
                      0.5F});
      for (std::size_t i = 0; i < at(n); ++i) {
        const double d = static_cast<double>(g[i]) * 0.5;
        M[i] = 0.9 * M[i] + 0.1 * d;
        V[i] = 0.95 * V[i] + 0.05 * d * d;
        const double update =
            (M[i] / (1 - std::pow(0.9, t))) / (std::sqrt(V[i] / (1 - std::pow(0.95, t))) + 1e-8);
        P[i] -= 1e-2 * (0.1 * P[i] + update);
      }
    }
    CHECK(gap(p, P) < 1e-6);
    CHECK(gap(m, M) < 1e-6);
    CHECK(gap(v, V) < 2e-6);
  }
}

TEST_CASE(
    "adamw: new values are rounded on the way as narrow rounds them, and said to be too large") {
  Random random(45);
  for (const auto* ops : tables())
    for (const auto type : {aha::FloatType::BF16, aha::FloatType::F16})
      for (const Index n : {1, 4096, 9001}) {
        INFO(ops->name << ", " << n);
        const Floats g = random.normal(n);
        const Floats start = random.normal(n);
        struct State {
          Floats p, m, v;
        };
        const auto update = [&](const Floats& p, std::vector<std::uint16_t>* bits) {
          State s{p, Floats(at(n), 0.1F), Floats(at(n), 0.2F)};
          std::int32_t too_large = 0;
          ops->adamw({}, {s.p.data(), g.data(), s.m.data(), s.v.data(), n, 2, 1e-2, 0.9, 0.95, 1e-8,
                          0.1, 0.5, bits == nullptr ? nullptr : bits->data(), type, &too_large});
          return std::pair(s, too_large);
        };
        std::vector<std::uint16_t> one_pass(at(n), 0xffff);
        std::vector<std::uint16_t> two_passes(at(n), 0xffff);
        const auto [with, fits] = update(start, &one_pass);
        const auto [without, none] = update(start, nullptr);
        CHECK(fits == 0);
        CHECK(same_bits(with.p, without.p));
        CHECK(same_bits(with.m, without.m));
        CHECK(same_bits(with.v, without.v));
        CHECK(ops->narrow({}, without.p.data(), n, type, two_passes.data()));
        CHECK(one_pass == two_passes);
        Floats large = start;
        large.back() = type == aha::FloatType::F16 ? 7e4F : 3.4e38F;
        CHECK(update(large, &one_pass).second == 1);
      }
}

TEST_CASE("sum_squares: equals f64, whatever the number of elements") {
  Random random(43);
  for (const Index n : {0, 1, 15, 4096, 4097, 100'001}) {
    const Floats x = random.normal(n);
    double expected = 0;
    for (const float f : x)
      expected += static_cast<double>(f) * static_cast<double>(f);
    for (const auto* ops : tables())
      CHECK(aha::sum_squares(*ops, {}, x.data(), n) == Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("fixed point: sums are exact in any order, and come back as f32") {
  const Floats x{1.0F, -0.5F, 3.0e-5F, 1.0e-14F, 500'000.0F, -123.456F, 0.0F};
  const auto n = static_cast<Index>(x.size());
  for (const auto* ops : tables()) {
    std::vector<std::int64_t> acc(x.size(), 7);
    REQUIRE(ops->add_fixed({}, acc.data(), x.data(), n));
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(acc[i] - 7 ==
            static_cast<std::int64_t>(std::nearbyint(static_cast<double>(x[i]) * 0x1p44)));
    std::vector<std::int64_t> back(x.size(), 0);
    REQUIRE(ops->add_fixed({}, back.data(), x.data(), n));
    Floats y = poison(n);
    ops->from_fixed({}, back.data(), y.data(), n);
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(y[i] == Approx(x[i]).epsilon(1e-6).margin(0x1p-44));
  }
}

TEST_CASE("fixed point: a value that is not finite or does not fit is told") {
  for (const auto* ops : tables())
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity(), 600'000.0F}) {
      Floats x(100, 0.25F);
      x[57] = bad;
      std::vector<std::int64_t> acc(100, 0);
      CHECK_FALSE(ops->add_fixed({}, acc.data(), x.data(), 100));
      // a sum that overflows, of values that fit
      std::vector<std::int64_t> full(100, std::numeric_limits<std::int64_t>::max() - 5);
      const Floats ones(100, 1.0F);
      CHECK_FALSE(ops->add_fixed({}, full.data(), ones.data(), 100));
    }
}

namespace {

constexpr aha::RandomKey kRounding{5, aha::Purpose::Round, 1, 9, 2, 0};

std::vector<std::uint16_t> stochastic_sums(std::uint16_t start, const Floats& x, Index first = 0,
                                           const aha::RandomKey& key = kRounding) {
  std::vector<std::uint16_t> to(x.size(), start);
  aha::add_stochastic({}, {x.data(), static_cast<Index>(x.size()), to.data(), key, first});
  return to;
}

float value_of(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

}  // namespace

TEST_CASE("stochastic sums: what bf16 holds is exact, and what is not finite stays so") {
  const Floats x{0.0F, 1.0F, -3.5F, 0.25F, 100.0F};
  const auto sums = stochastic_sums(0x4040, x);  // 3
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(value_of(sums[i]) == 3.0F + x[i]);
  CHECK(std::isnan(value_of(stochastic_sums(0x3f80, Floats{std::nanf("")})[0])));
  CHECK(value_of(stochastic_sums(0x3f80, Floats{-INFINITY})[0]) == -INFINITY);
  CHECK(aha::stochastic_bf16(0x7f800001, 0) == 0x7fc0);  // a NaN that is none in its upper half
}

TEST_CASE("stochastic sums: lie on both sides, on average where they should") {
  // an eighth of the step of bf16 at one, which rounding to nearest would lose each time
  for (const float x : {0x1p-10F, -0x1p-11F, 3 * 0x1p-9F}) {
    const Floats terms(200'000, x);
    double sum = 0;
    for (const auto bits : stochastic_sums(0x3f80, terms))
      sum += double{value_of(bits)} - 1.0;
    const double step = x < 0 ? 0x1p-8 : 0x1p-7;
    const double p = std::abs(x) / step;
    const double error = step * std::sqrt(p * (1 - p) / static_cast<double>(terms.size()));
    CHECK(std::abs(sum / static_cast<double>(terms.size()) - x) < 5 * error);
  }
}

TEST_CASE("stochastic sums: an element is rounded by its number and the key alone") {
  Random random(44);
  const Floats x = random.normal(20'003);
  const auto whole = stochastic_sums(0x3f80, x, 37);
  aha::ThreadPool pool(3);
  std::vector<std::uint16_t> team(x.size(), 0x3f80);
  aha::add_stochastic({&pool}, {x.data(), 20'003, team.data(), kRounding, 37});
  CHECK(team == whole);
  for (const std::size_t cut : {1U, 8U, 1003U}) {
    const Floats head(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(cut));
    const Floats tail(x.begin() + static_cast<std::ptrdiff_t>(cut), x.end());
    auto parts = stochastic_sums(0x3f80, head, 37);
    const auto rest = stochastic_sums(0x3f80, tail, 37 + static_cast<Index>(cut));
    parts.insert(parts.end(), rest.begin(), rest.end());
    CHECK(parts == whole);
  }
  auto next = kRounding;
  ++next.ordinal;
  CHECK(stochastic_sums(0x3f80, x, 37, next) != whole);
  CHECK(stochastic_sums(0x3f80, x, 45) != whole);
}
