#include "rewards/scorer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "rewards/correctness.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// Says what it was told, after a while.
class Fixed final : public Reward {
 public:
  explicit Fixed(std::optional<double> value, bool verifier = false, int delay_ms = 0)
      : value_(value), verifier_(verifier), delay_ms_(delay_ms) {}
  RewardPart score(const Attempt& /*attempt*/) const override {
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms_));
    return {value_, "", "fixed", 1};
  }
  bool is_verifier() const override { return verifier_; }
  bool waits() const override { return delay_ms_ > 0; }

 private:
  std::optional<double> value_;
  bool verifier_;
  int delay_ms_;
};

/// Judges all texts but "?", many at a time.
class Picky final : public Reward {
 public:
  RewardPart score(const Attempt& attempt) const override {
    const bool judged = attempt.completion != "?";
    return {judged ? std::optional(1.0) : std::nullopt, "", judged ? "fine" : "what is that", 1};
  }
  std::int64_t concurrency() const override { return 17; }
};

/// Of so many completions the first are not to be judged.
Group picky_group(int unjudged, int all, const std::string& source = "s") {
  Group group;
  group.prompt.source = source;
  for (int i = 0; i < all; ++i)
    group.completions.emplace_back().text = i < unjudged ? "?" : "x";
  return group;
}

WeightedReward weighted(const std::string& name, double weight, std::unique_ptr<Reward> reward,
                        std::vector<std::string> sources = {}) {
  return {name, weight, std::move(sources), std::move(reward)};
}

template <class... Rewards>
Scorer scorer_of(const ScorerOptions& options, Rewards&&... rewards) {
  std::vector<WeightedReward> list;
  (list.push_back(std::forward<Rewards>(rewards)), ...);
  return {std::move(list), options};
}

Score scored(const Scorer& scorer, const std::string& source = "s") {
  const Json row = Json::object();
  return scorer.score({.completion = "x", .row = row, .ids = {}}, source);
}

Group parity_group(std::int64_t count) {
  Group group;
  group.prompt.fields = {{"answer", "1"}};
  group.prompt.source = "parity";
  for (std::int64_t i = 0; i < count; ++i) {
    Completion completion;
    completion.text = i % 3 == 0 ? "= 1" : "= 0";
    completion.ids.assign(static_cast<std::size_t>(i % 10 + 1), 0);
    completion.finish = i % 7 == 0 ? FinishReason::Length : FinishReason::Stop;
    group.completions.push_back(completion);
  }
  return group;
}

RewardSection parity_section(std::int64_t threads) {
  RewardSection section;
  section.functions = {{"parity", 1.0, {}, {}}, {"soft_overlong", 0.5, {}, {{"cache", "4"}}}};
  section.threads = threads;
  return section;
}

}  // namespace

TEST_CASE("scorer: the total is the weighted sum of the parts", "[scorer]") {
  const auto scorer = scorer_of({}, weighted("a", 1.0, std::make_unique<Fixed>(0.5, true)),
                                weighted("b", -2.0, std::make_unique<Fixed>(0.25)));
  const auto score = scored(scorer);
  CHECK(score.total == 0.0);
  CHECK(score.accuracy == 0.5);
  REQUIRE(score.parts.size() == 2);
  CHECK(score.parts[1].score == 0.25);
}

TEST_CASE("scorer: what cannot be judged leaves the total open, unless it weighs nothing",
          "[scorer]") {
  const auto open = scored(scorer_of({}, weighted("a", 1.0, std::make_unique<Fixed>(1.0, true)),
                                     weighted("b", 0.1, std::make_unique<Fixed>(std::nullopt))));
  CHECK_FALSE(open.total);
  CHECK(open.accuracy == 1.0);
  const auto closed = scored(scorer_of({}, weighted("a", 1.0, std::make_unique<Fixed>(1.0, true)),
                                       weighted("b", 0.0, std::make_unique<Fixed>(std::nullopt))));
  CHECK(closed.total == 1.0);
  const auto not_a_number =
      scored(scorer_of({}, weighted("a", 1.0, std::make_unique<Fixed>(std::nan("")))));
  CHECK_FALSE(not_a_number.total);
  CHECK(not_a_number.parts[0].reason == "the score is nan, expected at most 1000000 in size");
}

TEST_CASE("scorer: a reward looks only at rows of its sources", "[scorer]") {
  const auto scorer =
      scorer_of({}, weighted("a", 1.0, std::make_unique<Fixed>(1.0, true), {"s", "t"}),
                weighted("b", 1.0, std::make_unique<Fixed>(0.25, true), {"u"}),
                weighted("c", 0.5, std::make_unique<Fixed>(0.5)));
  CHECK(scored(scorer, "s").total == 1.25);
  CHECK(scored(scorer, "s").parts[1].reason == kNotForSource);
  CHECK(scored(scorer, "s").accuracy == 1.0);
  CHECK(scored(scorer, "u").total == 0.5);
  CHECK(scored(scorer, "u").accuracy == 0.25);
  CHECK(scorer.accuracy_part("u") == 1);
  CHECK_FALSE(scorer.accuracy_part("other"));
  CHECK(scored(scorer, "other").total == 0.25);
  CHECK_FALSE(scored(scorer, "other").accuracy);

  const auto alone = scorer_of({}, weighted("a", 1.0, std::make_unique<Fixed>(1.0, true), {"s"}));
  CHECK_FALSE(scored(alone, "other").total);
  CHECK(*alone.gold_problem(Json::object(), "other") == "no reward is for source 'other'");
}

TEST_CASE("scorer: `accuracy` names a part, and equal names are told apart", "[scorer]") {
  RewardSection section;
  section.functions = {{"numeric", 1.0, {}, {}},
                       {"format", 0.1, {}, {}},
                       {"format", 0.1, {}, {{"variant", "nemo_rl.format_reward"}}}};
  section.accuracy = "format_2";
  const Scorer scorer(section, "gold");
  CHECK(scorer.names() == std::vector<std::string>{"numeric", "format", "format_2"});
  CHECK(scorer.accuracy_part("any") == 2);
  // `answer_field` reached the reward that has such an option
  CHECK_FALSE(scorer.gold_problem({{"gold", "7"}}, ""));
  CHECK_THAT(*scorer.gold_problem({{"answer", "7"}}, ""), contains("numeric: 'gold' is missing"));

  section.accuracy = "countdown";
  CHECK_THAT(error_of([&] { Scorer{section}; }),
             contains("reward.accuracy names 'countdown', which is not one of the rewards numeric, "
                      "format and format_2"));
}

TEST_CASE("scorer: a gold that is read but is too much work to compare is a problem of its row",
          "[scorer]") {
  std::string intervals = "(0, 1)";
  for (int i = 1; i < 300; ++i)
    intervals += fmt::format(" \\cup ({}, {})", 2 * i, 2 * i + 1);
  const auto math = make_reward("math");
  CHECK_FALSE(math->gold_problem({{"answer", intervals}}));
  CHECK_THAT(why_unjudgeable(*math, {{"answer", intervals}}, "answer").value_or(""),
             contains("'answer' cannot be judged, as where the answer is '0': "));
  CHECK_FALSE(why_unjudgeable(*math, {{"answer", "\\frac12"}}, "answer"));
}

TEST_CASE("scorer: bad sections are one clear line", "[scorer]") {
  RewardSection section;
  CHECK_THAT(error_of([&] { Scorer{section}; }), contains("reward.functions is empty"));
  section.functions = {{"parity", std::nan(""), {}, {}}};
  CHECK_THAT(error_of([&] { Scorer{section}; }), contains("the weight is nan"));
  section.functions = {{"parity", 1.0, {}, {}}};
  section.timeout_s = 0.0;
  CHECK_THAT(error_of([&] { Scorer{section}; }), contains("reward.timeout_s is 0"));
  section.timeout_s = 1.0;
  section.threads = -1;
  CHECK_THAT(error_of([&] { Scorer{section}; }), contains("reward.threads is -1"));
}

TEST_CASE("scorer: scores do not depend on the number of threads", "[scorer][property]") {
  Scorer one(parity_section(1));
  Scorer four(parity_section(4));
  auto a = std::vector<Group>{parity_group(37), parity_group(0), parity_group(5)};
  auto b = a;
  one.score_groups(a, 8);
  for (int repeat = 0; repeat < 20; ++repeat) {
    four.score_groups(b, 8);
    for (std::size_t g = 0; g < a.size(); ++g) {
      REQUIRE(a[g].scores.size() == a[g].completions.size());
      for (std::size_t i = 0; i < a[g].scores.size(); ++i) {
        CHECK(a[g].scores[i].total == b[g].scores[i].total);
        CHECK(a[g].scores[i].accuracy == b[g].scores[i].accuracy);
      }
    }
  }
  // right, of ten tokens: beyond the limit of 8; then wrong of two; then cut off
  CHECK(a[0].scores[9].total == 1.0 - 0.5);
  CHECK(a[0].scores[1].total == 0.0);
  CHECK(a[0].scores[0].accuracy == 0.0);
}

TEST_CASE("scorer: what the time budget does not reach cannot be judged", "[scorer]") {
  ScorerOptions options;
  options.threads = 2;
  options.timeout_s = 0.05;
  auto scorer = scorer_of(options, weighted("slow", 1.0, std::make_unique<Fixed>(1.0, true, 20)));
  auto group = parity_group(40);
  const auto start = std::chrono::steady_clock::now();
  scorer.score_group(group, 8);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(took.count() < 0.6);  // all would take 0.4 s even on two idle cores
  CHECK(group.scores.front().total == 1.0);
  CHECK_FALSE(group.scores.back().total);
  CHECK(group.scores.back().parts[0].reason == "not scored within 0.05 s (reward.timeout_s)");
}

TEST_CASE("scorer: a score out of all proportion is none", "[scorer]") {
  for (const double score : {1e200, -2e6, std::numeric_limits<double>::infinity(), std::nan("")}) {
    auto scorer = scorer_of({}, weighted("wild", 1.0, std::make_unique<Fixed>(score)));
    auto group = parity_group(2);
    scorer.score_group(group, 8);
    CHECK_FALSE(group.scores[0].total);
    CHECK_THAT(group.scores[0].parts[0].reason, contains("expected at most 1000000 in size"));
  }
}

TEST_CASE("scorer: a step of which too much cannot be judged is refused", "[scorer]") {
  ScorerOptions options;
  options.max_unjudged = 0.25;
  auto scorer = scorer_of(options, weighted("a", 0.5, std::make_unique<Picky>(), {"s"}),
                          weighted("b", 1.0, std::make_unique<Fixed>(1.0)));
  const auto error = [&](std::vector<Group> groups) {
    scorer.score_groups(groups, 8);
    return error_of([&] { scorer.require_judged(groups); });
  };
  CHECK(error({picky_group(2, 4), picky_group(0, 4)}) == "no error");
  CHECK(error({picky_group(2, 4), picky_group(1, 4)}) ==
        "reward 'a' could not judge 3 of 8 completions; 3 of them: what is that (more than "
        "reward.max_unjudged, 0.25)");
  // of what is drawn again, the whole step counts
  std::vector<Group> first = {picky_group(0, 30)};
  std::vector<Group> second = {picky_group(2, 4)};
  scorer.score_groups(first, 8);
  scorer.score_groups(second, 8);
  CHECK_NOTHROW(scorer.require_judged(first, second));
  CHECK_THAT(error_of([&] { scorer.require_judged(second); }), contains("2 of 4"));
  // those of other sources do not count
  CHECK_THAT(error({picky_group(2, 4), picky_group(4, 40, "t")}),
             contains("could not judge 2 of 4 completions"));
  auto weightless = scorer_of({}, weighted("a", 0.0, std::make_unique<Picky>()));
  std::vector<Group> none = {picky_group(4, 4)};
  weightless.score_groups(none, 8);
  CHECK_NOTHROW(weightless.require_judged(none));
  CHECK(error({}) == "no error");
  options.max_unjudged = 1.5;
  CHECK_THAT(error_of([&] { scorer_of(options, weighted("a", 1.0, std::make_unique<Picky>())); }),
             contains("reward.max_unjudged is 1.5, expected a share from 0 to 1"));
}

TEST_CASE("scorer: there are threads for all that may wait outside", "[scorer]") {
  ScorerOptions options;
  options.threads = 2;
  CHECK(scorer_of(options, weighted("a", 1.0, std::make_unique<Picky>())).threads() == 17);
  CHECK(scorer_of(options, weighted("a", 1.0, std::make_unique<Fixed>(1.0))).threads() == 2);
}

TEST_CASE(
    "scorer: what is asked outside has the name of its draw, and the prompt without its prefill",
    "[scorer]") {
  class Seen final : public Reward {
   public:
    RewardPart score(const Attempt& attempt) const override {
      return {1.0, std::string(attempt.id), std::string(attempt.prompt), 1};
    }
  };
  auto scorer = scorer_of({}, weighted("a", 1.0, std::make_unique<Seen>()));
  auto group = picky_group(0, 3);
  group.ordinal = 17;
  group.prompt.text = "Why? <think>";
  group.prompt.prefill = "<think>";
  scorer.score_group(group, 8);
  CHECK(group.scores[2].parts[0].extracted == "17.2");
  CHECK(group.scores[2].parts[0].reason == "Why? ");
}
