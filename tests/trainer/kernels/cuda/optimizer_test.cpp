#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;
using aha::cpu_ops;

TEST_CASE("gpu: AdamW, sums of squares and fixed-point sums equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(11);
  for (const Index n : {1, 17, 4096, 9000}) {
    const Floats g = random.normal(n);
    const Floats p0 = random.normal(n);
    const Floats m0 = random.normal(n, 0.1F);
    const Floats v0(at(n), 0.01F);
    Floats p = p0, m = m0, v = v0;
    cpu_ops().adamw(
        {}, {p.data(), g.data(), m.data(), v.data(), n, 5, 1e-3, 0.9, 0.99, 1e-8, 0.1, 0.7});
    Device d(*gpu);
    float* gp = d.put(p0);
    float* gm = d.put(m0);
    float* gv = d.put(v0);
    const float* gg = d.put(g);
    gpu->adamw({}, {gp, gg, gm, gv, n, 5, 1e-3, 0.9, 0.99, 1e-8, 0.1, 0.7});
    CHECK(gap(d.get(gp, n), p) < 1e-6);
    CHECK(gap(d.get(gm, n), m) < 1e-6);
    CHECK(gap(d.get(gv, n), v) < 1e-6);
    CHECK(sum_squares(*gpu, {}, gg, n) == sum_squares(cpu_ops(), {}, g.data(), n));

    Ints acc(at(n), 3);
    auto* gacc = d.put(acc);
    float* gback = d.put(poison(n));
    Floats back = poison(n);
    CHECK(cpu_ops().add_fixed({}, acc.data(), g.data(), n));
    CHECK(gpu->add_fixed({}, gacc, gg, n));
    cpu_ops().from_fixed({}, acc.data(), back.data(), n);
    gpu->from_fixed({}, gacc, gback, n);
    CHECK(d.get(gacc, at(n)) == acc);
    CHECK(same_bits(d.get(gback, n), back));
  }
}

TEST_CASE("gpu: AdamW rounds new values as a pass of its own would, and says what is too large",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(13);
  for (const auto type : {aha::FloatType::BF16, aha::FloatType::F16})
    for (const Index n : {1, 4099}) {
      const Floats g = random.normal(n);
      Floats start = random.normal(n);
      Device d(*gpu);
      const auto update = [&](float* p, std::uint16_t* bits) {
        auto* too_large = d.put(std::vector<std::int32_t>{0});
        gpu->adamw({}, {p, d.put(g), d.put(Floats(at(n), 0.1F)), d.put(Floats(at(n), 0.2F)), n, 2,
                        1e-2, 0.9, 0.95, 1e-8, 0.1, 0.5, bits, type, too_large});
        return d.get(too_large, std::size_t{1})[0];
      };
      const std::vector<std::uint16_t> nothing(at(n), 0xffff);
      auto* one_pass = d.put(nothing);
      auto* two_passes = d.put(nothing);
      float* with = d.put(start);
      float* without = d.put(start);
      CHECK(update(with, one_pass) == 0);
      CHECK(update(without, nullptr) == 0);
      CHECK(gpu->narrow({}, without, n, type, two_passes));
      CHECK(same_bits(d.get(with, n), d.get(without, n)));
      CHECK(d.get(one_pass, at(n)) == d.get(two_passes, at(n)));
      start.back() = type == aha::FloatType::F16 ? 7e4F : 3.4e38F;
      CHECK(update(d.put(start), one_pass) == 1);
    }
}

TEST_CASE("gpu: a fixed-point sum says what does not fit", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Device d(*gpu);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(), 1e6F, -1e6F}) {
    Floats x(100, 1.0F);
    x[57] = bad;
    CHECK_FALSE(gpu->add_fixed({}, d.put(Ints(100, 0)), d.put(x), 100));
  }
  auto* full = d.put(Ints(1, std::numeric_limits<std::int64_t>::max() - 5));
  CHECK_FALSE(gpu->add_fixed({}, full, d.put(Floats{1.0F}), 1));
  CHECK_FALSE(gpu->device->sum_fixed(d.put(Ints{1}), 1, d.put(Ints{INT64_MAX})));
  CHECK_FALSE(gpu->device->sum_fixed(d.put(Ints{-5}), 1, d.put(Ints{INT64_MIN + 4})));
  std::int64_t* sums = d.put(Ints{INT64_MAX - 1, 7, INT64_MIN + 5});
  CHECK(gpu->device->sum_fixed(d.put(Ints{1, -9, -5}), 3, sums));
  CHECK(d.get(sums, std::size_t{3}) == Ints{INT64_MAX, -2, INT64_MIN});
  CHECK(gpu->device->fixed_within(d.put(Ints{5, -5, 0}), 3, 5));
  CHECK_FALSE(gpu->device->fixed_within(d.put(Ints{0, 6}), 2, 5));
  CHECK_FALSE(gpu->device->fixed_within(d.put(Ints{0, INT64_MIN}), 2, INT64_MAX));
}

TEST_CASE("gpu: rounding to 16 bits and back has the CPU's bits, and says what is too large",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(12);
  Floats x = random.normal(5000, 3.0F);
  append(x, random.normal(2000, 1e-6F));
  append(x, {0.0F, -0.0F, 65504.0F, 65519.0F, 1.0F + 0x1p-8F, 1.0F + 0x1.8p-8F, 6e-8F});
  const auto n = static_cast<Index>(x.size());
  for (const auto type : {aha::FloatType::BF16, aha::FloatType::F16}) {
    std::vector<std::uint16_t> bits(x.size(), 0xffff);
    Floats wide = poison(n);
    Device d(*gpu);
    auto* gbits = d.put(bits);
    float* gwide = d.put(wide);
    CHECK(cpu_ops().narrow({}, x.data(), n, type, bits.data()));
    CHECK(gpu->narrow({}, d.put(x), n, type, gbits));
    CHECK(d.get(gbits, x.size()) == bits);
    cpu_ops().widen({}, bits.data(), type, n, wide.data());
    gpu->widen({}, gbits, type, n, gwide);
    CHECK(same_bits(d.get(gwide, n), wide));
    for (const float large :
         {type == aha::FloatType::F16 ? 65520.0F : 3.4e38F, -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()})
      CHECK_FALSE(gpu->narrow({}, d.put(Floats{1.0F, large}), 2, type, gbits));
  }
}

TEST_CASE("gpu: sums that are rounded stochastically equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(17);
  for (const Index n : {0, 1, 7, 5000})
    for (const Index first : {0, 3, 4096}) {
      const Floats x = random.normal(n);
      std::vector<std::uint16_t> sums(at(n), 0x3f80);
      const aha::RandomKey key{9, aha::Purpose::Round, 2, 70'000, 3, 0};
      Device d(*gpu);
      auto* to = d.put(sums);
      gpu->add_stochastic({}, {d.put(x), n, to, key, first});
      cpu_ops().add_stochastic({}, {x.data(), n, sums.data(), key, first});
      CHECK(d.get(to, at(n)) == sums);
    }
}
