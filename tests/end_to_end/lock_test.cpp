// Two runs in one output_dir.
#include "tests/end_to_end/outcome.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

std::vector<std::string> endless(const Job& job) {
  return job.command({"--set", "stages.grpo.train.max_steps=100000"});
}

}  // namespace

TEST_CASE("lock: a second run in the same output_dir is refused, whatever it would resume") {
  const Job job;
  Program first(endless(job));
  REQUIRE(first.says("grpo 1/", Millis(20'000)));
  const auto config = slurp(job.run / "config.resolved.yaml");
  for (const std::string resume : {"none", "auto", "checkpoint"}) {
    const auto start =
        resume == "checkpoint" ? (job.run / "checkpoints" / "step_4").string() : resume;
    const auto second = run_aha(job.command({"--resume", start}));
    INFO(second.err);
    CHECK(second.code == 2);
    CHECK_THAT(second.err, contains(job.run.string() + " is used by aha train, pid ") &&
                               contains(" on host ") && contains(", since ") &&
                               contains("; wait for it or choose another"));
  }
  CHECK(slurp(job.run / "config.resolved.yaml") == config);
  first.signal(SIGKILL);
  first.wait();
  // dead, it holds nothing; what it said of itself is still there
  CHECK(slurp(job.run / ".lock").find("\"pid\"") != std::string::npos);
  auto again = endless(job);
  again.insert(again.end(), {"--resume", "auto"});
  Program next(again);
  CHECK(next.says("resuming ", Millis(20'000)));
  CHECK(next.says("grpo ", Millis(20'000)));
  next.signal(SIGTERM);
  CHECK(next.wait().code == 85);
}

TEST_CASE("lock: a run that was taken for dead ends when it wakes up, and writes nothing more") {
  const Job job;
  Program first(endless(job));
  REQUIRE(first.says("grpo 1/", Millis(20'000)));
  first.signal(SIGSTOP);
  // another host, on a file system whose locks end at its own, took the folder meanwhile
  spill(job.run / ".lock", R"({"pid":77,"host":"n7","since":"then","machine":"another"})");
  first.signal(SIGCONT);
  const auto end = first.wait();
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("was taken by aha train, pid 77 on host n7"));
  CHECK_THAT(slurp(job.run / ".lock"), contains("n7"));
}
