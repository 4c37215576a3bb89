#include "trainer/metrics/report.h"

#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/metrics/jsonl.h"
#include "trainer/metrics/read_run.h"

using namespace aha;
using aha_test::contains;
using aha_test::TempFolder;
namespace fs = std::filesystem;

namespace {

OrderedJson evaluation(const char* stage, int step, int global_step, double accuracy) {
  return {{"step", step},
          {"global_step", global_step},
          {"stage", stage},
          {"eval_accuracy", accuracy},
          {"eval_accuracy_stderr", 0.01},
          {"eval_completions/mean_length", 10.0 + step},
          {"eval_waits", 0.25},
          {"eval_verification_gap", step == 0 ? OrderedJson(nullptr) : OrderedJson(0.9)},
          {"eval_completions/clipped_ratio", 0.015}};
}

OrderedJson sample(const char* stage, int global_step, int row, int index,
                   const std::string& text) {
  return {{"step", 0},          {"global_step", global_step},
          {"stage", stage},     {"row", row},
          {"index", index},     {"prompt", "problem " + std::to_string(row)},
          {"completion", text}, {"accuracy", global_step > 300 ? 1.0 : 0.0}};
}

/// A run of two stages with an evaluation at the beginning, the middle and the end of the second.
void write_run(const fs::path& run) {
  make_folder(run / "completions");
  make_folder(run / "checkpoints/step_420");
  replace_symlink("checkpoints/step_420", run / "latest");
  write_file_atomic(run / "config.resolved.yaml", "seed: 1\n");
  JsonlWriter metrics(run / "metrics.jsonl");
  metrics.write(evaluation("warm_start", 0, 0, 0.01));
  metrics.write(OrderedJson{{"step", 300}, {"global_step", 300}, {"stage", "warm_start"}});
  metrics.write(evaluation("grpo", 0, 300, 0.3));
  metrics.write(evaluation("grpo", 60, 360, 0.5));
  metrics.write(evaluation("grpo", 120, 420, 0.7));
  JsonlWriter eval(run / "completions/eval.jsonl");
  eval.write(sample("warm_start", 0, 0, 0, "babble"));
  for (const int step : {300, 360, 420})
    for (int index = 0; index < 2; ++index)
      for (int row = 0; row < 5; ++row)
        eval.write(sample("grpo", step, row, index,
                          "at " + std::to_string(step) + " sample " + std::to_string(index)));
}

}  // namespace

TEST_CASE("report: a run of two stages, from its files", "[metrics]") {
  const TempFolder folder;
  const auto run = folder / "run";
  write_run(run);
  auto inputs = read_run(run);
  inputs.plan = {"grpo: 16 x 16 completions a step"};
  const std::string r = run.string();
  CHECK(run_report(inputs) ==
        "Plan\n"
        "  grpo: 16 x 16 completions a step\n\n"
        "Done\n"
        "  warm_start 300 steps, grpo 120 steps\n\n"
        "What changed, on held-out problems\n"
        "                                      step 0          step 120\n"
        "  held-out accuracy           0.300 +- 0.020    0.700 +- 0.020\n"
        "  mean length (tokens)                  10.0             130.0\n"
        "  waits per completion                  0.25              0.25\n"
        "  verification gap                         -              0.90\n"
        "  truncated                            1.5 %             1.5 %\n"
        "  (+-: 95 % interval, held-out problems as the unit)\n\n"
        "The first three held-out problems, first sample of each\n"
        "  problem  problem 0\n"
        "    before (wrong)  at 300 sample 0\n"
        "    after  (right)  at 420 sample 0\n"
        "  problem  problem 1\n"
        "    before (wrong)  at 300 sample 0\n"
        "    after  (right)  at 420 sample 0\n"
        "  problem  problem 2\n"
        "    before (wrong)  at 300 sample 0\n"
        "    after  (right)  at 420 sample 0\n\n"
        "Where it is\n"
        "  checkpoint   " +
            r +
            "/latest\n"
            "  metrics      " +
            r +
            "/metrics.jsonl\n"
            "  completions  " +
            r +
            "/completions\n\n"
            "What to try next\n"
            "  build/aha generate --model " +
            r +
            "/latest\n"
            "  build/aha eval --model " +
            r + "/latest --config " + r + "/config.resolved.yaml -n 8 --pass-at-k 1,8\n");
}

TEST_CASE("report: a run under way has one column, and says what is not there", "[metrics]") {
  const TempFolder folder;
  write_file_atomic(folder / "metrics.jsonl",
                    dump_line(evaluation("grpo", 0, 0, 0.3)) + "\n{\"step\": 1, \"glo");
  const auto inputs = read_run(folder.path());
  CHECK(inputs.metrics.size() == 1);
  const auto text = run_report(inputs);
  CHECK_THAT(text, contains("this is the only evaluation so far"));
  CHECK_THAT(text, contains("none were recorded"));
  CHECK_THAT(text, contains("no checkpoint was saved yet"));
  CHECK_THAT(text, contains("completions/eval.jsonl: cannot be read, or is not there"));
  CHECK(text.find("What to try next") == std::string::npos);
}

TEST_CASE("report: a stage that was not evaluated yet leaves the one before it", "[metrics]") {
  const TempFolder folder;
  JsonlWriter metrics(folder / "metrics.jsonl");
  metrics.write(evaluation("grpo", 0, 0, 0.3));
  metrics.write(OrderedJson{{"step", 1}, {"global_step", 1}, {"stage", "second"}});
  CHECK(read_run(folder.path()).stage == "grpo");
}

TEST_CASE("report: broken and odd lines are counted and passed over", "[metrics]") {
  const TempFolder folder;
  write_run(folder.path());
  const auto metrics = read_file(folder / "metrics.jsonl");
  write_file_atomic(folder / "metrics.jsonl",
                    "oops\n[1, 2]\n" + metrics +
                        "{\"stage\": 5, \"step\": \"x\", \"eval_accuracy\": []}\n"
                        "{\"stage\":\"grpo\",\"step\":1e300,\"global_step\":-1}\n"
                        "{\"stage\":\"gr");
  write_file_atomic(folder / "completions/eval.jsonl",
                    "{\"stage\":\"grpo\",\"global_step\":300,\"row\":\"a\"}\n{\"row\":[[]]}\n");
  const auto inputs = read_run(folder.path());
  CHECK(inputs.stage == "grpo");
  REQUIRE(inputs.notes.size() == 2);
  CHECK_THAT(inputs.notes[0], contains("2 lines left out, the first is line 1"));
  CHECK_THAT(inputs.notes[1], contains("the last line is half written"));
  CHECK_THAT(run_report(inputs), contains("none were recorded"));
}

TEST_CASE("report: a folder that is no run's is a user's error", "[metrics]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(read_run(folder.path()), contains("is no run's folder"));
  CHECK_THROWS_WITH(read_run(folder / "none"), contains("is no folder"));
}

TEST_CASE("report: completions cannot speak to the terminal, and long ones are wrapped",
          "[metrics]") {
  ReportInputs inputs;
  inputs.width = 60;
  inputs.before = {Json(sample("grpo", 0, 0, 0,
                               "a\x1b[2J\tb\nc\xc2\x9b"
                               "d \xe2\x80\xa6"))};
  inputs.after = {
      Json(sample("grpo", 1, 0, 0, std::string(300, 'x') + " " + std::string(3000, 'y')))};
  const auto text = run_report(inputs);
  CHECK_THAT(text, contains("a\\x1b[2J\\x09b\\nc\\x9bd \xe2\x80\xa6"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(text, contains(" ...\n"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    CHECK(line.size() <= 60);
}

TEST_CASE("shell_word: a path that a shell would take apart is quoted", "[metrics]") {
  CHECK(shell_word("runs/a-1/latest") == "runs/a-1/latest");
  CHECK(shell_word("my runs/it's") == "'my runs/it'\\''s'");
  CHECK(shell_word("") == "''");
}
