// Ranks with a bad network between them: slower, with the same bits; and cut off from each other.
#include <algorithm>
#include <map>

#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"
#include "tests/support/slow_link.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

constexpr std::chrono::microseconds kDelay{4000};

std::vector<std::string> strict(const Job& job) {
  return job.command({"--set", "strict=true", "--set", "train.threads=1", "--resume", "auto",
                      "--set", "log.trace=true"});
}

/// Two ranks, one on either side, that have nothing but the link.
Ranks over(const SlowLink& link, std::vector<std::string> command) {
  command.insert(command.end(), {"--set", "comm.read_memory=false"});
  return Ranks(2, command, [&](int rank, Program::Options& options) {
    options.first = [&link, rank] { link.enter(rank); };
    for (auto& [name, value] : options.environment)
      if (name == "MASTER_ADDR") value = SlowLink::address(0);
  });
}

/// Microseconds that both ranks together were in each collective that neither leaves before the other has come.
std::vector<double> times_in_collectives(const fs::path& run) {
  std::map<int, std::vector<double>> ranks;
  for (const auto& event : aha::read_json(run / "trace_1.json"))
    if (event.at("ph") == "X" && event.at("cat") == "collective")
      ranks[event.at("args").at("call")].push_back(event.at("dur"));
  std::vector<double> times;
  for (const auto& [call, parts] : ranks) {
    REQUIRE(parts.size() == 2);
    times.push_back(parts[0] + parts[1]);
  }
  return times;
}

}  // namespace

// One test: a process can enter a user namespace, but not come back.
TEST_CASE("network: delay and loss make a run slower, a cut ends it by name, and no bit differs") {
  const Job near;
  require_done(Ranks(2, strict(near)).wait());
  const auto expected = outcome_of(near.run);

  SlowLink link(kDelay, 0.01);
  if (!link.missing().empty()) {
    WARN("skipped: " << link.missing());
    return;
  }
  const Job far;
  require_done(over(link, strict(far)).wait());
  require_equal(outcome_of(far.run), expected);
  CHECK(link.lost() > 0);
  // each waits for what the other sent no sooner than it came, a delay later: together for two delays at least
  const auto times = times_in_collectives(far.run);
  CHECK(times.size() > 20);
  CHECK(std::count_if(times.begin(), times.end(),
                      [](double us) { return us < 2 * kDelay.count(); }) == 0);

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
