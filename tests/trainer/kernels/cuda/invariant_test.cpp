#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;
using aha::cpu_ops;
using aha::FloatType;

namespace {

/// Products of a fixed order while it lives.
class Invariant {
 public:
  explicit Invariant(const aha::Ops& gpu) : device_(gpu.device) { device_->set_invariant(true); }
  ~Invariant() { device_->set_invariant(false); }
  Invariant(const Invariant&) = delete;
  Invariant& operator=(const Invariant&) = delete;

 private:
  const aha::DeviceOps* device_;
};

struct Shape {
  Index M, N, K;
};

/// Rows [first, first + M) of Y = X W^T; X [rows, K + 3].
Floats linear(const aha::Ops& gpu, const Stored& w, const Floats& x, Index first, const Shape& s) {
  Device d(gpu);
  float* y = d.put(poison(s.M * s.N));
  gpu.linear({}, {d.put(x) + first * (s.K + 3),
                  s.K + 3,
                  {d.put(w.bits), nullptr, w.type},
                  y,
                  s.N,
                  s.M,
                  s.N,
                  s.K});
  return d.get(y, s.M * s.N);
}

Floats rows_of(const Floats& y, Index first, Index count, Index width) {
  return {y.begin() + first * width, y.begin() + (first + count) * width};
}

}  // namespace

// the last three are so wide that each of the three products is computed in the largest tiles once
TEST_CASE("gpu: products of a fixed order equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const Invariant invariant(*gpu);
  Random random(61);
  for (const auto& s : std::vector<Shape>{{1, 1, 1},
                                          {3, 17, 15},
                                          {40, 70, 33},
                                          {70, 130, 264},
                                          {9, 72, 2100},
                                          {65, 24, 513},
                                          {130, 8200, 40},
                                          {130, 40, 8200},
                                          {40, 130, 8200}})
    for (const auto type : kTypes) {
      if (s.N * s.K > 300000 && type != FloatType::BF16) continue;
      INFO("M " << s.M << " N " << s.N << " K " << s.K << " type " << static_cast<int>(type));
      const double close = type == FloatType::F32 ? kCloseF32 : kClose16;
      const Stored w(cpu_ops(), random.normal(s.N * s.K), type);
      const Floats x = random.normal(s.M * (s.K + 3));
      const Floats dy = random.normal(s.M * (s.N + 5));
      Device d(*gpu);
      const aha::Weight gw{d.put(w.bits), nullptr, type};
      const float* gx = d.put(x);
      const float* gdy = d.put(dy);
      for (const bool add : {false, true}) {
        Floats y(at(s.M * s.N), 2.0F), dx(at(s.M * s.K), 2.0F);
        float* gy = d.put(add ? y : poison(s.M * s.N));
        float* gdx = d.put(add ? dx : poison(s.M * s.K));
        cpu_ops().linear({},
                         {x.data(), s.K + 3, {w.f32.data()}, y.data(), s.N, s.M, s.N, s.K, add});
        cpu_ops().linear_dx(
            {}, {dy.data(), s.N + 5, {w.f32.data()}, dx.data(), s.K, s.M, s.N, s.K, add});
        gpu->linear({}, {gx, s.K + 3, gw, gy, s.N, s.M, s.N, s.K, add});
        gpu->linear_dx({}, {gdy, s.N + 5, gw, gdx, s.K, s.M, s.N, s.K, add});
        CHECK(gap(d.get(gy, s.M * s.N), y) < close);
        CHECK(gap(d.get(gdx, s.M * s.K), dx) < close);
      }
      Floats dw(at(s.N * s.K), 1.0F);
      float* gdw = d.put(dw);
      cpu_ops().linear_dw({}, {dy.data(), s.N + 5, x.data(), s.K + 3, dw.data(), s.M, s.N, s.K});
      gpu->linear_dw({}, {gdy, s.N + 5, gx, s.K + 3, gdw, s.M, s.N, s.K, type});
      CHECK(gap(d.get(gdw, s.N * s.K), dw) < close);
    }
}

// with the last shape all rows are enough of the largest tiles, some of them are the smaller ones', and few those of few
TEST_CASE("gpu: with products of a fixed order a row is the same bits alone and among others",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const Invariant invariant(*gpu);
  Random random(62);
  for (const auto& s : std::vector<Shape>{{70, 40, 600}, {33, 130, 2310}, {130, 8192, 272}})
    for (const auto type : kTypes) {
      if (s.N == 8192 && type != FloatType::BF16) continue;
      INFO("M " << s.M << " N " << s.N << " K " << s.K << " type " << static_cast<int>(type));
      const Stored w(cpu_ops(), random.normal(s.N * s.K), type);
      const Floats x = random.normal(s.M * (s.K + 3));
      const Floats all = linear(*gpu, w, x, 0, s);
      for (const auto& [first, count] : std::vector<std::pair<Index, Index>>{
               {0, 1}, {7, 1}, {s.M - 1, 1}, {3, 9}, {0, 33}, {1, s.M - 1}})
        CHECK(same_bits(linear(*gpu, w, x, first, {count, s.N, s.K}),
                        rows_of(all, first, count, s.N)));
    }
}

TEST_CASE("gpu: a product of a fixed order in bf16 is the one in f32, rounded", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const Invariant invariant(*gpu);
  Random random(63);
  for (const auto& s : std::vector<Shape>{{3, 17, 15}, {70, 130, 264}, {9, 72, 2100}}) {
    INFO("M " << s.M << " N " << s.N << " K " << s.K);
    const Stored w(cpu_ops(), random.normal(s.N * s.K), FloatType::BF16);
    const Floats x = random.normal(s.M * (s.K + 3));
    Device d(*gpu);
    auto* y = d.put(std::vector<std::uint16_t>(at(s.M * s.N)));
    gpu->linear({}, {d.put(x),
                     s.K + 3,
                     {d.put(w.bits), nullptr, w.type},
                     y,
                     s.N,
                     s.M,
                     s.N,
                     s.K,
                     false,
                     FloatType::BF16});
    const Stored expected(cpu_ops(), linear(*gpu, w, x, 0, s), FloatType::BF16);
    CHECK(d.get(y, at(s.M * s.N)) ==
          std::vector<std::uint16_t>(expected.bits.begin(), expected.bits.begin() + s.M * s.N));
  }
}
