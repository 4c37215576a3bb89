#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;

namespace {

/// configs/NAME with fewer bits, so that it takes seconds; returns its metrics.
std::vector<aha::Json> short_form(const std::string& name) {
  TempFolder folder;
  const auto run = folder / "run";
  std::vector<std::string> arguments = {"train", std::string(AHA_SOURCE_DIR) + "/configs/" + name};
  for (const char* setting :
       {"data.train.bits=10", "data.eval.held_out.bits=10", "data.eval.held_out.count=256",
        "data.max_prompt_length=11", "rollout.max_completion_length=13", "eval.eval_steps=0",
        "stages.warm_start.train.max_steps=300", "stages.grpo.train.max_steps=30"})
    arguments.insert(arguments.end(), {"--set", setting});
  arguments.insert(arguments.end(), {"--set", "output_dir=" + run.string()});
  const auto end = run_aha(arguments);
  INFO(end.err);
  REQUIRE(end.code == 0);
  std::vector<aha::Json> rows;
  for (const auto& line : metrics_without_times(run)) {
    rows.push_back(aha::Json::parse(line));
    if (rows.back().at("stage") != "grpo") rows.pop_back();
  }
  REQUIRE(rows.size() == 31);
  return rows;
}

}  // namespace

TEST_CASE("parity: reward alone turns rare long traces into the rule") {
  const auto rows = short_form("parity.yaml");
  CHECK(rows.front().at("eval_accuracy").get<double>() < 0.6);
  CHECK(rows.front().at("eval_completions/mean_length").get<double>() < 6);
  CHECK(rows.back().at("eval_accuracy").get<double>() > 0.9);
  CHECK(rows.back().at("eval_completions/mean_length").get<double>() > 11);
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (rows[i].at("grad_norm") != 0.0)
      REQUIRE(rows[i].at("sampling/sampling_logp_difference/max") == 0.0);
}

TEST_CASE("parity: without long traces to amplify nothing is learnt") {
  const auto rows = short_form("parity_control.yaml");
  CHECK(rows.back().at("eval_accuracy").get<double>() < 0.65);
  CHECK(rows.back().at("eval_completions/mean_length").get<double>() < 4);
}
