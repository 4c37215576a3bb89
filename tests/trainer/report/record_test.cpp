#include "trainer/report/record.h"

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/report/run_files.h"
#include "trainer/report/csv.h"
#include "trainer/report/markdown.h"
#include "trainer/report/verdict.h"

using namespace aha;
using aha_test::contains;
using aha_test::error_of;
using aha_test::TempFolder;

TEST_CASE("read_record: a half-written line, odd rows and missing parts are said", "[report]") {
  const TempFolder folder;
  write_file_atomic(
      folder / "metrics.jsonl",
      "{\"step\":1,\"stage\":\"grpo\",\"reward\":0.5,\"kl\":null,\"new_thing\":\"text\"}\n"
      "not json\n"
      "{\"reward\":1}\n"
      "{\"step\":2,\"stage\":\"grpo\",\"reward\":1e999}\n"
      "{\"step\":2,\"stage\":\"grpo\",\"reward\":0.75}\n"
      "{\"step\":3,\"stage\":\"grpo\",\"rew");
  const RunRecord run = read_record(folder.path());
  REQUIRE(run.stages.size() == 1);
  const Series* reward = run.stages[0].find("reward");
  REQUIRE(reward != nullptr);
  CHECK(reward->steps == std::vector<double>{1, 2});
  CHECK(reward->values == std::vector<double>{0.5, 0.75});
  CHECK(run.stages[0].find("kl") == nullptr);
  CHECK(run.stages[0].series.at("kl").nulls == 1);
  std::string notes;
  for (const auto& note : run.notes)
    notes += note + "\n";
  CHECK_THAT(notes, contains("left out, the first is line 2"));
  CHECK_THAT(notes, contains("1 row without a step"));
  CHECK_THAT(notes, contains("metrics.jsonl: the last line is half written"));
  CHECK_THAT(notes, contains("the configuration cannot be shown"));
}

TEST_CASE("read_record: TRL's trainer_state.json has our names", "[report]") {
  const TempFolder folder;
  write_file_atomic(folder / "trainer_state.json", R"({"global_step": 20, "log_history": [
    {"step": 10, "loss": 0.0, "reward": 0.25, "rewards/accuracy_reward/mean": 0.125, "completions/mean_length": 80.5},
    {"step": 20, "loss": 0.1, "reward": 0.5, "rewards/accuracy_reward/mean": 0.25, "completions/mean_length": 90.5},
    {"step": 20, "eval_reward": 0.75}, {"train_runtime": 12.5}, 7]})");
  for (const auto& path : {folder.path(), folder / "trainer_state.json"}) {
    const RunRecord run = read_record(path);
    CHECK(run.software == "TRL");
    REQUIRE(run.stages.size() == 1);
    CHECK(run.stages[0].find("accuracy")->values == std::vector<double>{0.125, 0.25});
    CHECK(run.stages[0].find("rewards/accuracy_reward/mean")->size() == 2);
    CHECK(run.stages[0].find("completions/mean_length")->last() == 90.5);
    CHECK(run.stages[0].find("eval_reward")->steps == std::vector<double>{20});
  }
}

// What json.dumps of Python writes of float("nan") and float("inf").
TEST_CASE("read_record: a trainer_state.json with NaN and Infinity is read", "[report]") {
  const TempFolder folder;
  write_file_atomic(folder / "trainer_state.json", R"({"best_metric": -Infinity, "log_history": [
    {"step": 1, "reward": 0.25, "grad_norm": NaN, "why": "NaN, \"Infinity\" \\"},
    {"step": 2, "reward": NaN, "grad_norm": Infinity, "Infinity": 3},{"step":3,"reward":0.5,"grad_norm":-Infinity}]})");
  const RunRecord run = read_record(folder.path());
  REQUIRE(run.stages.size() == 1);
  CHECK(run.stages[0].find("reward")->steps == std::vector<double>{1, 3});
  CHECK(run.stages[0].find("Infinity")->last() == 3);
  CHECK(run.stages[0].series.at("grad_norm").nulls == 3);
  CHECK(run.stages[0].series.at("reward").nulls == 1);
}

TEST_CASE("read_record: a reward of one's own is no accuracy", "[report]") {
  const TempFolder folder;
  write_file_atomic(
      folder / "trainer_state.json",
      R"({"log_history": [{"step": 1, "rewards/correctness_reward_func/mean": 2.0}]})");
  const RunRecord run = read_record(folder.path());
  CHECK(run.stages[0].find("accuracy") == nullptr);
  CHECK(run.stages[0].find("rewards/correctness_reward_func/mean")->last() == 2.0);
}

TEST_CASE("read_record: verl's file log has our names, a second set keeps its own", "[report]") {
  const TempFolder folder;
  write_file_atomic(
      folder / "log.jsonl",
      R"({"step": 0, "data": {"val-core/a/acc/mean@4": 0.5, "val-core/b/acc/mean@4": 0.125}})"
      "\n"
      R"({"step": 1, "data": {"critic/score/mean": 0.25, "response_length/mean": 100, "actor/entropy": 0.5}})"
      "\n");
  const RunRecord run = read_record(folder / "log.jsonl");
  CHECK(run.software == "verl");
  REQUIRE(run.stages.size() == 1);
  CHECK(run.stages[0].find("reward")->first() == 0.25);
  CHECK(run.stages[0].find("completions/mean_length")->first() == 100);
  CHECK(run.stages[0].find("eval_accuracy")->values == std::vector<double>{0.5});
  CHECK(run.stages[0].find("val-core/b/acc/mean@4")->first() == 0.125);
}

namespace {

std::filesystem::path golden(const char* name) {
  return std::filesystem::path(AHA_SOURCE_DIR) / "tests/golden/report" / name;
}

}  // namespace

TEST_CASE("read_record: the log of a run of TRL's GRPOTrainer", "[report][golden]") {
  const RunRecord run = read_record(golden("trl"));
  CHECK(run.software == "TRL");
  CHECK(run.notes.empty());
  REQUIRE(run.stages.size() == 1);
  const StageRecord& stage = run.stages[0];
  CHECK(stage.steps() == 24);
  for (const char* key :
       {"reward", "accuracy", "entropy", "kl", "grad_norm", "completions/mean_length",
        "frac_reward_zero_std", "step_time", "completions/clipped_ratio", "num_tokens"}) {
    INFO(key);
    REQUIRE(stage.find(key) != nullptr);
    CHECK(stage.find(key)->size() == 24);
  }
  CHECK(stage.find("eval_accuracy")->steps == std::vector<double>{0, 8, 16, 24});
  const Json state = read_json(golden("trl/trainer_state.json"));
  for (const auto& row : state["log_history"])
    if (row["step"] == 24 && row.contains("eval_rewards/accuracy_reward/mean"))
      CHECK(stage.find("eval_accuracy")->last() == row["eval_rewards/accuracy_reward/mean"]);
  const Verdict verdict = verdict_of(run);
  CHECK(verdict.statements.size() == 10);
  for (const auto& statement : verdict.statements)
    if (statement.id == "held_out") CHECK(statement.claim == "Held-out accuracy rose");
}

TEST_CASE("read_record: what verl's own file logger writes", "[report][golden]") {
  const RunRecord run = read_record(golden("verl/log.jsonl"));
  CHECK(run.software == "verl");
  CHECK(run.notes.empty());
  REQUIRE(run.stages.size() == 1);
  const StageRecord& stage = run.stages[0];
  CHECK(stage.find("reward")->values == std::vector<double>{0.25, 0.5, 0.75});
  CHECK(stage.find("entropy")->steps == std::vector<double>{1, 2, 3});
  CHECK(stage.find("completions/mean_length")->first() == 5.5);
  CHECK(stage.find("step_time")->values == std::vector<double>{7, 8, 9});
  CHECK(stage.find("timing_s/rollout")->first() == 3);
  CHECK(stage.find("eval_accuracy")->steps == std::vector<double>{0, 3});  // of the set with acc
  CHECK(stage.find("eval_reward")->first() == 0.21875);                    // of the other
  CHECK(stage.find("val-core/math/acc/best@4/mean") != nullptr);
  CHECK(stage.find("eval_pass@4") == nullptr);
}

TEST_CASE("read_record: what is no run is refused with what would be one", "[report]") {
  const TempFolder folder;
  CHECK_THAT(error_of([&] { (void)read_record(folder / "none"); }), contains("is not there"));
  CHECK_THAT(error_of([&] { (void)read_record(folder.path()); }),
             contains("expected an output_dir"));
  write_file_atomic(folder / "a.json", "{\"log_history\": 3}");
  CHECK_THAT(error_of([&] { (void)read_record(folder / "a.json"); }), contains("is no run"));
  write_file_atomic(folder / "b.jsonl", "{}\n");
  CHECK_THAT(error_of([&] { (void)read_record(folder / "b.jsonl"); }), contains("is no run"));
}

TEST_CASE("name_apart: as much of the path as tells runs apart", "[report]") {
  std::vector<RunRecord> runs(4);
  runs[0].path = "/x/a/run";
  runs[1].path = "/x/b/run/";
  runs[2].path = "/x/c";
  runs[3].path = "/x/c";
  name_apart(runs);
  CHECK(runs[0].name == "a/run");
  CHECK(runs[1].name == "b/run");
  CHECK_FALSE(runs[2].name.empty());
}

TEST_CASE("csv_report: one value a line, with its digits, quoted where it must be", "[report]") {
  RunRecord run;
  run.name = "my \"run\", 1";
  StageRecord stage;
  stage.name = "grpo";
  stage.first_global_step = 100;
  stage.series["reward"].steps = {1};
  stage.series["reward"].values = {0.1};
  run.stages.push_back(stage);
  CHECK(csv_report({&run, 1}) ==
        "run,stage,step,global_step,metric,value\n"
        "\"my \"\"run\"\", 1\",grpo,1,101,reward,0.1\n");
}

TEST_CASE("markdown_report, svg_curves: names of a run become no markup", "[report]") {
  RunRecord run;
  run.name = "<img src=x>|`a`\n# b";
  run.notes = {"[link](http://x) <b>"};
  StageRecord stage;
  stage.name = "grpo";
  for (int i = 0; i < 30; ++i) {
    stage.series["reward"].steps.push_back(i);
    stage.series["reward"].values.push_back(i);
  }
  run.stages.push_back(stage);
  const std::string text = markdown_report({&run, 1}, "curves.svg");
  CHECK(text.find("<img") == std::string::npos);
  CHECK_THAT(text, contains("\\[link\\](http"));
  CHECK(text.find("\n# b") == std::string::npos);
  CHECK_THAT(text, contains("![curves](curves.svg)"));
  CHECK_THAT(text, contains("| good | The reward rose |"));
  const std::string svg = svg_curves({&run, 1});
  CHECK(svg.find("<img") == std::string::npos);
  CHECK_THAT(svg, contains("<polyline"));
  CHECK_THAT(svg, contains("not recorded"));
}

TEST_CASE("markdown_report: a picture whose name has spaces is still a picture", "[report]") {
  CHECK_THAT(markdown_report({}, "my (first) run.svg"),
             contains("![curves](<my (first) run.svg>)"));
  CHECK_THAT(markdown_report({}, "a<b>\\.svg"), contains("![curves](<a\\<b\\>\\\\.svg>)"));
}

TEST_CASE("is_foreign: what other programs leave, and not an output_dir", "[report]") {
  const TempFolder folder;
  for (const char* name : {"trl", "own"})
    make_folder(folder / name);
  write_file_atomic(folder / "trl/trainer_state.json", "{}");
  write_file_atomic(folder / "own/trainer_state.json", "{}");
  write_file_atomic(folder / "own/metrics.jsonl", "");
  CHECK(is_foreign(folder / "trl"));
  CHECK(is_foreign(folder / "trl/trainer_state.json"));
  CHECK_FALSE(is_foreign(folder / "own"));
  CHECK_FALSE(is_foreign(folder / "none"));
}
