#include "tests/rollout/rollout_support.h"
#include "trainer/objective/batch.h"

#include "tests/support/catch.h"

using namespace aha_test;
using aha::FloatType;
using aha::Index;

namespace {

/// The training log-probability and entropy of every sampled token, packed into micro-batches.
void check_parity(Model& model, const std::vector<Group>& groups, aha::Exec exec,
                  float inv_temperature, std::int64_t max_tokens) {
  std::vector<aha::SampleRef> samples;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t c = 0; c < groups[g].completions.size(); ++c)
      samples.push_back({g, c});
  aha::Activations kept(model.decoder.config());
  aha::BlockScratch scratch(model.decoder.config());
  const Index C = model.config.hidden_size;
  std::size_t tokens = 0;
  for (const auto& sections : aha::plan_micro_batches(groups, samples, {max_tokens, 0, 0})) {
    const aha::MicroBatch micro = aha::pack(groups, sections);
    aha::RowBatch batch{micro.ids, micro.positions, micro.tables, micro.copies,
                        micro.section_starts};
    batch.num_blocks = micro.num_blocks;
    const float* hidden = model.decoder.forward(exec, model.weights, batch, kept, scratch);
    std::vector<float> rows;
    for (const auto r : micro.loss_rows)
      rows.insert(rows.end(), hidden + r * C, hidden + (r + 1) * C);
    std::vector<float> logprobs(micro.targets.size());
    std::vector<float> entropies(micro.targets.size());
    model.decoder.ops().head_logprob(
        exec, {rows.data(), model.weights.edges().head, micro.targets.data(), logprobs.data(),
               entropies.data(), micro.tokens(), C, model.config.vocab_size, inv_temperature});
    for (std::size_t i = 0; i < micro.samples.size(); ++i) {
      const auto& c = groups[micro.samples[i].group].completions[micro.samples[i].completion];
      const auto first = static_cast<std::size_t>(micro.offsets[i]);
      REQUIRE(micro.offsets[i + 1] - micro.offsets[i] == c.length());
      CHECK(std::memcmp(&logprobs[first], c.logprobs.data(), c.ids.size() * 4) == 0);
      CHECK(std::memcmp(&entropies[first], c.entropies.data(), c.ids.size() * 4) == 0);
      tokens += c.ids.size();
    }
  }
  CHECK(tokens > 100);
}

/// Too large for packed copies beside its weights.
aha::ModelConfig unpacked_config() {
  auto c = toy_config(true);
  c.vocab_size = 12000;
  c.hidden_size = 384;
  c.head_dim = 128;
  c.intermediate_size = 512;
  return c;
}

}  // namespace

TEST_CASE("parity: rollout and training log-probabilities have the same bits", "[rollout]") {
  aha::ThreadPool two(2);
  for (const auto& config : bit_configs())
    for (const auto* ops : kernel_tables())
      for (const double temperature : {1.0, 0.7}) {
        Model model = varied(config, *ops);
        auto p = params();
        p.temperature = temperature;
        const auto groups = rollout(model, p, {}, 5);
        const auto inverse = static_cast<float>(1.0 / temperature);
        for (const std::int64_t max_tokens : {100, 4096}) {
          INFO(ops->name << " " << config.model_type << " temperature " << temperature << " tokens "
                         << max_tokens);
          check_parity(model, groups, {}, inverse, max_tokens);
          check_parity(model, groups, aha::Exec{&two}, inverse, max_tokens);
        }
      }
}

TEST_CASE("parity: weights stored in 16 bits are one set for rollout and training", "[rollout]") {
  aha::ThreadPool two(2);
  for (const auto storage : {FloatType::BF16, FloatType::F16}) {
    for (const auto& config : bit_configs())
      for (const auto* ops : kernel_tables()) {
        INFO(ops->name << " " << config.model_type << " storage " << static_cast<int>(storage));
        Model model = varied(config, *ops, storage);
        const auto groups = rollout(model, params(), {}, 5);
        check_parity(model, groups, aha::Exec{&two}, 1.0F, 100);
      }
    // rows few and many, of weights that are read as they lie
    for (const char* name : {"avx512", "avx2"}) {
      const auto* ops = aha::cpu_ops(name);
      if (ops == nullptr) continue;
      Model model = varied(unpacked_config(), *ops, storage);
      REQUIRE(model.layout.total * 4 > 32 << 20);
      const auto groups = rollout(model, params(), aha::Exec{&two});
      check_parity(model, groups, aha::Exec{&two}, 1.0F, 100);
      check_parity(model, groups, {}, 1.0F, 4096);
    }
  }
}
