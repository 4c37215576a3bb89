#include "tests/support/catch.h"
#include "tests/trainer/kernels/reference.h"

using namespace aha_test;
using aha::Index;

TEST_CASE("rms_norm: forward and backward equal ATen autograd") {
  Random random(11);
  for (const Index C : {3, 8, 15, 16, 17, 72, 96, 130}) {
    const Index M = random.between(1, 20);
    const Floats x = random.normal(M * C, 2.0F);
    const Floats w = random.normal(C);
    const Floats dy = random.normal(M * C);
    const auto expected = reference::rms_norm(x, w, dy, M, 1e-5);
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " C " << C);
      Floats y = poison(M * C);
      Floats inv = poison(M);
      ops->rms_norm({}, {x.data(), w.data(), y.data(), inv.data(), M, C, 1e-5F});
      CHECK(gap(y, expected.y) < kTolerance);
      Floats dx(at(M * C), 0.5F);
      Floats dw(at(C), 0.25F);
      ops->rms_norm_backward(
          {}, {dy.data(), x.data(), w.data(), inv.data(), dx.data(), dw.data(), M, C});
      for (auto& d : dx)
        d -= 0.5F;
      for (auto& d : dw)
        d -= 0.25F;
      CHECK(gap(dx, expected.dx) < kTolerance);
      CHECK(gap(dw, expected.dw) < kTolerance);
      Floats again = poison(M * C);
      ops->rms_norm({}, {x.data(), w.data(), again.data(), nullptr, M, C, 1e-5F});
      CHECK(same_bits(again, y));
    }
  }
}

TEST_CASE("swiglu: forward and backward equal ATen autograd, also in place and for large gates") {
  Random random(12);
  for (const Index F : {1, 16, 19, 48, 172}) {
    const Index M = random.between(1, 9);
    Floats gate_up = random.normal(M * 2 * F, 3.0F);
    gate_up[0] = 95.0F;
    const Floats dy = random.normal(M * F);
    const auto expected = reference::swiglu(gate_up, dy, M);
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " F " << F);
      Floats y = poison(M * F);
      ops->swiglu({}, {gate_up.data(), y.data(), M, F});
      CHECK(gap(y, expected.y) < kTolerance);
      Floats d = gate_up;
      ops->swiglu_backward({}, {d.data(), dy.data(), d.data(), M, F});
      CHECK(gap(d, expected.dgate_up) < kTolerance);
      Floats again = dy;  // the forward result may take the place of dy
      Floats unfused = poison(M * 2 * F);
      ops->swiglu_backward({}, {gate_up.data(), again.data(), unfused.data(), M, F, again.data()});
      CHECK(again == y);
      CHECK(unfused == d);
    }
  }
  for (const auto* ops : tables()) {
    const Floats extreme{-200.0F, -1e30F, 200.0F, 1.0F, 1.0F, 1.0F};
    Floats y = poison(3);
    ops->swiglu({}, {extreme.data(), y.data(), 1, 3});
    CHECK(std::abs(y[0]) < 1e-30F);
    CHECK(y[1] == 0.0F);
    CHECK(y[2] == 200.0F);
  }
}

TEST_CASE("rope: rotates q and k as transformers' rotate_half, leaves v, and turns back") {
  Random random(13);
  for (const Index D : {2, 8, 18, 24, 32, 34, 128}) {
    const Index M = 5;
    const Index H = 3;
    const Index Hk = 2;
    const Index width = (H + 2 * Hk) * D;
    const Floats angles = random.normal(40 * D / 2, 3.0F);
    Floats cos;
    Floats sin;
    for (const float a : angles) {
      cos.push_back(std::cos(a));
      sin.push_back(std::sin(a));
    }
    const std::vector<std::int32_t> positions{0, 39, 7, 7, 20};
    const Floats qkv = random.normal(M * width);
    Floats rotated_part;
    for (Index r = 0; r < M; ++r)
      for (Index i = 0; i < (H + Hk) * D; ++i)
        rotated_part.push_back(qkv[at(r * width + i)]);
    const auto expected = reference::rope(rotated_part, positions, cos, sin, D);
    for (const auto* ops : tables()) {
      INFO(ops->name << " D " << D);
      Floats x = qkv;
      ops->rope({}, {x.data(), positions.data(), cos.data(), sin.data(), M, H, Hk, D});
      Floats part;
      bool values_kept = true;
      for (Index r = 0; r < M; ++r)
        for (Index i = 0; i < width; ++i)
          if (i < (H + Hk) * D)
            part.push_back(x[at(r * width + i)]);
          else
            values_kept = values_kept && x[at(r * width + i)] == qkv[at(r * width + i)];
      CHECK(gap(part, expected) < kTolerance);
      CHECK(values_kept);
      ops->rope({}, {x.data(), positions.data(), cos.data(), sin.data(), M, H, Hk, D, true});
      CHECK(gap(x, {qkv.begin(), qkv.end()}) < kTolerance);
    }
  }
}

TEST_CASE("embed: copies rows; its gradient adds the rows of one id in their order") {
  Random random(14);
  const Index V = 7;
  const Index C = 37;
  const Index M = 50;
  const Floats table = random.normal(V * C);
  const Floats dout = random.normal(M * C);
  const Ints ids = random.ids(M, V);
  Floats expected(at(V * C), 1.0F);
  for (Index r = 0; r < M; ++r)
    for (Index c = 0; c < C; ++c)
      expected[at(ids[at(r)] * C + c)] += dout[at(r * C + c)];
  for (const auto* ops : tables()) {
    Floats out = poison(M * C);
    ops->embed({}, table.data(), ids.data(), M, C, out.data());
    for (Index r = 0; r < M; ++r)
      CHECK(std::memcmp(&out[at(r * C)], &table[at(ids[at(r)] * C)], at(C) * 4) == 0);
    Floats dtable(at(V * C), 1.0F);
    ops->embed_backward({}, dout.data(), ids.data(), M, C, dtable.data());
    CHECK(same_bits(dtable, expected));
  }
}
