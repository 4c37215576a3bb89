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
