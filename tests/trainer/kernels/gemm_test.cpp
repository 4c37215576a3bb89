#include "tests/support/catch.h"
#include "tests/trainer/kernels/reference.h"

using namespace aha_test;
using aha::Index;

namespace {

struct Shape {
  Index M, N, K;
};

/// Every remainder of the tiles, and sizes that cross a block of the packed operand.
std::vector<Shape> shapes() {
  std::vector<Shape> out{{1, 1, 1},     {1, 16, 8},    {8, 48, 16},
                         {300, 33, 72}, {3, 17, 1100}, {1100, 5, 19}};
  Random random(1);
  for (int i = 0; i < 40; ++i)
    out.push_back({random.between(1, 40), random.between(1, 150), random.between(1, 90)});
  return out;
}

}  // namespace

TEST_CASE(
    "linear: equals ATen in f64 over every tile remainder, in place of poison or added to y") {
  Random random(2);
  for (const auto& [M, N, K] : shapes()) {
    const Index ldx = K + 3;
    const Index ldy = N + 5;
    const Floats x = random.normal(M * K);
    const Floats w = random.normal(N * K);
    const auto expected = reference::linear(x, w, M, N, K);
    Floats strided = poison(M * ldx);
    for (Index r = 0; r < M; ++r)
      std::copy_n(&x[at(r * K)], K, &strided[at(r * ldx)]);
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " N " << N << " K " << K);
      const Floats w_packed = packed(*ops, w, N, K);
      for (const bool accumulate : {false, true}) {
        Floats y = accumulate ? Floats(at(M * ldy), 1.0F) : poison(M * ldy);
        const Floats untouched = y;
        Floats unpacked = y;
        ops->linear(
            {},
            {strided.data(), ldx, {w.data(), w_packed.data()}, y.data(), ldy, M, N, K, accumulate});
        ops->linear({},
                    {strided.data(), ldx, {w.data()}, unpacked.data(), ldy, M, N, K, accumulate});
        CHECK(same_bits(unpacked, y));
        Floats result;
        bool outside_kept = true;
        for (Index r = 0; r < M; ++r) {
          for (Index c = 0; c < N; ++c)
            result.push_back(y[at(r * ldy + c)] - (accumulate ? 1.0F : 0.0F));
          outside_kept =
              outside_kept &&
              std::memcmp(&y[at(r * ldy + N)], &untouched[at(r * ldy + N)], at(ldy - N) * 4) == 0;
        }
        CHECK(gap(result, expected) < kTolerance);
        CHECK(outside_kept);
      }
    }
  }
}

TEST_CASE("linear backward: dX and dW equal ATen in f64") {
  Random random(3);
  for (const auto& [M, N, K] : shapes()) {
    const Floats dy = random.normal(M * N);
    const Floats x = random.normal(M * K);
    const Floats w = random.normal(N * K);
    const auto dx_expected = reference::linear_dx(dy, w, M, N, K);
    const auto dw_expected = reference::linear_dw(dy, x, M, N, K);
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " N " << N << " K " << K);
      Floats dx = poison(M * K);
      ops->linear_dx({}, {dy.data(), N, {w.data()}, dx.data(), K, M, N, K});
      CHECK(gap(dx, dx_expected) < kTolerance);
      ops->linear_dx({}, {dy.data(), N, {w.data()}, dx.data(), K, M, N, K, true});
      for (auto& d : dx)
        d /= 2;
      CHECK(gap(dx, dx_expected) < kTolerance);
      Floats dw(at(N * K), 0.0F);
      ops->linear_dw({}, {dy.data(), N, x.data(), K, dw.data(), M, N, K});
      CHECK(gap(dw, dw_expected) < kTolerance);
    }
  }
}

TEST_CASE("linear: a row has the same bits alone and in any batch") {
  Random random(4);
  const Index N = 83;
  const Index K = 72;
  const Index M = 70;
  const Floats x = random.normal(M * K);
  const Floats w = random.normal(N * K);
  for (const auto* ops : tables()) {
    const Floats w_packed = packed(*ops, w, N, K);
    for (const aha::Weight weight : {aha::Weight{w.data()}, {w.data(), w_packed.data()}}) {
      Floats all = poison(M * N);
      ops->linear({}, {x.data(), K, weight, all.data(), N, M, N, K});
      for (const Index rows : {1, 2, 3, 5, 7, 8, 9, 64}) {
        Floats some = poison(rows * N);
        ops->linear({}, {&x[at(4 * K)], K, weight, some.data(), N, rows, N, K});
        CHECK(std::memcmp(some.data(), &all[at(4 * N)], at(rows * N) * 4) == 0);
      }
    }
  }
}

TEST_CASE("linear dW: rows that come in two calls give the bits of one call") {
  Random random(5);
  const Index M = 61;
  const Index N = 30;
  const Index K = 20;
  const Floats x = random.normal(M * K);
  const Floats dy = random.normal(M * N);
  for (const auto* ops : tables()) {
    Floats once(at(N * K), 0.0F);
    Floats twice(at(N * K), 0.0F);
    ops->linear_dw({}, {dy.data(), N, x.data(), K, once.data(), M, N, K});
    ops->linear_dw({}, {dy.data(), N, x.data(), K, twice.data(), 17, N, K});
    ops->linear_dw({}, {&dy[at(17 * N)], N, &x[at(17 * K)], K, twice.data(), M - 17, N, K});
    CHECK(same_bits(once, twice));
  }
}
