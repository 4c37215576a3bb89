#include <map>

#include "tests/trainer/run/toy_job.h"
#include "trainer/run/evaluate.h"

using namespace aha_test;

namespace {

/// Metrics as text: a mean over nothing is NaN, which is not equal to itself.
std::map<std::string, std::string> as_text(const std::map<std::string, double>& values) {
  std::map<std::string, std::string> text;
  for (const auto& [key, value] : values)
    text[key] = std::to_string(value);
  return text;
}

std::map<std::string, double> measured(ToyJob& job, const aha::EvalPlan& plan) {
  const auto result = aha::evaluate({job.stage->engine, *job.stage->scorer, job.comm},
                                    job.stage->data.eval.front(), plan);
  return {result.values.begin(), result.values.end()};
}

}  // namespace

TEST_CASE("evaluate: a step's samples are its own, and repeat for the same step") {
  ToyJob job;
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  aha::EvalPlan plan;
  plan.samples = 4;
  plan.greedy = true;
  plan.pass_at_k = {1, 2, 4};
  plan.words = &words;
  plan.params = aha::rollout_params(*job.stage);
  plan.global_step = 7;
  const auto first = measured(job, plan);
  CHECK(as_text(measured(job, plan)) == as_text(first));
  plan.global_step = 8;
  CHECK(as_text(measured(job, plan)) != as_text(first));
  for (const char* key : {"accuracy", "accuracy_stderr", "greedy_accuracy", "pass@1", "pass@2",
                          "pass@4", "completions/mean_length", "completions/clipped_ratio", "waits",
                          "attempts", "reward", "entropy"}) {
    INFO(key);
    CHECK(first.count(key) == 1);
  }
  CHECK(first.at("pass@1") == Approx(first.at("accuracy")));
  CHECK(first.at("pass@4") >= first.at("pass@2"));
}

TEST_CASE("evaluate: uses no more prompts than asked for") {
  ToyJob job;
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  aha::EvalPlan plan;
  plan.max_prompts = 5;
  plan.words = &words;
  plan.params = aha::rollout_params(*job.stage);
  const auto result = aha::evaluate({job.stage->engine, *job.stage->scorer, job.comm},
                                    job.stage->data.eval.front(), plan);
  CHECK(result.groups.size() == 5);
}
