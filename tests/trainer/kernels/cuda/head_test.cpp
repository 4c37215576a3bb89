#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;
using aha::cpu_ops;

namespace {

struct Input {
  Index M, C, V;
  float inv_temperature;
  Floats h, w;
  Ints targets;
};

Input input(Random& random, Index M, Index C, Index V, float scale = 0.5F) {
  return {M,
          C,
          V,
          V % 2 == 0 ? 1.0F : 1.25F,
          random.normal(M * C),
          random.normal(V * C, scale),
          random.ids(M, V)};
}

struct Drawn {
  Ints ids;
  Floats logprobs, entropies;
};

aha::HeadSample task(const Input& in, const aha::HeadSample& settings) {
  aha::HeadSample s = settings;
  s.M = in.M;
  s.C = in.C;
  s.V = in.V;
  s.inv_temperature = in.inv_temperature;
  return s;
}

Drawn draw_on_cpu(const Input& in, const aha::HeadSample& settings,
                  const std::vector<double>& uniforms) {
  Drawn d{Ints(at(in.M), -1), poison(in.M), poison(in.M)};
  aha::HeadSample s = task(in, settings);
  s.h = in.h.data();
  s.w = {in.w.data()};
  s.uniforms = uniforms.empty() ? nullptr : uniforms.data();
  s.ids = d.ids.data();
  s.logprobs = d.logprobs.data();
  s.entropies = d.entropies.data();
  cpu_ops().head_sample({}, s);
  return d;
}

Drawn draw_on_gpu(const aha::Ops& ops, const Input& in, const aha::HeadSample& settings,
                  const std::vector<double>& uniforms) {
  Device d(ops);
  aha::HeadSample s = task(in, settings);
  s.h = d.put(in.h);
  s.w = {d.put(in.w)};
  s.uniforms = uniforms.empty() ? nullptr : d.put(uniforms);
  s.ids = d.put(Ints(at(in.M), -1));
  s.logprobs = d.put(poison(in.M));
  s.entropies = d.put(poison(in.M));
  ops.head_sample({}, s);
  return {d.get(s.ids, at(in.M)), d.get(s.logprobs, in.M), d.get(s.entropies, in.M)};
}

aha::HeadSample settings(Index top_k = 0, float top_p = 1.0F, float min_p = 0.0F) {
  aha::HeadSample s{};
  s.top_k = top_k;
  s.top_p = top_p;
  s.min_p = min_p;
  return s;
}

/// Rows whose id differs: where the products' sums differ, a uniform may fall on the other side of a border.
Index different(const Ints& a, const Ints& b) {
  Index count = a.size() == b.size() ? 0 : static_cast<Index>(a.size());
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    count += a[i] != b[i] ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("gpu: log-probability, entropy and their gradients equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(31);
  for (const Index V : {2, 17, 256, 300, 5000})
    for (const auto type : kTypes) {
      const Input in = input(random, random.between(1, 20), random.between(3, 40), V);
      INFO("V " << V << " M " << in.M << " C " << in.C);
      const double close = type == aha::FloatType::F32 ? kCloseF32 : kClose16;
      const Stored w(cpu_ops(), in.w, type);
      const Floats d_logprob = random.normal(in.M);
      const Floats d_entropy = random.normal(in.M);
      Floats logprobs = poison(in.M), entropies = poison(in.M), dh = poison(in.M * in.C);
      Floats dw(at(V * in.C), 0.0F);
      const aha::Weight cw{w.f32.data()};
      cpu_ops().head_logprob({}, {in.h.data(), cw, in.targets.data(), logprobs.data(),
                                  entropies.data(), in.M, in.C, V, in.inv_temperature});
      cpu_ops().head_logprob_backward(
          {}, {in.h.data(), cw, in.targets.data(), d_logprob.data(), d_entropy.data(), dh.data(),
               dw.data(), in.M, in.C, V, in.inv_temperature});
      for (const bool keep : {false, true}) {
        const Index kept = aha::head_kept_floats(in.M, V, type);
        CHECK((kept > 0) == (type != aha::FloatType::F32));
        if (keep && kept == 0) continue;
        Device d(*gpu);
        const float* h = d.put(in.h);
        const aha::Weight gw{d.put(w.bits), nullptr, type};
        const auto* targets = d.put(in.targets);
        float* glogprobs = d.put(poison(in.M));
        float* gentropies = d.put(poison(in.M));
        float* gdh = d.put(poison(in.M * in.C));
        float* gdw = d.put(Floats(at(V * in.C), 0.0F));
        float* gkept = keep ? d.put(poison(kept)) : nullptr;
        gpu->head_logprob(
            {}, {h, gw, targets, glogprobs, gentropies, in.M, in.C, V, in.inv_temperature, gkept});
        gpu->head_logprob_backward(
            {}, {h, gw, targets, d.put(d_logprob), d.put(d_entropy), gdh, gdw, in.M, in.C, V,
                 in.inv_temperature, glogprobs, gentropies, gkept});
        CHECK(gap(d.get(glogprobs, in.M), logprobs) < close);
        CHECK(gap(d.get(gentropies, in.M), entropies, 1.0) < close);
        CHECK(gap(d.get(gdh, in.M * in.C), dh) < close);
        CHECK(gap(d.get(gdw, V * in.C), dw) < close);
      }
    }
}

TEST_CASE("gpu: a row of logits that are not numbers shows, and no other row does", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(37);
  Input in = input(random, 3, 8, 600);
  in.h[at(8 + 2)] = NAN;
  const Stored w(cpu_ops(), in.w, aha::FloatType::BF16);
  Device d(*gpu);
  const float* h = d.put(in.h);
  const aha::Weight gw{d.put(w.bits), nullptr, aha::FloatType::BF16};
  const auto* targets = d.put(in.targets);
  float* logprobs = d.put(poison(in.M));
  float* entropies = d.put(poison(in.M));
  float* dh = d.put(poison(in.M * in.C));
  float* dw = d.put(Floats(at(in.V * in.C), 0.0F));
  float* kept = d.put(poison(aha::head_kept_floats(in.M, in.V, aha::FloatType::BF16)));
  gpu->head_logprob({}, {h, gw, targets, logprobs, entropies, in.M, in.C, in.V, 1.0F, kept});
  gpu->head_logprob_backward({}, {h, gw, targets, d.put(Floats(3, 1.0F)), nullptr, dh, dw, in.M,
                                  in.C, in.V, 1.0F, logprobs, entropies, kept});
  const Floats of_rows = d.get(logprobs, in.M);
  const Floats gradient = d.get(dh, in.M * in.C);
  for (Index row = 0; row < in.M; ++row) {
    CHECK(std::isnan(of_rows[at(row)]) == (row == 1));
    CHECK(std::isnan(gradient[at(row * in.C)]) == (row == 1));
  }
}

TEST_CASE("gpu: the sampler draws the CPU's ids", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(32);
  for (const Index V : {2, 16, 110, 700, 5000})
    for (const auto& how :
         {settings(), settings(1), settings(9), settings(0, 0.8F), settings(0, 1.0F, 0.05F),
          settings(40, 0.9F, 0.02F), settings(10000, 0.05F)}) {
      const Input in = input(random, 40, 24, V, 0.4F);
      INFO("V " << V << " top_k " << how.top_k << " top_p " << how.top_p << " min_p " << how.min_p);
      std::vector<double> uniforms;
      for (Index r = 0; r < in.M; ++r)
        uniforms.push_back(random.uniform());
      uniforms[0] = 0.5 * 0x1p-32;
      uniforms[1] = 1.0 - 0.5 * 0x1p-32;
      const Drawn cpu = draw_on_cpu(in, how, uniforms);
      const Drawn other = draw_on_gpu(*gpu, in, how, uniforms);
      CHECK(different(other.ids, cpu.ids) <= 1);
      if (different(other.ids, cpu.ids) > 0) continue;
      CHECK(gap(other.logprobs, cpu.logprobs) < kCloseF32);
      CHECK(gap(other.entropies, cpu.entropies, 1.0) < kCloseF32);
    }
}

TEST_CASE("gpu: a draw from a large vocabulary is the CPU's, flat or peaked", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(36);
  constexpr Index kVocabulary = 20001;
  for (const float scale : {0.01F, 1.0F, 8.0F}) {
    const Input in = input(random, 48, 8, kVocabulary, scale);
    INFO("scale " << scale);
    std::vector<double> uniforms;
    for (Index r = 0; r < in.M; ++r)
      uniforms.push_back((static_cast<double>(r) + random.uniform()) / static_cast<double>(in.M));
    uniforms.front() = 0.5 * 0x1p-32;
    uniforms.back() = 1.0 - 0.5 * 0x1p-32;
    const Drawn cpu = draw_on_cpu(in, settings(), uniforms);
    const Drawn other = draw_on_gpu(*gpu, in, settings(), uniforms);
    CHECK(different(other.ids, cpu.ids) <= 1);
    if (different(other.ids, cpu.ids) > 0) continue;
    CHECK(gap(other.logprobs, cpu.logprobs) < kCloseF32);
    CHECK(gap(other.entropies, cpu.entropies, 1.0) < kCloseF32);
  }
}

TEST_CASE("gpu: without uniforms the smallest id among the largest logits", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(33);
  Input in = input(random, 12, 8, 900);
  for (Index i = 0; i < 8; ++i)  // two equal heaviest rows
    in.w[at(400 * 8 + i)] = in.w[at(77 * 8 + i)] = in.h[at(i)] * 3.0F;
  const Drawn cpu = draw_on_cpu(in, settings(), {});
  const Drawn other = draw_on_gpu(*gpu, in, settings(), {});
  CHECK(cpu.ids[0] == 77);
  CHECK(other.ids == cpu.ids);
}

TEST_CASE("gpu: of equally heavy ids those with the smaller number stay", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Input in{400, 1, 64, 1.0F, Floats(400, 1.0F), Floats(64, 0.0F), Ints(400, 0)};
  std::vector<double> uniforms;
  for (Index r = 0; r < in.M; ++r)
    uniforms.push_back((static_cast<double>(r) + 0.5) / static_cast<double>(in.M));
  for (const auto& how : {settings(5), settings(0, 0.25F), settings(5, 0.5F), settings(5, 0.9F)}) {
    const Drawn cpu = draw_on_cpu(in, how, uniforms);
    const Drawn other = draw_on_gpu(*gpu, in, how, uniforms);
    CHECK(other.ids == cpu.ids);
  }
}
