#include "trainer/run/load_job.h"

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

using namespace aha_test;

TEST_CASE("job: names of rewards and tasks are checked where they stand, all at once") {
  const TempFolder folder;
  const auto file = folder / "job.yaml";
  spill(file,
        "output_dir: runs/x\n"
        "model: {path: m}\n"
        "data:\n"
        "  train: {path: d.jsonl}\n"
        "  eval: {held_out: {task: parities, count: 4},\n"
        "         easy: {task: countdown, min_numbers: 5, count: 4}}\n"
        "reward:\n"
        "  functions: [{name: numerik},\n"
        "              {name: length, maxx: 3}]\n"
        "rollout: {top_p: 2}\n");
  const auto error = error_of([&] { aha::load_job(file); });
  INFO(error);
  for (const char* line :
       {":5:21: data.eval.held_out.task: there is no task 'parities'",
        ":6:17: data.eval.easy.task: task 'countdown': min_numbers is 5",
        ":8:15: reward.functions.0: unknown reward 'numerik', the nearest is 'nu",
        ":9:15: reward.functions.1: reward 'length': unknown option 'maxx'", ":10:"})
    CHECK_THAT(error, contains(file.string() + line));
  CHECK_THAT(error_of([&] { aha::load_job(file, {"reward.functions=[{name: parrity}]"}); }),
             contains("--set reward.functions=[{name: parrity}]: reward.functions.0: unknown"));
}
