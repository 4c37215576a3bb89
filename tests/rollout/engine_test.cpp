#include <algorithm>
#include <map>
#include <set>

#include "tests/rollout/rollout_support.h"
#include "tests/trainer/model/golden_support.h"

#include "tests/support/catch.h"

using namespace aha_test;
using aha::FinishReason;
using aha::RolloutHooks;

TEST_CASE(
    "rollout: completions do not depend on the batch limit, the order of requests or the threads",
    "[rollout]") {
  aha::ThreadPool two(2);
  aha::ThreadPool three(3);
  for (const bool wide : {false, true}) {
    Model model = Model::random(toy_config(wide), aha::cpu_ops());
    const auto expected = rollout(model, params());
    std::set<std::int64_t> lengths;
    for (const auto& group : expected)
      for (const auto& c : group.completions)
        lengths.insert(c.length());
    REQUIRE(lengths.size() > 4);  // groups finish at different times
    for (const std::int64_t max_batch : {1, 3, 8, 0})
      for (auto* pool : {static_cast<aha::ThreadPool*>(nullptr), &two, &three}) {
        INFO("wide " << wide << " max batch " << max_batch << " threads "
                     << aha::Exec{pool}.threads());
        CHECK(same(rollout(model, params(), aha::Exec{pool}, max_batch), expected));
      }
    auto reversed = requests(model.config.vocab_size);
    std::reverse(reversed.begin(), reversed.end());
    Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 4);
    auto groups = engine.generate(reversed, params());
    std::reverse(groups.begin(), groups.end());
    CHECK(same(groups, expected));
  }
}

TEST_CASE("rollout: every kernel table draws the same completions", "[rollout]") {
  std::vector<Group> expected;
  for (const auto* ops : kernel_tables()) {
    Model model = Model::random(toy_config(true), *ops);
    const auto groups = rollout(model, params());
    if (expected.empty()) expected = groups;
    INFO(ops->name);
    CHECK(same(groups, expected));
  }
}

TEST_CASE("rollout: a large batch on several threads equals the same rows one by one",
          "[rollout]") {
  Model model = Model::random(toy_config(false), aha::cpu_ops());
  aha::ThreadPool two(2);
  std::vector<GroupRequest> many(1);
  many[0].samples = 250;
  many[0].prompt.ids = {1, 2, 3};
  auto p = params();
  p.max_completion_length = 9;
  Engine team(model.decoder, model.weights, aha::Exec{&two}, 110, letters);
  const auto groups = team.generate(many, p);
  Engine alone(model.decoder, model.weights, {}, 110, letters, 1);
  for (const std::int64_t index : {0, 1, 100, 249}) {
    many[0].samples = 1;
    many[0].first_sample = index;
    CHECK(same(alone.generate(many, p)[0].completions[0],
               groups[0].completions[static_cast<std::size_t>(index)]));
  }
}

TEST_CASE("rollout: greedy decoding is transformers'", "[rollout][golden]") {
  for (const auto& golden_model : golden_models()) {
    INFO(golden_model.name);
    Model model = golden_model.load(aha::cpu_ops());
    const Golden g(golden_model.name);
    std::vector<GroupRequest> one(1);
    one[0].prompt.ids = g.integers("greedy_prompt");
    const auto expected = g.integers("greedy");
    SamplingParams p;
    p.temperature = 0;
    p.max_completion_length = std::ssize(expected);
    Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
    const auto groups = engine.generate(one, p);
    CHECK(groups[0].completions[0].ids == expected);
    CHECK(groups[0].completions[0].finish == FinishReason::Length);
  }
}

TEST_CASE("rollout: a completion ends by stop id, by stop string or at the limit, and says which",
          "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  auto p = params();
  p.stop_strings = {"ab", "q"};
  std::set<FinishReason> seen;
  for (const auto& group : rollout(model, p))
    for (const auto& c : group.completions) {
      seen.insert(c.finish);
      const auto stops = [&](aha::TokenId id) {
        return std::find(p.stop_ids.begin(), p.stop_ids.end(), id) != p.stop_ids.end();
      };
      const std::string text = letters(c.ids);
      // nothing before the last token would have ended it
      for (std::size_t i = 0; i + 1 < c.ids.size(); ++i)
        CHECK_FALSE(stops(c.ids[i]));
      const std::string before = text.substr(0, text.size() - 1);
      for (const auto& s : p.stop_strings)
        CHECK(before.find(s) == std::string::npos);
      if (c.finish == FinishReason::Stop) {
        CHECK(stops(c.ids.back()));
        CHECK(c.text == std::string("<").append(before));
      } else {
        CHECK_FALSE(stops(c.ids.back()));
        CHECK(c.text == std::string("<").append(text));
        const bool matched = text.ends_with("ab") || text.ends_with("q");
        CHECK(matched == (c.finish == FinishReason::String));
        if (c.finish == FinishReason::Length) CHECK(c.length() == p.max_completion_length);
      }
      CHECK(c.length() <= p.max_completion_length);
      CHECK(c.logprobs.size() == c.ids.size());
      CHECK(c.entropies.size() == c.ids.size());
      CHECK(c.sampled == std::vector<std::uint8_t>(c.ids.size(), 1));
    }
  CHECK(seen.size() == 3);
}

TEST_CASE("rollout: a request's own limit ends its completions, and nothing else of them changes",
          "[rollout]") {
  Model model = Model::random(toy_config(false), aha::cpu_ops());
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 3);
  auto some = requests(model.config.vocab_size);
  for (std::size_t r = 0; r < some.size(); ++r)
    some[r].max_completion_length = r % 2 == 0 ? static_cast<std::int64_t>(r) + 1 : 0;
  const auto limited = engine.generate(some, params());
  const auto whole = rollout(model, params());
  std::int64_t shortened = 0;
  for (std::size_t r = 0; r < some.size(); ++r)
    for (std::size_t c = 0; c < whole[r].completions.size(); ++c) {
      const auto& all = whole[r].completions[c];
      const auto& part = limited[r].completions[c];
      const auto most = some[r].max_completion_length;
      if (most == 0 || all.length() <= most) {
        CHECK(same(part, all));
        continue;
      }
      ++shortened;
      CHECK(part.finish == FinishReason::Length);
      CHECK(part.length() == most);
      CHECK(std::equal(part.ids.begin(), part.ids.end(), all.ids.begin()));
    }
  CHECK(shortened > 3);
}

TEST_CASE("rollout: ids past the vocabulary are never drawn", "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  Engine engine(model.decoder, model.weights, {}, 11, letters);
  for (const auto& group : engine.generate(requests(11), params()))
    for (const auto& c : group.completions)
      CHECK(*std::max_element(c.ids.begin(), c.ids.end()) < 11);
}

TEST_CASE("rollout: each group is told once, complete, and the counts are right", "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 5);
  const auto asked = requests(model.config.vocab_size);
  std::multiset<std::uint64_t> told;
  RolloutHooks hooks;
  hooks.on_group = [&](Group& group) {
    told.insert(group.ordinal);
    for (const auto& c : group.completions)
      CHECK_FALSE(c.ids.empty());
  };
  const auto groups = engine.generate(asked, params(), 12, hooks);
  std::multiset<std::uint64_t> expected;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    expected.insert(asked[i].ordinal);
    prompt_tokens += static_cast<std::int64_t>(asked[i].prompt.ids.size());
    for (std::size_t k = 0; k < groups[i].completions.size(); ++k) {
      const auto& c = groups[i].completions[k];
      completion_tokens += c.length();
      CHECK(c.index == asked[i].first_sample + static_cast<std::int64_t>(k));
      CHECK(c.weights_version == 12);
    }
  }
  CHECK(told == expected);
  CHECK(engine.last_stats().prompt_tokens == prompt_tokens);
  CHECK(engine.last_stats().completion_tokens == completion_tokens);
}

TEST_CASE("rollout: each token is told when it is drawn, to the request it belongs to",
          "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 5);
  const auto asked = requests(model.config.vocab_size);
  std::map<std::pair<std::size_t, std::int64_t>, std::vector<aha::TokenId>> told;
  RolloutHooks hooks;
  hooks.on_token = [&](std::size_t request, const aha::Completion& completion) {
    auto& ids = told[{request, completion.index}];
    ids.push_back(completion.ids.back());
    CHECK(ids.size() == completion.ids.size());
  };
  const auto groups = engine.generate(asked, params(), 0, hooks);
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const auto& c : groups[i].completions)
      CHECK(told[{i, c.index}] == c.ids);
}

TEST_CASE("rollout: a cancelled call gives nothing, and the engine works on", "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 3);
  const auto asked = requests(model.config.vocab_size);
  int questions = 0;
  RolloutHooks hooks;
  hooks.cancelled = [&] { return ++questions > 5; };
  CHECK(engine.generate(asked, params(), 0, hooks).empty());
  CHECK(questions == 6);
  CHECK(same(engine.generate(asked, params()), rollout(model, params())));
}

TEST_CASE("rollout: what an earlier call left in the cache is never read", "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  const auto expected = rollout(model, params());
  Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters, 3);
  // NaN weights of keys and values fill every block with NaN
  const auto values = model.weights.values().clone();
  std::fill_n(model.weights.data(), model.layout.total, std::numeric_limits<float>::quiet_NaN());
  model.weights.publish({});
  auto longest = params();
  longest.stop_ids.clear();
  engine.generate(requests(model.config.vocab_size), longest);
  model.weights.assign(values);
  model.weights.publish({});
  CHECK(same(engine.generate(requests(model.config.vocab_size), params()), expected));
}

TEST_CASE("rollout: more positions than the model has is the user's error", "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  auto p = params();
  p.max_completion_length = 96;
  CHECK(error_of([&] { rollout(model, p); }) ==
        "a prompt of 33 tokens with max_completion_length 96 is longer than the 128 positions of "
        "the model");
}

TEST_CASE("rollout: truncation changes what is drawn, not the reported distribution", "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  auto p = params();
  p.top_k = 1;
  const auto top = rollout(model, p);
  p.top_k = 0;
  p.temperature = 0;
  const auto greedy = rollout(model, p);
  CHECK(same(top, greedy));
  // a tiny nucleus is the largest alone
  p.temperature = 1;
  p.top_p = 1e-6;
  CHECK(same(rollout(model, p), greedy));
  p.top_p = 1;
  p.min_p = 1;
  CHECK(same(rollout(model, p), greedy));
}

TEST_CASE("rollout: requests dealt by a queue to two engines give what one engine gives",
          "[rollout]") {
  Model model = Model::random(toy_config(true), aha::cpu_ops());
  const auto expected = rollout(model, params());
  const auto asked = requests(model.config.vocab_size);
  std::size_t queue = 0;
  std::vector<Group> all;
  for (int rank = 0; rank < 2; ++rank) {
    Engine engine(model.decoder, model.weights, {}, model.config.vocab_size, letters);
    RolloutHooks hooks;
    hooks.claim = [&, rank, taken = 0]() mutable {
      return rank == 0 && ++taken > 2 ? asked.size() : queue++;
    };
    hooks.max_batch = 3;
    auto groups = engine.generate(asked, params(), 0, hooks);
    if (rank == 0) CHECK(groups.size() == 2);
    for (auto& group : groups)
      all.push_back(std::move(group));
  }
  CHECK(same(all, expected));
}
