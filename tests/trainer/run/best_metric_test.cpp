#include "trainer/run/best_metric.h"

#include "rewards/registry.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/run/evaluate.h"

using namespace aha_test;

namespace {

/// Judges completions of some lengths alone, as right.
class JudgesLengths final : public aha::Reward {
 public:
  JudgesLengths(std::int64_t from, std::int64_t to) : from_(from), to_(to) {}
  aha::RewardPart score(const aha::Attempt& attempt) const override {
    if (attempt.length >= from_ && attempt.length < to_) return {1.0, "", "", 0};
    return {std::nullopt, "", "too long or too short to judge", 0};
  }
  bool is_verifier() const override { return true; }

 private:
  std::int64_t from_;
  std::int64_t to_;
};

using Rewards = std::vector<aha::WeightedReward>;

void add(Rewards& rewards, std::int64_t from, std::int64_t to,
         const std::vector<std::string>& sources = {}) {
  rewards.push_back(
      {std::to_string(from), 1.0, sources, std::make_unique<JudgesLengths>(from, to)});
}

/// An evaluation of random weights.
aha::EvalResult measured(Rewards rewards) {
  ToyJob job;
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  aha::EvalPlan plan;
  plan.samples = 4;
  plan.words = &words;
  plan.params = aha::rollout_params(*job.stage);
  aha::Scorer scorer(std::move(rewards), aha::ScorerOptions{});
  return aha::evaluate({job.stage->engine, scorer, job.comm}, job.stage->data.eval.front(), plan);
}

aha::StageConfig settings(const std::string& metric) {
  aha::StageConfig stage;
  stage.checkpoint.best_metric = metric;
  stage.reward.max_unjudged = 0.1;
  return stage;
}

aha::MetricsRow row_with(const std::string& metric, double value) {
  aha::MetricsRow row("grpo", 3, 3);
  row.set(metric, value);
  return row;
}

}  // namespace

TEST_CASE("best metric: a higher value is better, where enough of its own set was judged") {
  const auto stage = settings("eval_accuracy");
  const auto row = row_with("eval_accuracy", 0.75);
  CHECK(aha::better_value(stage, row, {{"eval_", 0.0}}, std::nullopt) == 0.75);
  CHECK(aha::better_value(stage, row, {{"eval_", 0.1}}, 0.5) == 0.75);
  CHECK_FALSE(aha::better_value(stage, row, {{"eval_", 0.0}}, 0.75));
  CHECK_FALSE(aha::better_value(stage, row, {{"eval_", 0.11}}, std::nullopt));
  CHECK(aha::better_value(stage, row, {{"eval_", 0.0}, {"eval_hard_", 0.9}}, 0.5) == 0.75);
  const auto hard = settings("eval_hard_accuracy");
  const auto hard_row = row_with("eval_hard_accuracy", 0.75);
  CHECK_FALSE(aha::better_value(hard, hard_row, {{"eval_", 0.0}, {"eval_hard_", 0.9}}, 0.5));
  CHECK_FALSE(aha::better_value(settings(""), row, {}, std::nullopt));
}

TEST_CASE("best metric: an evaluation that judged few is high, and is not the best") {
  const auto stage = settings("eval_accuracy");
  for (const std::int64_t below : {4, 1000}) {
    Rewards rewards;
    add(rewards, 0, below);
    const auto result = measured(std::move(rewards));
    aha::MetricsRow row("grpo", 1, 1);
    row.add(result.values, "eval_");
    CHECK(row.get("eval_accuracy") == 1.0);
    const bool all = below == 1000;
    CHECK((result.unjudged == 0.0) == all);
    CHECK(result.unjudged < 1.0);
    CHECK(aha::better_value(stage, row, {{"eval_", result.unjudged}}, 0.5).has_value() == all);
  }
}

TEST_CASE("best metric: unjudged is the largest share of one reward, of what it is meant for") {
  Rewards rewards;
  add(rewards, 4, 1000);
  const double of_long = measured(std::move(rewards)).unjudged;
  rewards.clear();
  add(rewards, 0, 4);
  const double of_short = measured(std::move(rewards)).unjudged;
  REQUIRE(of_long > 0);
  CHECK(of_long + of_short == Approx(1));
  rewards.clear();
  add(rewards, 4, 1000);
  add(rewards, 0, 4);
  add(rewards, 1000, 1000, {"another source"});
  CHECK(measured(std::move(rewards)).unjudged == std::max(of_long, of_short));
}
