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

TEST_CASE("rope: turns the first dimensions of each head and leaves the others") {
  Random random(15);
  const Index M = 4;
  const Index H = 2;
  const Index D = 20;
  for (const Index R : {2, 12, 18}) {
    const std::vector<std::int32_t> positions{0, 3, 1, 7};
    const Floats cos = random.normal(8 * R / 2);
    const Floats sin = random.normal(8 * R / 2);
    const Floats qkv = random.normal(M * (H + 2) * D);
    Floats turning;
    for (Index r = 0; r < M; ++r)
      for (Index h = 0; h < H + 1; ++h)
        for (Index i = 0; i < R; ++i)
          turning.push_back(qkv[at((r * (H + 2) + h) * D + i)]);
    const auto expected = reference::rope(turning, positions, cos, sin, R);
    for (const auto* ops : tables()) {
      INFO(ops->name << " R " << R);
      Floats x = qkv;
      ops->rope({}, {x.data(), positions.data(), cos.data(), sin.data(), M, H, 1, D, false, R});
      Floats turned;
      bool others_kept = true;
      for (Index r = 0; r < M; ++r)
        for (Index h = 0; h < H + 2; ++h)
          for (Index i = 0; i < D; ++i) {
            const auto index = at((r * (H + 2) + h) * D + i);
            if (h < H + 1 && i < R)
              turned.push_back(x[index]);
            else
              others_kept = others_kept && x[index] == qkv[index];
          }
      CHECK(gap(turned, expected) < kTolerance);
      CHECK(others_kept);
    }
  }
}

TEST_CASE("add_bias: adds to each row; its gradient adds the rows in their order") {
  Random random(16);
  for (const Index N : {1, 16, 37, 96}) {
    const Index M = random.between(1, 30);
    const Floats bias = random.normal(N);
    const Floats x = random.normal(M * N);
    Floats sums(at(N), 1.0F);
    Floats expected = x;
    for (Index r = 0; r < M; ++r)
      for (Index i = 0; i < N; ++i) {
        sums[at(i)] += x[at(r * N + i)];
        expected[at(r * N + i)] += bias[at(i)];
      }
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " N " << N);
      Floats y = x;
      ops->add_bias({}, bias.data(), M, N, y.data());
      CHECK(same_bits(y, expected));
      Floats dbias(at(N), 1.0F);
      ops->add_bias_backward({}, x.data(), M, N, dbias.data());
      CHECK(same_bits(dbias, sums));
    }
  }
}

TEST_CASE("head_norm: forward and backward of each head equal ATen autograd; v stays") {
  Random random(17);
  for (const Index D : {6, 16, 20, 128}) {
    const Index M = random.between(1, 9);
    const Index H = 4;
    const Index Hk = 2;
    const Index width = (H + 2 * Hk) * D;
    const Floats qkv = random.normal(M * width, 2.0F);
    const Floats dy = random.normal(M * width);
    const Floats w = random.normal(2 * D);
    // q's heads of all rows as rows, then k's; the same order as the kernel's chains
    const auto heads_of = [&](const Floats& rows, bool key) {
      Floats out;
      for (Index r = 0; r < M; ++r)
        for (Index h = key ? H : 0; h < (key ? H + Hk : H); ++h)
          for (Index i = 0; i < D; ++i)
            out.push_back(rows[at(r * width + h * D + i)]);
      return out;
    };
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " D " << D);
      Floats y = qkv;
      Floats raw = poison(M * (H + Hk) * D);
      Floats inv = poison(M * (H + Hk));
      ops->head_norm({}, {y.data(), w.data(), raw.data(), inv.data(), M, H, Hk, D, 1e-5F});
      Floats unkept = qkv;
      ops->head_norm({}, {unkept.data(), w.data(), nullptr, nullptr, M, H, Hk, D, 1e-5F});
      CHECK(same_bits(unkept, y));
      Floats d = dy;
      Floats dw(at(2 * D), 0.0F);
      ops->head_norm_backward({},
                              {d.data(), raw.data(), w.data(), inv.data(), dw.data(), M, H, Hk, D});
      for (const bool key : {false, true}) {
        const auto from = key ? D : 0;
        const Floats part(w.begin() + from, w.begin() + from + D);
        const Index rows = M * (key ? Hk : H);
        const auto expected =
            reference::rms_norm(heads_of(qkv, key), part, heads_of(dy, key), rows, 1e-5);
        CHECK(gap(heads_of(y, key), expected.y) < kTolerance);
        CHECK(gap(heads_of(d, key), expected.dx) < kTolerance);
        CHECK(gap({dw.begin() + from, dw.begin() + from + D}, expected.dw) < kTolerance);
      }
      bool values_kept = true;
      for (Index r = 0; r < M; ++r)
        for (Index i = (H + Hk) * D; i < width; ++i)
          values_kept = values_kept && y[at(r * width + i)] == qkv[at(r * width + i)] &&
                        d[at(r * width + i)] == dy[at(r * width + i)];
      CHECK(values_kept);
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
    ops->embed({}, {table.data()}, ids.data(), M, C, out.data());
    for (Index r = 0; r < M; ++r)
      CHECK(std::memcmp(&out[at(r * C)], &table[at(ids[at(r)] * C)], at(C) * 4) == 0);
    Floats dtable(at(V * C), 1.0F);
    ops->embed_backward({}, dout.data(), ids.data(), M, C, dtable.data());
    CHECK(same_bits(dtable, expected));
  }
}
