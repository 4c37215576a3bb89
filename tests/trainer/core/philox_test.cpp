#include "trainer/core/philox.h"

#include <cmath>
#include <set>

#include "tests/support/catch.h"
#include "trainer/core/error.h"

using namespace aha;

// Known answers of the Random123 library (kat_vectors, philox4x32 with 10 rounds).
TEST_CASE("philox4x32_10: known answers of Random123", "[core][golden]") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("philox: every field of a key changes the number", "[core]") {
  const RandomKey base{7, Purpose::Rollout, 1, 5, 3, 2};
  std::set<std::uint32_t> seen{philox(base)[0]};
  const auto differs = [&](RandomKey key) { return seen.insert(philox(key)[0]).second; };
  auto key = base;
  key.seed = 8;
  CHECK(differs(key));
  key = base;
  key.purpose = Purpose::Eval;
  CHECK(differs(key));
  key = base;
  key.stage = 2;
  CHECK(differs(key));
  key = base;
  key.ordinal = (std::uint64_t{1} << 40) + 5;
  CHECK(differs(key));
  key = base;
  key.sample = 4;
  CHECK(differs(key));
  key = base;
  key.position = 3;
  CHECK(differs(key));
}

TEST_CASE("philox: a field that is too wide is refused", "[core]") {
  RandomKey key;
  key.ordinal = std::uint64_t{1} << 48;
  CHECK_THROWS_AS(philox(key), InternalError);
  key = {};
  key.stage = 256;
  CHECK_THROWS_AS(philox(key), InternalError);
  key = {};
  key.position = std::uint64_t{1} << 32;
  CHECK_THROWS_AS(philox(key), InternalError);
}

TEST_CASE("normal: mean 0 and variance 1 over many keys", "[core][property]") {
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 20000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double x = normal({1, Purpose::Init, 0, 0, 0, i});
    sum += x;
    squares += x * x;
  }
  CHECK(std::abs(sum / kDraws) < 0.03);
  CHECK(squares / kDraws == Approx(1.0).margin(0.05));
}

TEST_CASE("RandomStream: below is in range and hits every value", "[core]") {
  RandomStream stream({3, Purpose::Task, 0, 9, 0, 0});
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i)
    ++counts.at(static_cast<std::size_t>(stream.below(7)));
  for (const int n : counts)
    CHECK(std::abs(n - 1000) < 150);
  CHECK_THROWS_AS(stream.below(0), InternalError);
}
