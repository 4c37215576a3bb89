#include "trainer/run/cost_model.h"

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/trainer/run/qwen_shapes.h"
#include "trainer/run/cluster_memory.h"

using namespace aha_test;
using aha::Zero;

namespace {

/// An H100 as a published roofline takes it: 3.0 TB/s copied, 700 TFLOP/s of products, nothing else.
aha::Cluster roofline(std::int64_t ranks = 1) {
  aha::MachineKind kind = aha::machine_kind("h100");
  kind.tflops_16 = 700;
  kind.memory_gb_s = 3000;
  kind.product_share = kind.memory_share = kind.link_share = 1;
  kind.decode_step_ms = kind.collective_ms = 0;
  return {kind, ranks, 8};
}

/// One completion a prompt in 16 bits.
aha::StepWork work(std::int64_t prompts, double prompt_tokens, double completion_tokens) {
  aha::StepWork w;
  w.prompts = prompts;
  w.generations = 1;
  w.prompt_tokens = prompt_tokens;
  w.completion_tokens = completion_tokens;
  w.micro_rows = 8192;
  w.decode_rows = 4096;
  w.weight_bytes = 2;
  return w;
}

aha::PhaseCost phase(const std::vector<aha::PhaseCost>& phases, const std::string& name) {
  for (const auto& p : phases)
    if (p.name == name) return p;
  FAIL("no phase " << name);
  return {};
}

double decode_ms(const aha::ModelConfig& model, std::int64_t rows) {
  const auto w = work(rows, 0, 1024);  // 512 positions on average
  const auto phases = aha::step_costs(aha::model_size(model), w, roofline(), Zero::Moments);
  return 1000 * phase(phases, "decode").seconds / w.completion_tokens;
}

}  // namespace

TEST_CASE("cost model: a decode step of one H100 takes what the published roofline says") {
  // ms a step at 512 positions: max(weights / 3.0 TB/s, 2 N rows / 700 TFLOP/s) + keys and values / 3.0 TB/s
  CHECK(decode_ms(qwen_05b(), 1) == Approx(0.33).epsilon(0.02));
  CHECK(decode_ms(qwen_05b(), 256) == Approx(0.90).epsilon(0.02));
  CHECK(decode_ms(qwen_05b(), 1024) == Approx(3.6).epsilon(0.02));
  CHECK(decode_ms(qwen_15b(), 512) == Approx(4.8).epsilon(0.03));
  CHECK(decode_ms(qwen_7b(), 64) == Approx(5.34).epsilon(0.03));
  CHECK(decode_ms(qwen_7b(), 1024) ==
        Approx(30.7).epsilon(0.08));  // it counts the embedding's rows
}

TEST_CASE("cost model: training is 6 FLOP a weight and token, and attention on top") {
  // Hoffmann et al. 2022, appendix F: 6 N a token; causal attention adds 3 % at 1,024 tokens of 1.5B
  const auto size = aha::model_size(qwen_15b());
  const auto w = work(64, 1, 1024);
  const double flop = phase(aha::step_costs(size, w, roofline(), Zero::Moments), "train").flop;
  const double tokens = 64 * 1024;
  const double again = 2.0 * static_cast<double>(size.head_weights);  // logits, made a second time
  CHECK(flop / tokens == Approx(6.0 * 1.5437e9 * 1.035 + again).epsilon(0.01));
}

TEST_CASE("cost model: blocks computed again are a forward pass more, without its last product") {
  // 2 x 28 x (1536 (2048 + 1536 + 2 x 8960)) FLOP a row, and attention over 1,024 / 2 positions: 4 x 28 x 1536 x 512
  const auto size = aha::model_size(qwen_15b());
  auto w = work(64, 0, 1024);
  const double kept = phase(aha::step_costs(size, w, roofline(), Zero::Moments), "train").flop;
  w.recomputed = true;
  const double again = phase(aha::step_costs(size, w, roofline(), Zero::Moments), "train").flop;
  const double row = 56.0 * 1536 * (2048 + 1536 + 2 * 8960) + 112.0 * 1536 * 512;
  CHECK(again - kept == Approx(64 * 1024 * row).epsilon(0.002));
}

TEST_CASE("cost model: a prompt's rows are computed once for all of its completions") {
  const auto size = aha::model_size(qwen_05b());
  auto alone = work(8, 512, 128);
  auto shared = work(1, 512, 128);
  shared.generations = 8;
  CHECK(aha::rows_of_update(alone, 1) == 8 * (512 + 127));
  CHECK(aha::rows_of_update(shared, 1) == 512 + 8 * 127);
  CHECK(aha::rows_of_update(alone, 2) == 4 * (512 + 127));
  CHECK(2 * aha::rows_of_update(shared, 2) == Approx(512 + 8 * 127 + 7.0 / 8 * 512));  // cut
  const auto flop = [&](const aha::StepWork& w) {
    return phase(aha::step_costs(size, w, roofline(), Zero::Moments), "prefill").flop;
  };
  CHECK(flop(alone) == Approx(8 * flop(shared)));
}

TEST_CASE("cost model: ranks divide the work, and send what rings of N send") {
  const auto size = aha::model_size(qwen_05b());
  const auto w = work(512, 128, 512);
  const auto one = aha::step_costs(size, w, roofline(), Zero::Moments);
  const auto eight = aha::step_costs(size, w, roofline(8), Zero::Moments);
  CHECK(phase(one, "train").flop == Approx(8 * phase(eight, "train").flop));
  CHECK(aha::sent_bytes_of(one) == 0);
  const double parameters = 494'032'768;
  CHECK(phase(eight, "reduce").sent_bytes == Approx(parameters * 4 * 7 / 8));
  CHECK(phase(eight, "share").sent_bytes == Approx(parameters * 2 * 7 / 8));  // as stored
  auto f32 = w;
  f32.weight_bytes = 4;
  CHECK(phase(aha::step_costs(size, f32, roofline(8), Zero::Moments), "share").sent_bytes ==
        Approx(parameters * 4 * 7 / 8));
  auto strict = w;
  strict.strict = true;
  CHECK(phase(aha::step_costs(size, strict, roofline(8), Zero::Moments), "reduce").sent_bytes ==
        Approx(parameters * 8 * 7 / 8));
  // over machines the network is what counts
  CHECK(phase(aha::step_costs(size, w, roofline(16), Zero::Moments), "share").seconds >
        8 * phase(eight, "share").seconds);
}

TEST_CASE("cost model: an update over Gloo sends what the loopback interface counted") {
  // bench_collectives in a network namespace of its own: ranks, parameters, MB of all ranks, headers included
  struct Count {
    std::int64_t ranks, parameters;
    double mb;
  };
  for (const auto& [ranks, parameters, mb] : {Count{2, 99'900, 0.80},
                                              {3, 99'900, 1.61},
                                              {4, 99'900, 2.41},
                                              {2, 1'000'000, 8.01},
                                              {4, 1'000'000, 24.03},
                                              {2, 10'000'000, 80.1},
                                              {3, 10'000'000, 160.4},
                                              {4, 10'000'000, 240.8},
                                              {2, 134'500'000, 1077.3}}) {
    aha::ModelSize size;
    size.parameters = parameters;
    auto f32 = work(1, 1, 1);
    f32.weight_bytes = 4;
    const auto phases =
        aha::step_costs(size, f32, {aha::machine_kind("cpu"), ranks, ranks}, Zero::Moments);
    const double sent = phase(phases, "reduce").sent_bytes + phase(phases, "share").sent_bytes;
    INFO(ranks << " ranks, " << parameters);
    CHECK(static_cast<double>(ranks) * sent / 1e6 == Approx(mb).epsilon(0.01));
  }
}

TEST_CASE("cost model: finer sharding sends more, each micro-batch and each decode step") {
  const auto size = aha::model_size(qwen_7b());
  auto w = work(512, 128, 512);
  const auto sent = [&](Zero zero) {
    return aha::sent_bytes_of(aha::step_costs(size, w, roofline(8), zero));
  };
  const double batches = std::ceil(aha::rows_of_update(w, 8) / 8192);
  CHECK(batches == 5);
  const auto two = aha::step_costs(size, w, roofline(8), Zero::Gradients);
  CHECK(phase(two, "reduce").sent_bytes ==
        Approx(batches * 4 * 7 / 8 * static_cast<double>(size.parameters)));
  CHECK(sent(Zero::Gradients) > sent(Zero::Moments));
  const double gathered = 2.0 * 7 / 8 * static_cast<double>(size.parameters);
  const auto three = aha::step_costs(size, w, roofline(8), Zero::Weights);
  CHECK(phase(three, "prefill").sent_bytes == Approx(gathered));
  CHECK(phase(three, "decode").sent_bytes == 0);
  CHECK(phase(three, "train").sent_bytes == Approx(batches * 2 * gathered));
  w.whole_in_rollout = false;
  const auto by_step = aha::step_costs(size, w, roofline(8), Zero::Weights);
  CHECK(phase(by_step, "decode").sent_bytes == Approx(512 * gathered));
}

TEST_CASE("cluster memory: states are what ZeRO's stages leave on a rank") {
  const auto model = qwen_7b();
  const double p = 7'615'616'512;
  const auto w = work(64, 128, 512);
  const auto states = [&](std::int64_t ranks, Zero zero) {
    const auto plan = aha::cluster_memory(model, w, roofline(ranks), zero);
    double sum = 0;
    for (const auto* name : {"weights", "values", "gradients", "moments"})
      sum += static_cast<double>(plan.part(name));
    return sum / p;
  };
  CHECK(states(1, Zero::Moments) == Approx(18));
  CHECK(states(64, Zero::Moments) == Approx(2 + 4 + 12.0 / 64));
  // two blocks and the edges, 152,064 x 3,584 twice, are on their way
  const double travelling = 2 * 233'057'792.0 + 2 * 152'064 * 3'584 + 3'584;
  CHECK(states(64, Zero::Gradients) == Approx(2 + 16.0 / 64 + 4 * travelling / p));
  CHECK(states(64, Zero::Weights) == Approx(18.0 / 64).margin(1.5));
  auto strict = w;
  strict.strict = true;
  const auto strict_plan = aha::cluster_memory(model, strict, roofline(1), Zero::Moments);
  CHECK(static_cast<double>(strict_plan.part("gradients")) == Approx(12 * p));
}

TEST_CASE("cluster memory: says which setting makes a job fit") {
  aha::Cluster h100{aha::machine_kind("h100"), 1, 8};
  auto w = work(64, 256, 1024);
  w.generations = 8;
  const auto advice = [&](const aha::ModelConfig& model) {
    return aha::advice_to_fit(model, w, h100, Zero::Moments);
  };
  CHECK(advice(qwen_05b()).empty());
  w.micro_rows = 262'144;
  CHECK_THAT(advice(qwen_15b()), contains("train.max_tokens_per_micro_batch"));
  w.completion_tokens = 40'000;  // one sequence is too much for what is kept of it
  w.decode_rows = 8;
  CHECK(advice(qwen_15b()) == "set train.gradient_checkpointing to true");
  w.completion_tokens = 1024;
  w.micro_rows = 4096;
  w.decode_rows = 512;
  CHECK_THAT(advice(qwen_7b()), contains("ZeRO") || contains("machine") || contains("ranks"));
  w.micro_rows = 8192;
  w.decode_rows = 100'000;
  w.prompts = 4096;
  CHECK_THAT(advice(qwen_15b()), contains("rollout.max_batch_size"));
  w.reference = true;
  const auto of_3b = qwen(2048, 11008, 42, 16, 2);  // 24 bytes a parameter are too much, 18 are not
  CHECK_THAT(advice(of_3b), contains("objective.beta to 0") && contains("gradient_checkpointing"));
  w.recomputed = true;
  CHECK_THAT(advice(of_3b), contains("objective.beta to 0") && !contains("gradient_checkpointing"));
}

TEST_CASE("machines: an unknown kind names those there are") {
  CHECK(aha::machine_kind("h100").memory_gib == 79);
  CHECK_THAT(error_of([] { aha::machine_kind("h1000"); }),
             contains("h1000") && contains("h100, h200") && contains("cpu"));
}
