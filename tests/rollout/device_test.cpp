// Decoding on a device, in slots that feed themselves, against one token after the other.
#include <algorithm>
#include <map>
#include <set>

#include "rollout/device_steps.h"
#include "tests/rollout/one_by_one.h"
#include "tests/support/error_of.h"

#include "tests/support/catch.h"

using namespace aha_test;
using aha::FinishReason;

namespace {

/// The same, where products allow it; else all but a few completions have the same ids: a uniform may fall on the
/// other side of a border.
bool alike(const std::vector<Group>& a, const std::vector<Group>& b) {
  if (products_know_one_row()) return same(a, b);
  int different = a.size() == b.size() ? 0 : 99;
  for (std::size_t g = 0; different < 99 && g < a.size(); ++g)
    for (std::size_t c = 0; c < a[g].completions.size(); ++c)
      different += a[g].completions[c].ids == b[g].completions[c].ids ? 0 : 1;
  return different <= 1;
}

/// Weights that lie elsewhere from one rollout to the next.
struct Moving : aha::ParameterProvider {
  explicit Moving(aha::ParameterProvider& first) : now(&first) {}
  aha::EdgeWeights edges() override { return now->edges(); }
  aha::BlockWeights gather(Index layer) override { return now->gather(layer); }
  aha::ParameterProvider* now;
};

std::vector<SamplingParams> ways() {
  auto plain = params();
  plain.max_completion_length = 13;
  auto truncated = plain;
  truncated.temperature = 0.7;
  truncated.top_k = 20;
  truncated.top_p = 0.9;
  truncated.min_p = 0.01;
  auto greedy = plain;
  greedy.temperature = 0;
  auto strings = plain;
  strings.stop_strings = {"ab", "q", "e"};
  auto unstopped = plain;
  unstopped.stop_ids.clear();
  unstopped.max_completion_length = 9;
  return {plain, truncated, greedy, strings, unstopped};
}

}  // namespace

TEST_CASE("device: completions are those of one token after the other, in any slot and batch",
          "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  auto config = toy_family("qwen2");
  config.num_hidden_layers = 2;
  for (const auto storage : {aha::FloatType::F32, aha::FloatType::BF16}) {
    Model model = varied(config, *gpu, storage);
    std::set<FinishReason> seen;
    Engine all(model.decoder, model.weights, {}, model.config.vocab_size, letters);
    Engine three(model.decoder, model.weights, {}, model.config.vocab_size, letters, 3);
    const auto asked = requests(model.config.vocab_size);
    for (std::size_t way = 0; way < ways().size(); ++way) {
      INFO("way " << way << ", storage " << static_cast<int>(storage));
      const auto p = ways()[way];
      const auto expected = one_by_one(model, p);
      for (const auto& group : expected)
        for (const auto& c : group.completions)
          seen.insert(c.finish);
      CHECK(alike(three.generate(asked, p), expected));
      if (way % 3 == 0) CHECK(alike(all.generate(asked, p), expected));
    }
    CHECK(seen.size() == 3);
  }
}

TEST_CASE("device: tokens are those of a CPU", "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  for (auto config : {toy_config(false), toy_family("qwen3"), toy_family("phi3")}) {
    INFO(config.model_type);
    config.num_hidden_layers = 2;
    auto p = params();
    p.max_completion_length = 9;
    Model there = varied(config, *gpu);
    Model here = varied(config, aha::cpu_ops());
    const auto got = rollout(there, p, {}, 5);
    const auto expected = rollout(here, p);
    for (std::size_t g = 0; g < expected.size(); ++g)
      for (std::size_t c = 0; c < expected[g].completions.size(); ++c) {
        CHECK(got[g].completions[c].ids == expected[g].completions[c].ids);
        CHECK(gap(got[g].completions[c].logprobs, expected[g].completions[c].logprobs) < kCloseF32);
      }
  }
}

TEST_CASE("device: with memory for fewer rows fewer run at once, and say the same",
          "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr || gpu->device->state().name != std::string("a pretended GPU")) return;
  Model model = varied(toy_config(true), *gpu);
  const auto p = params();
  const auto asked = requests(model.config.vocab_size);
  const auto free = [&] { return gpu->device->state().free; };
  const auto limit_memory = [&](std::int64_t left) {
    const auto used = gpu->device->state().total - free();
    setenv("AHA_PRETENDED_BYTES", std::to_string(used + left).c_str(), 1);
  };
  const std::int64_t before = free();
  std::int64_t taken = 0;
  std::vector<Group> expected;
  {
    Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
    expected = engine.generate(asked, p);
    taken = before - free();
  }
  const aha::Scheduler all(asked, 0, p.max_completion_length);
  const auto cache = aha::KvCache::bytes_for(model.config, all.num_blocks());
  {
    Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
    limit_memory(taken - cache / 2 - (before - free()));
    CHECK(same(engine.generate(asked, p), expected));
    CHECK(engine.last_stats().completion_tokens > 0);
  }
  unsetenv("AHA_PRETENDED_BYTES");
  {
    Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
    limit_memory(4096);
    CHECK_THAT(error_of([&] { (void)engine.generate(asked, p); }), contains("memory of the GPU"));
    unsetenv("AHA_PRETENDED_BYTES");
    CHECK(same(engine.generate(asked, p), expected));  // and it works on
  }
}

TEST_CASE("device: what is large is taken before prompts are computed", "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr || gpu->device->state().name != std::string("a pretended GPU")) return;
  Model model = varied(toy_config(true), *gpu);
  const auto p = params();
  const auto free = [&] { return gpu->device->state().free; };
  (void)rollout(model, p);  // which leaves scratch memory that is shared
  const std::int64_t before = free();
  std::int64_t begun = 0;
  aha::RolloutHooks hooks;
  hooks.cancelled = [&] {
    if (begun == 0) begun = free();
    return false;
  };
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
  engine.generate(requests(model.config.vocab_size), p, 0, hooks);
  // pages of small arrays and of the graphs of other buckets
  CHECK(begun - free() <= 24 * 4096);
  CHECK(before - begun > 48 * 4096);
}

TEST_CASE("device: tokens are told in their order, and none after the end of their completion",
          "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Model model = varied(toy_config(true), *gpu);
  auto p = ways()[3];
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 5);
  const auto asked = requests(model.config.vocab_size);
  std::map<std::pair<std::size_t, std::int64_t>, std::vector<aha::TokenId>> told;
  aha::RolloutHooks hooks;
  hooks.on_token = [&](std::size_t request, const Completion& c) {
    told[{request, c.index}].push_back(c.ids.back());
  };
  const auto groups = engine.generate(asked, p, 0, hooks);
  std::int64_t tokens = 0;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const auto& c : groups[g].completions) {
      CHECK(told[{g, c.index}] == c.ids);
      tokens += c.length();
    }
  CHECK(engine.last_stats().completion_tokens == tokens);
  CHECK(engine.last_stats().decode_steps % aha::DeviceSteps::kSteps == 0);
}

TEST_CASE("device: an engine whose cache and batch grow, and that was cancelled, works on",
          "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Model model = varied(toy_config(true), *gpu);
  const auto p = ways()[0];
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
  const auto asked = requests(model.config.vocab_size);
  auto few = asked;
  few.resize(2);
  const auto small = engine.generate(few, p);
  aha::RolloutHooks hooks;
  hooks.cancelled = [&, questions = 0]() mutable { return ++questions > 3; };
  CHECK(engine.generate(asked, p, 0, hooks).empty());
  const auto groups = engine.generate(asked, p);
  CHECK(alike(groups, rollout(model, p)));
  CHECK(alike({groups.begin(), groups.begin() + 2}, small));
  CHECK(alike(engine.generate(few, p), small));
  // a cache that grows though the rows do not
  Engine three(model.decoder, model.weights, {}, model.config.vocab_size, letters, 3);
  three.generate(few, ways()[4]);
  CHECK(alike(three.generate(asked, p), groups));
}

TEST_CASE("device: weights that moved between rollouts are read where they are", "[rollout][gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const auto config = toy_config(true);
  Model first = varied(config, *gpu);
  Model second(config, aha::init_parameters(aha::make_layout(config), config, 2), *gpu);
  const auto p = ways()[0];
  const auto asked = requests(config.vocab_size);
  Moving weights(first.weights);
  Engine engine(first.decoder, weights, {}, config.vocab_size, letters);
  for (Model* model : {&first, &second, &second, &first}) {
    weights.now = &model->weights;
    CHECK(alike(engine.generate(asked, p), rollout(*model, p)));
  }
  CHECK_FALSE(alike(rollout(first, p), rollout(second, p)));
}
