// Ranks with a bad network between them: slower, with the same bits; and cut off from each other.
#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"
#include "tests/support/slow_link.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

std::vector<std::string> strict(const Job& job) {
  return job.command({"--set", "strict=true", "--set", "train.threads=1", "--resume", "auto"});
}

/// Two ranks, one on either side.
Ranks over(const SlowLink& link, const std::vector<std::string>& command) {
  return Ranks(2, command, [&](int rank, Program::Options& options) {
    options.first = [&link, rank] { link.enter(rank); };
    for (auto& [name, value] : options.environment)
      if (name == "MASTER_ADDR") value = SlowLink::address(0);
  });
}

double seconds_in_collectives(const fs::path& run) {
  double seconds = 0;
  for (const auto& row : rows_of(slurp(run / "metrics.jsonl")))
    seconds += row.value("timing_s/comm", 0.0);
  return seconds;
}

}  // namespace

// One test: a process can enter a user namespace, but not come back.
TEST_CASE("network: delay and loss make a run slower, a cut ends it by name, and no bit differs") {
  const Job near;
  require_done(Ranks(2, strict(near)).wait());
  const auto expected = outcome_of(near.run);

  SlowLink link(std::chrono::milliseconds(4), 0.01);
  if (!link.missing().empty()) {
    WARN("skipped: " << link.missing());
    return;
  }
  const Job far;
  require_done(over(link, strict(far)).wait());
  require_equal(outcome_of(far.run), expected);
  CHECK(link.lost() > 0);
  CHECK(seconds_in_collectives(far.run) > 2 * seconds_in_collectives(near.run));

  const Job apart("comm: {heartbeat_s: 2.5}\n");
  {
    auto ranks = over(link, strict(apart));
    REQUIRE(ranks[0].says("grpo 1/", Millis(60'000)));
    link.cut(true);
    const auto ends = ranks.wait();
    INFO(ends[0].err);
    INFO(ends[1].err);
    CHECK(ends[0].code == 75);
    CHECK(ends[1].code == 75);
    CHECK_THAT(ends[0].err, contains("aha: rank 1 (") && contains("gives no sign of life since "));
    CHECK_THAT(ends[1].err,
               contains("aha: rank 0, where all ranks meet, cannot be reached: no answer for "));
  }
  link.cut(false);
  require_done(over(link, strict(apart)).wait());
  require_equal(outcome_of(apart.run), expected);
}
