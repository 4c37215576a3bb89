// Decoding on a device, in slots that feed themselves, against one token after the other.
#include <algorithm>
#include <map>
#include <set>

#include "rollout/device_steps.h"
#include "tests/rollout/rollout_support.h"
#include "tests/support/error_of.h"
#include "tests/trainer/kernels/cuda/gpu.h"

#include "tests/support/catch.h"

using namespace aha_test;
using aha::FinishReason;

namespace {

/// Each token by a forward pass and a draw of its own, its id taken to the host and back.
class OneByOne {
 public:
  OneByOne(Model& model, const SamplingParams& params)
      : model_(&model), params_(&params), cache_(model.config) {
    for (std::int32_t b = 0; b < 8; ++b)
      table_.push_back(7 - b);
    cache_.reserve(8, memory(), model.weights.storage());
  }

  Completion completion(const GroupRequest& request, std::int64_t index) {
    Completion c;
    c.index = index;
    auto ids = request.prompt.ids;
    std::int32_t position = 0;
    for (;;) {
      std::vector<std::int32_t> positions;
      for (std::size_t i = 0; i < ids.size(); ++i)
        positions.push_back(position++);
      const std::vector<const std::int32_t*> tables(ids.size(), table_.data());
      const float* hidden = model_->decoder.forward(
          {}, model_->weights, {ids, positions, tables, {}, {}}, cache_, scratch_);
      take(hidden + (std::ssize(ids) - 1) * model_->config.hidden_size, request.ordinal, c);
      if (ends(c)) return c;
      ids = {c.ids.back()};
    }
  }

 private:
  const aha::Memory& memory() const { return *model_->decoder.ops().memory; }

  void take(const float* hidden, std::uint64_t ordinal, Completion& c) {
    const SamplingParams& p = *params_;
    const double uniform =
        aha::uniform({p.seed, p.purpose, p.stage, ordinal, static_cast<std::uint64_t>(c.index),
                      static_cast<std::uint64_t>(c.length())});
    Device d(model_->decoder.ops());
    auto* id = d.put(Ints{-1});
    auto* logprob = d.put(poison(1));
    auto* entropy = d.put(poison(1));
    const bool greedy = p.temperature == 0;
    model_->decoder.ops().head_sample(
        {}, {hidden, model_->weights.edges().head,
             greedy ? nullptr : d.put(std::vector<double>{uniform}), id, logprob, entropy, 1,
             model_->config.hidden_size, model_->config.vocab_size,
             greedy ? 1.0F : static_cast<float>(1.0 / p.temperature), p.top_k,
             static_cast<float>(p.top_p), static_cast<float>(p.min_p)});
    c.ids.push_back(d.get(id, std::size_t{1})[0]);
    c.logprobs.push_back(d.get(logprob, Index{1})[0]);
    c.entropies.push_back(d.get(entropy, Index{1})[0]);
    c.sampled.push_back(1);
  }

  bool ends(Completion& c) const {
    const auto& stops = params_->stop_ids;
    c.finish = FinishReason::Stop;
    if (std::find(stops.begin(), stops.end(), c.ids.back()) != stops.end()) return true;
    c.finish = FinishReason::String;
    for (const auto& s : params_->stop_strings)
      if (letters(c.ids).ends_with(s)) return true;
    c.finish = FinishReason::Length;
    return c.length() >= params_->max_completion_length;
  }

  Model* model_;
  const SamplingParams* params_;
  aha::KvCache cache_;
  aha::Scratch scratch_;
  std::vector<std::int32_t> table_;
};

std::vector<Group> one_by_one(Model& model, const SamplingParams& params) {
  std::vector<Group> groups;
  OneByOne decoding(model, params);
  for (const auto& request : requests(model.config.vocab_size)) {
    auto& group = groups.emplace_back(Group{request.ordinal, request.prompt, {}, {}});
    for (std::int64_t i = 0; i < request.samples; ++i) {
      auto c = decoding.completion(request, request.first_sample + i);
      std::span<const aha::TokenId> text = c.ids;
      if (c.finish == FinishReason::Stop) text = text.first(text.size() - 1);
      c.text = request.prompt.prefill + letters(text);
      group.completions.push_back(c);
    }
  }
  return groups;
}

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
