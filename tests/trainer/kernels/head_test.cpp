#include <algorithm>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/reference.h"
#include "trainer/core/json.h"

using namespace aha_test;
using aha::Index;

namespace {

struct Drawn {
  Ints ids;
  Floats logprobs, entropies;
};

Drawn sample(const aha::Ops& ops, const Floats& h, const Floats& w, Index C,
             aha::HeadSample settings, const std::vector<double>& uniforms) {
  const Index M = static_cast<Index>(h.size()) / C;
  const Index V = static_cast<Index>(w.size()) / C;
  Drawn d{Ints(at(M), -1), poison(M), poison(M)};
  const Floats w_packed = packed(ops, w, V, C);
  settings.h = h.data();
  settings.w = {w.data(), w_packed.data()};
  settings.uniforms = uniforms.empty() ? nullptr : uniforms.data();
  settings.ids = d.ids.data();
  settings.logprobs = d.logprobs.data();
  settings.entropies = d.entropies.data();
  settings.M = M;
  settings.C = C;
  settings.V = V;
  ops.head_sample({}, settings);
  return d;
}

aha::HeadSample settings(float inv_temperature, Index top_k = 0, float top_p = 1.0F,
                         float min_p = 0.0F) {
  aha::HeadSample s{};
  s.inv_temperature = inv_temperature;
  s.top_k = top_k;
  s.top_p = top_p;
  s.min_p = min_p;
  return s;
}

}  // namespace

TEST_CASE("head: log-probability, entropy and their gradients equal ATen autograd") {
  Random random(31);
  for (const Index V : {2, 16, 17, 110, 300, 5000}) {
    const Index M = random.between(1, 40);
    const Index C = random.between(3, 40);
    const float inv_temperature = V % 2 == 0 ? 1.0F : 1.25F;
    const reference::HeadInput in{random.normal(M * C),
                                  random.normal(V * C, 0.5F),
                                  random.ids(M, V),
                                  random.normal(M),
                                  random.normal(M),
                                  M,
                                  C,
                                  V,
                                  inv_temperature};
    const auto expected = reference::head(in);
    for (const auto* ops : tables()) {
      INFO(ops->name << " M " << M << " C " << C << " V " << V);
      const Floats w_packed = packed(*ops, in.w, V, C);
      Floats logprobs = poison(M);
      Floats entropies = poison(M);
      ops->head_logprob({}, {in.h.data(),
                             {in.w.data()},
                             in.targets.data(),
                             logprobs.data(),
                             entropies.data(),
                             M,
                             C,
                             V,
                             inv_temperature});
      CHECK(gap(logprobs, expected.logprobs) < kTolerance);
      CHECK(gap(entropies, expected.entropies) < kTolerance);
      Floats dh = poison(M * C);
      Floats dw(at(V * C), 0.0F);
      ops->head_logprob_backward({}, {in.h.data(),
                                      {in.w.data(), w_packed.data()},
                                      in.targets.data(),
                                      in.d_logprob.data(),
                                      in.d_entropy.data(),
                                      dh.data(),
                                      dw.data(),
                                      M,
                                      C,
                                      V,
                                      inv_temperature});
      CHECK(gap(dh, expected.dh) < kTolerance);
      CHECK(gap(dw, expected.dw) < kTolerance);
    }
  }
}

TEST_CASE(
    "sampler: the id is the inverse CDF of the uniform, in f64, and its logprob is HeadLogprob's "
    "bits") {
  Random random(32);
  for (const Index V : {2, 16, 110, 700}) {
    const Index M = 200;
    const Index C = 24;
    const Floats h = random.normal(M * C);
    const Floats w = random.normal(V * C, 0.4F);
    std::vector<double> uniforms;
    for (Index r = 0; r < M; ++r)
      uniforms.push_back(random.uniform());
    uniforms[0] = 0.5 * 0x1p-32;
    uniforms[1] = 1.0 - 0.5 * 0x1p-32;
    const auto logits = reference::head({h, w, Ints(at(M), 0), Floats(at(M), 0.0F),
                                         Floats(at(M), 0.0F), M, C, V, 1.0})
                            .logits;
    for (const auto* ops : tables()) {
      INFO(ops->name << " V " << V);
      const float inv_temperature = 1.3F;
      const Drawn d = sample(*ops, h, w, C, settings(inv_temperature), uniforms);
      for (Index r = 0; r < M; ++r) {
        std::vector<double> cdf;
        double sum = 0;
        for (Index j = 0; j < V; ++j)
          cdf.push_back(sum +=
                        std::exp(logits[at(r * V + j)] * static_cast<double>(inv_temperature)));
        const double target = uniforms[at(r)] * sum;
        const auto id = d.ids[at(r)];
        REQUIRE((id >= 0 && id < V));
        CHECK(cdf[at(id)] > target - 1e-5 * sum);
        CHECK((id == 0 ? 0.0 : cdf[at(id - 1)]) < target + 1e-5 * sum);
      }
      Floats logprobs = poison(M);
      Floats entropies = poison(M);
      ops->head_logprob({}, {h.data(),
                             {w.data()},
                             d.ids.data(),
                             logprobs.data(),
                             entropies.data(),
                             M,
                             C,
                             V,
                             inv_temperature});
      CHECK(same_bits(logprobs, d.logprobs));
      CHECK(same_bits(entropies, d.entropies));
    }
  }
}

TEST_CASE("sampler: without uniforms the smallest id among the largest logits") {
  const Index C = 1;
  const Floats h{1.0F, -1.0F};
  const Floats w{0.5F, 2.0F, -3.0F, 2.0F, -3.0F};
  for (const auto* ops : tables()) {
    const Drawn d = sample(*ops, h, w, C, settings(1.0F), {});
    CHECK(d.ids == Ints{1, 2});
  }
}

TEST_CASE("sampler: frequencies over evenly spaced uniforms are the probabilities") {
  const Index V = 37;
  const Index M = 20'000;
  Random random(33);
  const Floats w = random.normal(V);
  const Floats h(at(M), 1.0F);
  std::vector<double> uniforms(at(M));
  for (Index r = 0; r < M; ++r)
    uniforms[at(r)] = (static_cast<double>(r) + 0.5) / static_cast<double>(M);
  double sum = 0;
  for (const float z : w)
    sum += std::exp(static_cast<double>(z));
  for (const auto* ops : tables()) {
    const Drawn d = sample(*ops, h, w, 1, settings(1.0F), uniforms);
    for (Index j = 0; j < V; ++j) {
      const double expected =
          std::exp(static_cast<double>(w[at(j)])) / sum * static_cast<double>(M);
      CHECK(std::abs(static_cast<double>(std::count(d.ids.begin(), d.ids.end(), j)) - expected) <
            2.0);
    }
  }
}

TEST_CASE("sampler: top_k, top_p and min_p leave transformers' ids with its probabilities") {
  std::ifstream file(AHA_SOURCE_DIR "/tests/golden/model/truncation.json");
  const auto golden = aha::Json::parse(file);
  const Index M = 5000;
  std::vector<double> uniforms(at(M));
  for (Index r = 0; r < M; ++r)
    uniforms[at(r)] = (static_cast<double>(r) + 0.5) / static_cast<double>(M);
  for (const auto& c : golden.at("cases")) {
    const auto logits = c.at("logits").get<Floats>();
    std::vector<double> expected(logits.size(), 0.0);
    for (std::size_t i = 0; i < c.at("ids").size(); ++i)
      expected[c.at("ids")[i].get<std::size_t>()] =
          c.at("probabilities")[i].get<double>() * static_cast<double>(M);
    for (const auto* ops : tables()) {
      INFO(ops->name << " " << c.at("temperature") << " " << c.at("top_k") << " " << c.at("top_p")
                     << " " << c.at("min_p") << " of " << logits.size());
      const auto inverse = static_cast<float>(1.0 / c.at("temperature").get<double>());
      const Drawn d = sample(*ops, Floats(at(M), 1.0F), logits, 1,
                             settings(inverse, c.at("top_k").get<Index>(),
                                      c.at("top_p").get<float>(), c.at("min_p").get<float>()),
                             uniforms);
      std::vector<double> counts(logits.size(), 0.0);
      for (const auto id : d.ids)
        counts[at(id)] += 1;
      for (std::size_t id = 0; id < counts.size(); ++id)
        CHECK(std::abs(counts[id] - expected[id]) < 1.5);
    }
  }
  CHECK(golden.at("cases").size() == 21);
}

TEST_CASE("sampler: a logit that is not finite gives an id of the vocabulary and a NaN logprob") {
  for (const auto* ops : tables())
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
      for (const Index top_k : {0, 3}) {
        Floats w(40, 0.1F);
        w[13] = bad;
        const Drawn d = sample(*ops, {1.0F}, w, 1, settings(1.0F, top_k), {0.7});
        CHECK((d.ids[0] >= 0 && d.ids[0] < 40));
        CHECK(std::isnan(d.logprobs[0]));
      }
}
