// aha watch: a run seen from outside.
#include "tests/end_to_end/outcome.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

std::string watched(const fs::path& run) {
  const auto end = run_aha({"watch", "--once", run.string()});
  INFO(end.err);
  REQUIRE(end.code == 0);
  return end.out;
}

}  // namespace

TEST_CASE("watch: a run under way shows its step, speed, reward, time left and phases") {
  const Job job;
  Program run(job.command({"--nproc", "2", "--set", "stages.grpo.train.max_steps=100000", "--set",
                           "eval.eval_steps=4"}));
  REQUIRE(run.says("grpo 8/", Millis(20'000)));
  std::this_thread::sleep_for(Millis(1500));  // the status is renewed every second
  const auto text = watched(job.run);
  run.signal(SIGTERM);
  run.wait();
  INFO(text);
  CHECK_THAT(text, contains(job.run.string() + ": running since ") && contains(" UTC (") &&
                       contains(", pid ") && contains("on host"));
  CHECK_THAT(text, contains("stage grpo (2 of 2), ") && contains(" of 100000 steps done"));
  CHECK_THAT(text, contains(" reward ") && contains("/step ") && contains(" tok/s | ") &&
                       contains(" left"));
  CHECK_THAT(text, contains(" eval acc "));
  CHECK_THAT(text, contains("rank"));
  CHECK_THAT(text, contains(" of step "));
  const auto after = watched(job.run);
  CHECK_THAT(after, contains(": stopped by a signal at ") && contains("--resume auto"));
  CHECK(after.find("rank") == std::string::npos);
}

TEST_CASE("watch: finished, killed, not begun and no run at all are told apart") {
  Job done;
  done.finished();
  CHECK_THAT(watched(done.run), contains(": done at ") && contains("5 of 5 steps done") &&
                                    contains("grpo 5/5 reward"));

  const Job killed;
  Program run(killed.command({"--set", "stages.grpo.train.max_steps=100000"}));
  REQUIRE(run.says("grpo 2/", Millis(20'000)));
  run.signal(SIGKILL);
  run.wait();
  CHECK_THAT(watched(killed.run),
             contains(": no sign of life since ") &&
                 contains("aha train " + (killed.run / "config.resolved.yaml").string() +
                          " --resume auto"));

  const Job fresh;
  spill(fresh.run / "config.resolved.yaml", "seed: 1\n");
  CHECK_THAT(watched(fresh.run), contains("has begun, and has not said anything yet"));

  const TempFolder empty;
  for (const auto& path : {empty.path(), empty / "absent"}) {
    const auto end = run_aha({"watch", path.string()});
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains(path.string() + ": is no "));
  }
}

TEST_CASE("watch: files that are broken are passed over") {
  const Job job;
  for (const char* status :
       {"", "{", "[]", R"({"state":3,"ranks":[1,{"phase":[]}],"step":"x","stage":null})",
        R"({"state":"running","beat":"1","ranks":{}})", "\xff\xfe"}) {
    spill(job.run / "status.json", status);
    spill(job.run / "metrics.jsonl",
          "{\"step\": 1, \"loss\": {}}\n[1]\n{\"step\": \"x\"}\nnull\n{\"st");
    INFO(status);
    CHECK_THAT(watched(job.run), contains(job.run.string()));
  }
}
