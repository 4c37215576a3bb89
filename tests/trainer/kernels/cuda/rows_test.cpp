#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"

using namespace aha_test;
using aha::cpu_ops;

namespace {

struct Shape {
  Index M, C, H, Hk, D, F;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{{1, 64, 1, 1, 64, 96},    {7, 50, 4, 2, 18, 45},
                                      {37, 128, 3, 1, 64, 172}, {130, 72, 4, 1, 24, 100},
                                      {5, 896, 14, 2, 64, 33},  {9, 1100, 2, 2, 128, 300}};
  return all;
}

}  // namespace

TEST_CASE("gpu: norms and their gradients equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(1);
  for (const auto& s : shapes()) {
    INFO("M " << s.M << " C " << s.C);
    const Floats x = random.normal(s.M * s.C);
    const Floats w = random.normal(s.C);
    const Floats dy = random.normal(s.M * s.C);
    const Floats before = random.normal(s.M * s.C);
    const Floats dw_before = random.normal(s.C);
    Floats y = poison(s.M * s.C), inv = poison(s.M), dx = before, dw = dw_before;
    cpu_ops().rms_norm({}, {x.data(), w.data(), y.data(), inv.data(), s.M, s.C, 1e-6F});
    cpu_ops().rms_norm_backward(
        {}, {dy.data(), x.data(), w.data(), inv.data(), dx.data(), dw.data(), s.M, s.C});

    Device d(*gpu);
    float* gx = d.put(x);
    float* gw = d.put(w);
    float* gy = d.put(poison(s.M * s.C));
    float* ginv = d.put(poison(s.M));
    float* gdx = d.put(before);
    float* gdw = d.put(dw_before);
    gpu->rms_norm({}, {gx, gw, gy, ginv, s.M, s.C, 1e-6F});
    CHECK(gap(d.get(gy, s.M * s.C), y) < kCloseF32);
    CHECK(gap(d.get(ginv, s.M), inv) < kCloseF32);
    gpu->rms_norm_backward({}, {d.put(dy), gx, gw, ginv, gdx, gdw, s.M, s.C});
    CHECK(gap(d.get(gdx, s.M * s.C), dx) < kCloseF32);
    CHECK(gap(d.get(gdw, s.C), dw) < kCloseF32);
  }
}

TEST_CASE("gpu: norms of heads, biases and their gradients equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(2);
  for (const auto& s : shapes()) {
    const Index width = (s.H + 2 * s.Hk) * s.D;
    const Index heads = s.H + s.Hk;
    INFO("M " << s.M << " H " << s.H << " D " << s.D);
    const Floats qkv = random.normal(s.M * width);
    const Floats grad = random.normal(s.M * width);
    const Floats w = random.normal(2 * s.D);
    const Floats bias = random.normal(width);
    Floats x = qkv, dx = grad, raw = poison(s.M * heads * s.D), inv = poison(s.M * heads);
    Floats dw(at(2 * s.D), 1.0F), dbias(at(width), 1.0F);
    cpu_ops().add_bias({}, bias.data(), s.M, width, x.data());
    cpu_ops().head_norm({},
                        {x.data(), w.data(), raw.data(), inv.data(), s.M, s.H, s.Hk, s.D, 1e-6F});
    cpu_ops().head_norm_backward(
        {}, {dx.data(), raw.data(), w.data(), inv.data(), dw.data(), s.M, s.H, s.Hk, s.D});
    cpu_ops().add_bias_backward({}, dx.data(), s.M, width, dbias.data());

    Device d(*gpu);
    float* gx = d.put(qkv);
    float* gdx = d.put(grad);
    float* graw = d.put(poison(s.M * heads * s.D));
    float* ginv = d.put(poison(s.M * heads));
    float* gdw = d.put(Floats(at(2 * s.D), 1.0F));
    float* gdbias = d.put(Floats(at(width), 1.0F));
    float* gw = d.put(w);
    gpu->add_bias({}, d.put(bias), s.M, width, gx);
    gpu->head_norm({}, {gx, gw, graw, ginv, s.M, s.H, s.Hk, s.D, 1e-6F});
    gpu->head_norm_backward({}, {gdx, graw, gw, ginv, gdw, s.M, s.H, s.Hk, s.D});
    gpu->add_bias_backward({}, gdx, s.M, width, gdbias);
    CHECK(gap(d.get(gx, s.M * width), x) < kCloseF32);
    CHECK(gap(d.get(graw, s.M * heads * s.D), raw) < kCloseF32);
    CHECK(gap(d.get(gdx, s.M * width), dx) < kCloseF32);
    CHECK(gap(d.get(gdw, 2 * s.D), dw) < kCloseF32);
    CHECK(gap(d.get(gdbias, width), dbias) < kCloseF32);
  }
}

TEST_CASE("gpu: rotary embedding turns heads as the CPU does, and back", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(3);
  for (const auto& s : shapes())
    for (const Index rotary : {Index{0}, s.D / 2 / 2 * 2}) {
      const Index width = (s.H + 2 * s.Hk) * s.D;
      const Index half = (rotary == 0 ? s.D : rotary) / 2;
      const Floats qkv = random.normal(s.M * width);
      const Floats cos = random.normal(50 * half);
      const Floats sin = random.normal(50 * half);
      std::vector<std::int32_t> positions;
      for (Index r = 0; r < s.M; ++r)
        positions.push_back(static_cast<std::int32_t>(random.between(0, 49)));
      for (const bool inverse : {false, true}) {
        Floats x = qkv;
        cpu_ops().rope({}, {x.data(), positions.data(), cos.data(), sin.data(), s.M, s.H, s.Hk, s.D,
                            inverse, rotary});
        Device d(*gpu);
        float* gx = d.put(qkv);
        gpu->rope({}, {gx, d.put(positions), d.put(cos), d.put(sin), s.M, s.H, s.Hk, s.D, inverse,
                       rotary});
        CHECK(gap(d.get(gx, s.M * width), x) < kCloseF32);
      }
    }
}

TEST_CASE("gpu: SwiGLU and its gradient equal the CPU's, in place too", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(4);
  for (const auto& s : shapes()) {
    const Floats gate_up = random.normal(s.M * 2 * s.F, 4.0F);
    const Floats dy = random.normal(s.M * s.F);
    Floats y = poison(s.M * s.F), dgate_up = poison(s.M * 2 * s.F), again = poison(s.M * s.F);
    cpu_ops().swiglu({}, {gate_up.data(), y.data(), s.M, s.F});
    cpu_ops().swiglu_backward({},
                              {gate_up.data(), dy.data(), dgate_up.data(), s.M, s.F, again.data()});
    Device d(*gpu);
    float* ggate_up = d.put(gate_up);
    float* gy = d.put(poison(s.M * s.F));
    float* gdy = d.put(dy);
    gpu->swiglu({}, {ggate_up, gy, s.M, s.F});
    gpu->swiglu_backward({}, {ggate_up, gdy, ggate_up, s.M, s.F, gdy});
    CHECK(gap(d.get(gy, s.M * s.F), y) < kCloseF32);
    CHECK(gap(d.get(ggate_up, s.M * 2 * s.F), dgate_up) < kCloseF32);
    CHECK(gap(d.get(gdy, s.M * s.F), again) < kCloseF32);
  }
}

TEST_CASE("gpu: embedding and its gradient equal the CPU's, ids that recur included", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(5);
  for (const auto& s : shapes())
    for (const Index V : {3, 400}) {
      const Floats values = random.normal(V * s.C);
      const Ints ids = random.ids(s.M, V);
      const Floats dout = random.normal(s.M * s.C);
      Floats dtable(at(V * s.C), 0.5F);
      cpu_ops().embed_backward({}, dout.data(), ids.data(), s.M, s.C, dtable.data());
      Device d(*gpu);
      const auto* gids = d.put(ids);
      for (const auto type : kTypes) {
        const Stored table(cpu_ops(), values, type);
        Floats out = poison(s.M * s.C);
        cpu_ops().embed({}, {table.f32.data()}, ids.data(), s.M, s.C, out.data());
        float* gout = d.put(poison(s.M * s.C));
        gpu->embed({}, {d.put(table.bits), nullptr, type}, gids, s.M, s.C, gout);
        CHECK(same_bits(d.get(gout, s.M * s.C), out));
      }
      float* gdtable = d.put(Floats(at(V * s.C), 0.5F));
      gpu->embed_backward({}, d.put(dout), gids, s.M, s.C, gdtable);
      CHECK(same_bits(d.get(gdtable, V * s.C), dtable));
    }
}

TEST_CASE("gpu: products with weights of each type equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(6);
  for (const auto& s : shapes())
    for (const auto type : kTypes) {
      const Index N = s.F;
      const Index K = s.C;
      INFO("M " << s.M << " N " << N << " K " << K);
      const double close = type == aha::FloatType::F32 ? kCloseF32 : kClose16;
      const Stored w(cpu_ops(), random.normal(N * K), type);
      const Floats x = random.normal(s.M * (K + 3));
      const Floats dy = random.normal(s.M * (N + 5));
      Device d(*gpu);
      const aha::Weight gw{d.put(w.bits), nullptr, type};
      const float* gx = d.put(x);
      const float* gdy = d.put(dy);
      for (const bool accumulate : {false, true}) {
        Floats y(at(s.M * N), 2.0F), dx(at(s.M * K), 2.0F);
        float* gy = d.put(accumulate ? y : poison(s.M * N));
        float* gdx = d.put(accumulate ? dx : poison(s.M * K));
        cpu_ops().linear({}, {x.data(), K + 3, {w.f32.data()}, y.data(), N, s.M, N, K, accumulate});
        cpu_ops().linear_dx(
            {}, {dy.data(), N + 5, {w.f32.data()}, dx.data(), K, s.M, N, K, accumulate});
        gpu->linear({}, {gx, K + 3, gw, gy, N, s.M, N, K, accumulate});
        gpu->linear_dx({}, {gdy, N + 5, gw, gdx, K, s.M, N, K, accumulate});
        CHECK(gap(d.get(gy, s.M * N), y) < close);
        CHECK(gap(d.get(gdx, s.M * K), dx) < close);
        if (type != aha::FloatType::BF16 || accumulate) continue;
        auto* rounded = d.put(std::vector<std::uint16_t>(at(s.M * N)));
        gpu->linear({}, {gx, K + 3, gw, rounded, N, s.M, N, K, false, type});
        const auto bits = d.get(rounded, at(s.M * N));
        Floats widened = poison(s.M * N);
        cpu_ops().widen({}, bits.data(), type, s.M * N, widened.data());
        CHECK(gap(widened, y) < close);
      }
      Floats dw(at(N * K), 1.0F);
      float* gdw = d.put(dw);
      cpu_ops().linear_dw({}, {dy.data(), N + 5, x.data(), K + 3, dw.data(), s.M, N, K});
      gpu->linear_dw({}, {gdy, N + 5, gx, K + 3, gdw, s.M, N, K, type});
      CHECK(gap(d.get(gdw, N * K), dw) < close);
      Floats dx = poison(s.M * K);
      float* gdx = d.put(dx);
      const aha::LinearDx in_dx{dy.data(), N + 5, {w.f32.data()}, dx.data(), K, s.M, N, K};
      cpu_ops().linear_backward({}, in_dx,
                                {dy.data(), N + 5, x.data(), K + 3, dw.data(), s.M, N, K});
      gpu->linear_backward({}, {gdy, N + 5, gw, gdx, K, s.M, N, K},
                           {gdy, N + 5, gx, K + 3, gdw, s.M, N, K, type});
      CHECK(gap(d.get(gdx, s.M * K), dx) < close);
      CHECK(gap(d.get(gdw, N * K), dw) < close);
    }
}
