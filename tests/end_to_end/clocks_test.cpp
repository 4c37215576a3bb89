// Clocks of ranks that differ: nothing is decided by them.
#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"
#include "tests/support/namespaces.h"

using namespace aha_test;

namespace {

/// Long enough for heartbeats to be missed, if clocks were asked.
std::vector<std::string> long_run(const Job& job) {
  return job.command({"--set", "strict=true", "--set", "train.threads=1", "--set",
                      "stages.grpo.train.max_steps=300", "--set", "checkpoint.save_steps=100",
                      "--set", "eval.eval_steps=0", "--set", "log.trace=true"});
}

}  // namespace

TEST_CASE("clocks: a rank whose calendar is wrong, and jumps, changes nothing") {
  const std::string patience = "comm: {heartbeat_s: 2.5}\n";
  const Job right(patience);
  const Job wrong(patience);
  const auto mark = wrong.folder / "a_wrong_time_was_told";
  Ranks expected(2, long_run(right));
  Ranks skewed(2, long_run(wrong), [&](int rank, Program::Options& options) {
    if (rank == 0) return;
    options.environment.emplace_back("LD_PRELOAD", AHA_SKEWED_CLOCK);
    options.environment.emplace_back("AHA_TEST_SKEW_S", "-10800");
    options.environment.emplace_back("AHA_TEST_SKEW_TURN_S", "1");
    options.environment.emplace_back("AHA_TEST_SKEW_MARK", mark);
  });
  require_done(expected.wait());
  require_done(skewed.wait());
  REQUIRE(fs::exists(mark));
  require_equal(outcome_of(wrong.run), outcome_of(right.run));
}

TEST_CASE("clocks: ranks of machines that were started at other times have one time in the trace") {
  const auto ahead = [] { return shift_monotonic_clock(100'000); };
  if (!allowed(ahead)) {
    WARN("skipped: no time namespaces are allowed here");
    return;
  }
  const Job job("comm: {heartbeat_s: 2.5}\n");
  Ranks ranks(2, long_run(job), [&](int rank, Program::Options& options) {
    if (rank == 1)
      options.first = [&] {
        if (!ahead()) _exit(126);
      };
  });
  require_done(ranks.wait());
  double first = 1e300;
  double last = 0;
  bool both[2] = {};
  for (const auto& event : aha::read_json(job.run / "trace_1.json")) {
    if (event.at("ph") != "X") continue;
    first = std::min(first, event.at("ts").get<double>());
    last = std::max(last, event.at("ts").get<double>());
    both[event.at("pid").get<int>()] = true;
  }
  CHECK((both[0] && both[1]));
  constexpr double kMinute = 60e6;  // microseconds; a trace that took over the clocks spans a day
  CHECK(last - first < kMinute);
}
