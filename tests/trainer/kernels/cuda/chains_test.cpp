#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"

using namespace aha_test;
using aha::cpu_ops;
using aha::KvStore;

namespace {

struct Shape {
  Index M, C, N;
};

/// What a device keeps gates and ups in beside weights of a type.
aha::FloatType gate_type(aha::FloatType weights) {
  return weights == aha::FloatType::BF16 ? weights : aha::FloatType::F32;
}

/// What a norm or a gate and the product after it give.
struct Product {
  Floats y, inv_rms;
};

/// `add`: to a Y that is there, as the residual stream is.
template <class Call>
Product product(const aha::Ops& ops, const Shape& s, const Floats& before, bool add,
                const Call& call) {
  Device d(ops);
  float* y = d.put(add ? before : poison(s.M * s.N));
  float* inv = d.put(poison(s.M));
  call(d, y, inv);
  return {d.get(y, s.M * s.N), d.get(inv, s.M)};
}

}  // namespace

TEST_CASE("gpu: a norm or SwiGLU and the product after it equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(51);
  for (const auto& s : std::vector<Shape>{
           {1, 64, 24}, {7, 50, 33}, {37, 128, 16}, {130, 72, 40}, {5, 896, 33}, {3, 1100, 17}})
    for (const auto type : kTypes)
      for (const bool add : {false, true}) {
        INFO("M " << s.M << " C " << s.C << " N " << s.N << " type " << static_cast<int>(type));
        const double close = type == aha::FloatType::F32 ? kCloseF32 : kClose16;
        const Floats x = random.normal(s.M * s.C);
        const Stored gate_up(cpu_ops(), random.normal(s.M * 2 * s.C), gate_type(type));
        const Floats norm = random.normal(s.C);
        const Floats before = random.normal(s.M * s.N);
        const Stored w(cpu_ops(), random.normal(s.N * s.C), type);
        const auto run = [&](const aha::Ops& ops, bool gated) {
          return product(ops, s, before, add, [&](Device& d, float* y, float* inv) {
            float* between = d.put(poison(s.M * s.C));
            const auto gates = ops.memory->host ? aha::FloatType::F32 : gate_up.type;
            const aha::Linear linear{between, s.C, {d.put(w.bits), nullptr, type}, y, s.N, s.M, s.N,
                                     s.C,     add};
            if (gated)
              ops.swiglu_linear(
                  {},
                  {gates == aha::FloatType::F32 ? d.put(gate_up.f32)
                                                : static_cast<void*>(d.put(gate_up.bits)),
                   between, s.M, s.C, gates},
                  linear);
            else
              ops.norm_linear({}, {d.put(x), d.put(norm), between, inv, s.M, s.C, 1e-6F}, linear);
          });
        };
        for (const bool gated : {false, true}) {
          const Product expected = run(cpu_ops(), gated);
          const Product other = run(*gpu, gated);
          CHECK(gap(other.y, expected.y) < close);
          if (!gated) CHECK(gap(other.inv_rms, expected.inv_rms) < kCloseF32);
        }
      }
}

namespace {

/// Weights and rows of an MLP, and dY.
struct Mlp {
  Mlp(const Shape& shape, aha::FloatType type, Random& random)
      : s(shape),
        w(cpu_ops(), random.normal(2 * s.N * s.C), type),
        v(cpu_ops(), random.normal(s.C * s.N), type),
        x(random.normal(s.M * s.C)),
        norm(random.normal(s.C)),
        gate_up(cpu_ops(), random.normal(s.M * 2 * s.N), gate_type(type)),
        inv_rms(random.normal(s.M, 0.2F)),
        dy(random.normal(s.M * s.C)) {}

  /// dX, and what is added to the gradients of W, V and the norm. `all`: of the MLP; else of its norm and first product.
  std::vector<Floats> back(const aha::Ops& ops, bool all) const {
    const Index M = s.M, C = s.C, F = s.N;
    Device d(ops);
    float* dx = d.put(dy);
    float* dw = d.put(Floats(at(2 * F * C), 1.0F));
    float* dv = d.put(Floats(at(C * F), 1.0F));
    float* dnorm = d.put(Floats(at(C), 1.0F));
    const float* rows = d.put(x);
    const float* scale = d.put(norm);
    float* gates = d.put(gate_up.f32);  // dgate_up in its place
    const auto type = ops.memory->host ? aha::FloatType::F32 : gate_up.type;
    const void* kept =
        type == aha::FloatType::F32 ? gates : static_cast<void*>(d.put(gate_up.bits));
    float* wide = d.put(poison(M * F));
    float* normed = d.put(poison(M * C));
    float* dnormed = d.put(poison(M * C));
    const aha::Weight first{d.put(w.bits), nullptr, w.type};
    const aha::NormLinearBackward up{{rows, scale, normed, nullptr, M, C, 1e-6F},
                                     {gates, 2 * F, first, dnormed, C, M, 2 * F, C},
                                     {gates, 2 * F, normed, C, dw, M, 2 * F, C, w.type},
                                     {dnormed, rows, scale, d.put(inv_rms), dx, dnorm, M, C}};
    if (all)
      ops.mlp_backward({},
                       {{dx, C, {d.put(v.bits), nullptr, v.type}, wide, F, M, C, F, false, type},
                        {kept, wide, gates, M, F, wide, type},
                        {dx, C, wide, F, dv, M, C, F, v.type},
                        up});
    else
      ops.norm_linear_backward({}, up);
    return {d.get(dx, M * C), d.get(dw, 2 * F * C), d.get(dv, C * F), d.get(dnorm, C)};
  }

  Shape s;
  Stored w, v;
  Floats x, norm;
  Stored gate_up;
  Floats inv_rms, dy;
};

}  // namespace

TEST_CASE("gpu: the ways back through a norm and a product, and through an MLP, equal the CPU's",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(53);
  for (const auto& s : std::vector<Shape>{
           {1, 64, 24}, {7, 50, 33}, {37, 128, 16}, {130, 72, 40}, {20, 896, 36}, {3, 1100, 17}})
    for (const auto type : kTypes) {
      INFO("M " << s.M << " C " << s.C << " F " << s.N << " type " << static_cast<int>(type));
      const Mlp mlp(s, type, random);
      for (const bool all : {false, true}) {
        const auto expected = mlp.back(cpu_ops(), all);
        const auto other = mlp.back(*gpu, all);
        for (std::size_t i = 0; i < expected.size(); ++i)
          CHECK(gap(other[i], expected[i]) < (type == aha::FloatType::F32 ? kCloseF32 : kClose16));
      }
    }
}

namespace {

struct Heads {
  Index M, H, Hk, D, rotary;
  bool bias, norm, keep;
};

struct Finished {
  Floats qkv, raw, inv_rms, store;
};

/// Rows of two sequences, from different positions on.
Finished finish(const aha::Ops& ops, const Heads& s, Random random,
                aha::FloatType type = aha::FloatType::F32) {
  Device d(ops);
  const Index width = (s.H + 2 * s.Hk) * s.D;
  const Index kept = s.M * (s.H + s.Hk);
  const Index blocks = 2 * (s.M / 16 + 3);
  const Index floats = blocks * KvStore{nullptr, s.Hk, s.D}.block_size();
  std::vector<std::int32_t> positions, table(at(blocks));
  for (Index b = 0; b < blocks; ++b)
    table[at(b)] = static_cast<std::int32_t>(blocks - 1 - b);  // each block once
  const auto* tables = d.put(table);
  std::vector<const std::int32_t*> of_rows;
  for (Index r = 0; r < s.M; ++r) {
    const bool second = r >= s.M / 2;
    positions.push_back(static_cast<std::int32_t>(second ? r - s.M / 2 : r + 13));
    of_rows.push_back(tables + (second ? blocks / 2 : 0));
  }
  const Index angles = (s.M + 16) * s.rotary / 2;
  float* qkv = d.put(random.normal(s.M * width));
  auto* store = d.put(Stored(cpu_ops(), Floats(at(floats), 0.25F), type).bits);
  float* raw = d.put(poison(kept * s.D));
  float* inv = d.put(poison(kept));
  const float* bias = d.put(random.normal(width));
  const float* norm = d.put(random.normal(2 * s.D));
  const float* cos = d.put(random.normal(angles));
  const float* sin = d.put(random.normal(angles));
  ops.finish_qkv({}, {qkv,
                      s.bias ? bias : nullptr,
                      s.norm ? norm : nullptr,
                      s.keep ? raw : nullptr,
                      s.keep ? inv : nullptr,
                      1e-6F,
                      cos,
                      sin,
                      s.rotary,
                      {d.put(positions), d.put(of_rows), s.M},
                      {store, s.Hk, s.D, type},
                      s.H});
  const auto bits = d.get(store, at(2 * floats));
  Floats stored(at(floats));
  cpu_ops().widen({}, bits.data(), type, floats, stored.data());
  return {d.get(qkv, s.M * width), d.get(raw, kept * s.D), d.get(inv, kept), stored};
}

}  // namespace

TEST_CASE("gpu: bias, norm, rotation and storing of q, k and v equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(52);
  for (const auto& s : std::vector<Heads>{{1, 1, 1, 64, 64, false, false, false},
                                          {40, 4, 2, 18, 12, false, false, false},
                                          {35, 4, 2, 20, 20, false, true, true},
                                          {33, 14, 2, 64, 64, true, false, false},
                                          {18, 2, 1, 128, 128, true, true, true},
                                          {5, 3, 3, 32, 32, true, true, false},
                                          {2049, 2, 1, 8, 4, true, true, true},  // rows together
                                          {2051, 3, 1, 16, 16, true, false, false}}) {
    INFO("M " << s.M << " H " << s.H << " Hk " << s.Hk << " D " << s.D << " rotary " << s.rotary);
    const Finished expected = finish(cpu_ops(), s, random);
    const Finished other = finish(*gpu, s, random);
    CHECK(gap(other.qkv, expected.qkv) < kCloseF32);
    CHECK(gap(other.store, expected.store) < kCloseF32);
    // in bf16 the same, rounded
    const Finished sixteen = finish(*gpu, s, random, aha::FloatType::BF16);
    CHECK(same_bits(sixteen.qkv, other.qkv));
    CHECK(same_bits(sixteen.store, Stored(cpu_ops(), other.store, aha::FloatType::BF16).f32));
    if (!s.keep) continue;
    CHECK(gap(other.raw, expected.raw) < kCloseF32);
    CHECK(gap(other.inv_rms, expected.inv_rms) < kCloseF32);
  }
}
