#include "trainer/report/verdict.h"

#include <algorithm>
#include <cmath>

#include "tests/support/catch.h"

using namespace aha;
using aha_test::contains;

namespace {

/// A value at steps 1..n that goes evenly from one to the other.
Series line(double from, double to, int n = 50) {
  Series series;
  for (int i = 1; i <= n; ++i) {
    series.steps.push_back(i);
    series.values.push_back(from + (to - from) * (i - 1) / (n - 1));
  }
  return series;
}

Series two(double first, double last) {
  Series series;
  series.steps = {0, 50};
  series.values = {first, last};
  return series;
}

/// A healthy run that learnt to reflect; tests change what they are about.
RunRecord learnt() {
  StageRecord stage;
  stage.name = "grpo";
  stage.series = {{"reward", line(0.3, 0.8)},
                  {"accuracy", line(0.3, 0.8)},
                  {"entropy", line(0.5, 0.4)},
                  {"grad_norm", line(0.2, 0.3)},
                  {"frac_reward_zero_std", line(0.2, 0.4)},
                  {"completions/clipped_ratio", line(0, 0)},
                  {"sampling/sampling_logp_difference/mean", line(0, 0)},
                  {"eval_accuracy", two(0.3, 0.7)},
                  {"eval_accuracy_stderr", two(0.02, 0.02)},
                  {"eval_completions/mean_length", two(15, 25)},
                  {"eval_reflection/per_completion", two(0.1, 1.2)},
                  {"eval_verification_gap", two(0.1, 0.7)}};
  RunRecord run;
  run.stages.push_back(stage);
  return run;
}

RunRecord with(const std::map<std::string, Series>& changes) {
  RunRecord run = learnt();
  for (const auto& [key, series] : changes)
    run.stages[0].series[key] = series;
  return run;
}

Statement said(const RunRecord& run, const std::string& id) {
  const Verdict verdict = verdict_of(run);
  const auto found = std::find_if(verdict.statements.begin(), verdict.statements.end(),
                                  [&](const auto& s) { return s.id == id; });
  REQUIRE(found != verdict.statements.end());
  return *found;
}

}  // namespace

TEST_CASE("verdict: accuracy and reflection that rose together are the aha", "[report]") {
  const Verdict verdict = verdict_of(learnt());
  CHECK(verdict.mood == Mood::Good);
  CHECK_THAT(verdict.headline, contains("It had its aha"));
  CHECK_THAT(verdict.headline, contains("0.30 -> 0.70"));
  for (const auto& statement : verdict.statements) {
    INFO(statement.id);
    CHECK(statement.mood == Mood::Good);
    CHECK_FALSE(statement.chart.empty());
  }
}

TEST_CASE("verdict: without knowing a miss reflection dies out, and that is said", "[report]") {
  const RunRecord run = with({{"eval_verification_gap", two(0.01, -0.02)},
                              {"eval_reflection/per_completion", two(0.3, 0.0)},
                              {"eval_accuracy", two(0.3, 0.32)}});
  const Verdict verdict = verdict_of(run);
  CHECK(verdict.mood == Mood::Bad);
  CHECK_THAT(verdict.headline, contains("No aha"));
  CHECK_THAT(verdict.headline, contains("after a right try as often as after a wrong one"));
  CHECK(said(run, "use").mood == Mood::Bad);
  CHECK_THAT(said(run, "reflection").claim, contains("died out"));
}

TEST_CASE("verdict: longer answers without reflective words are not an aha", "[report]") {
  RunRecord run = with({{"eval_reflection/per_completion", two(0, 0)}});
  run.stages[0].series.erase("eval_verification_gap");
  const Verdict verdict = verdict_of(run);
  CHECK(verdict.mood == Mood::Good);
  CHECK_THAT(verdict.headline, contains("at greater length"));
  CHECK(said(run, "length").claim == "Answers grew, without more reflection");
  CHECK(said(run, "use").mood == Mood::Unknown);
}

TEST_CASE("verdict: a change within 1.96 standard errors is no change", "[report]") {
  // hypot(0.03, 0.03) * 1.96 = 0.0832
  const auto run = [](double after) {
    return with({{"eval_accuracy", two(0.5, after)}, {"eval_accuracy_stderr", two(0.03, 0.03)}});
  };
  CHECK(said(run(0.582), "held_out").mood == Mood::Bad);  // the training reward rose all the same
  CHECK(said(run(0.584), "held_out").mood == Mood::Good);
  CHECK(said(run(0.41), "held_out").claim == "Held-out accuracy fell");
}

TEST_CASE("verdict: held out is judged by the reward where accuracy was not logged", "[report]") {
  RunRecord run = with({{"eval_reward", two(-0.5, 0.5)}});
  run.stages[0].series.erase("eval_accuracy");
  CHECK(said(run, "held_out").claim == "Held-out reward rose");
  CHECK(said(run, "held_out").chart == "reward");
  CHECK_THAT(verdict_of(run).headline, contains("held-out reward -0.50 -> 0.50"));
}

TEST_CASE("verdict: a held-out reward is measured by the spread of the training reward",
          "[report]") {
  RunRecord run = with({{"eval_reward", two(-50.00, -49.97)}});
  Series& reward = run.stages[0].series["reward"];
  run.stages[0].series.erase("eval_accuracy");
  for (std::size_t i = 0; i < reward.size(); ++i)
    reward.values[i] = i % 2 == 0 ? -49 : -51;
  // deviation of five values -49, -51, -49, -51, -49: sqrt(6 / 5); of both windows sqrt(12 / 5); 1.96 of it: 3.04
  CHECK(said(run, "held_out").claim == "Held-out reward did not change surely");
  CHECK_THAT(said(run, "held_out").because, contains("+-3.036 (by the spread"));
  CHECK(verdict_of(run).mood == Mood::Watch);
  run.stages[0].series["eval_reward"] = two(-50, -46.9);
  CHECK(said(run, "held_out").claim == "Held-out reward rose");
}

TEST_CASE("verdict: a held-out reward whose scale is not known is not judged", "[report]") {
  RunRecord run = with({{"eval_reward", two(-50.00, -49.97)}});
  run.stages[0].series.erase("eval_accuracy");
  run.stages[0].series.erase("reward");
  CHECK(said(run, "held_out").mood == Mood::Unknown);
  CHECK_THAT(said(run, "held_out").because, contains("any scale"));
  CHECK(verdict_of(run).mood == Mood::Unknown);
}

TEST_CASE("verdict: gradients none of which was a number are no missing data", "[report]") {
  Series none;
  none.nulls = 7;
  CHECK(said(with({{"grad_norm", none}}), "gradient").claim == "Gradients were no numbers");
  CHECK_THAT(said(with({{"grad_norm", none}}), "gradient").because, contains("7 steps"));
  CHECK(said(with({{"grad_norm", Series()}}), "gradient").mood == Mood::Unknown);
}

TEST_CASE("verdict: of words that nobody counted nothing is said", "[report]") {
  RunRecord run = learnt();
  for (const char* key : {"eval_reflection/per_completion", "reflection/per_completion"})
    run.stages[0].series.erase(key);
  const auto headline = verdict_of(run).headline;
  CHECK(headline.find("without") == std::string::npos);
  CHECK_THAT(headline, contains("reflective words were not counted"));
}

TEST_CASE("verdict: its rules are told with their thresholds", "[report]") {
  std::string text;
  for (const auto& rule : verdict_rules())
    text += rule + "\n";
  for (const char* part :
       {"first against the last 10 %", "at least 5", "1.96 standard errors", "0.02", "1.1 times",
        "1.25 times", "from 0.3 it knows", "below 0.1 at both"})
    CHECK_THAT(text, contains(part));
}

TEST_CASE("verdict: too little is answered with what is missing", "[report]") {
  RunRecord run;
  CHECK(verdict_of(run).headline == "Nothing was recorded yet.");
  StageRecord stage;
  stage.series["loss"] = line(2, 1);
  run.stages.push_back(stage);
  CHECK_THAT(verdict_of(run).headline, contains("Supervised"));
  run.stages[0].series["reward"] = line(0.3, 0.4, 9);  // two windows of 5 need 10
  const Verdict verdict = verdict_of(run);
  CHECK(verdict.mood == Mood::Unknown);
  CHECK_THAT(verdict.headline, contains("Too early"));
  CHECK(verdict.statements.size() == 10);
  for (const auto& statement : verdict.statements) {
    INFO(statement.id);
    CHECK(statement.mood == Mood::Unknown);
    CHECK_THAT(statement.claim, contains("Not enough data"));
    CHECK_THAT(statement.because, contains("needs "));
  }
}

TEST_CASE("verdict: entropy that is gone before anything was learnt is collapse", "[report]") {
  CHECK(said(with({{"entropy", line(1.0, 0.0, 100)}}), "entropy").mood == Mood::Watch);
  const RunRecord stuck = with({{"entropy", line(1.0, 0.0, 100)},
                                {"reward", line(0.3, 0.3)},
                                {"eval_accuracy", two(0.3, 0.3)}});
  CHECK(said(stuck, "entropy").mood == Mood::Bad);
  CHECK_THAT(said(stuck, "entropy").claim, contains("collapsed"));
  CHECK(said(with({{"entropy", line(1.0, 0.3)}}), "entropy").claim == "Entropy fell");
}

TEST_CASE("verdict: truncation, groups, gradients and mismatch by their thresholds", "[report]") {
  CHECK(said(with({{"completions/clipped_ratio", line(0.06, 0.06)}}), "truncation").mood ==
        Mood::Watch);
  CHECK(said(with({{"completions/clipped_ratio", line(0.3, 0.3)}}), "truncation").mood ==
        Mood::Bad);
  CHECK(said(with({{"frac_reward_zero_std", line(0.9, 0.9)}}), "groups").mood == Mood::Watch);
  CHECK(said(with({{"frac_reward_zero_std", line(0.9, 0.9)}, {"accuracy", line(0.99, 0.99)}}),
             "groups")
            .mood == Mood::Neutral);
  Series spike = line(0.2, 0.2);
  spike.values[20] = 2.1;
  CHECK(said(with({{"grad_norm", spike}}), "gradient").mood == Mood::Watch);
  spike.nulls = 1;
  CHECK(said(with({{"grad_norm", spike}}), "gradient").mood == Mood::Bad);
  const std::string gap = "sampling/sampling_logp_difference/mean";
  CHECK(said(with({{gap, line(0.001, 0.002)}}), "mismatch").mood == Mood::Good);
  CHECK(said(with({{gap, line(0.001, 0.02)}}), "mismatch").mood == Mood::Watch);
  CHECK(said(with({{gap, line(0.001, 0.2)}}), "mismatch").mood == Mood::Bad);
}

TEST_CASE("verdict: the stage with rewards is judged, not the last one", "[report]") {
  RunRecord run = learnt();
  StageRecord sft;
  sft.name = "distill";
  sft.series["loss"] = line(2, 1);
  run.stages.push_back(sft);
  CHECK(run.main_stage()->name == "grpo");
  CHECK_THAT(verdict_of(run).headline, contains("It had its aha"));
}
