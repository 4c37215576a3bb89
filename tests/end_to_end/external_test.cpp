// Runs whose reward is a program of the user's own: found missing before anything is written, dead in the
// middle, killed with everything, and resumed.
#include <unistd.h>

#include <array>

#include "tests/end_to_end/outcome.h"
#include "tests/rewards/external_support.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

/// The small job with the stand-in as its reward.
struct ScoredJob : Job {
  explicit ScoredJob(fs::path file) : pids(std::move(file)) {}
  fs::path pids;

  std::vector<std::string> command(const std::string& manner,
                                   std::vector<std::string> more = {}) const {
    const auto words = aha::Json{external_scorer(), manner, pids.string()}.dump();
    more.insert(more.begin(), {"--set", "reward.functions=[{name: command, copies: 2, command: " +
                                            words + ", answer_limit_s: 5}]"});
    return Job::command(std::move(more));
  }
};

}  // namespace

TEST_CASE(
    "external: a scorer that does not start ends check and train before anything is written") {
  const TempFolder pids;
  const ScoredJob job(pids / "pids");
  for (const char* word : {"train", "check"}) {
    auto command = job.command("ends");
    command[0] = word;
    const auto end = run_aha(command);
    INFO(end.err);
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains("aha: stages.warm_start.reward.functions: reward 'command': ") &&
                            contains("ended with exit code 3: no model here"));
    CHECK_FALSE(fs::exists(job.run));
  }
  auto command = job.command("well");
  command[0] = "check";
  const auto end = run_aha(command);
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK_THAT(end.out, contains("ideal "));
  CHECK(left_over(job.pids) == 0);
}

TEST_CASE("external: what one rank lacks ends all of them, and says on which host") {
  const TempFolder pids;
  const ScoredJob job(pids / "pids");
  const auto end = run_aha(job.command("ends on rank 1", {"--nproc", "2"}));
  INFO(end.err);
  CHECK(end.code == 2);
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  CHECK_THAT(end.err, contains("aha: rank 1 on " + std::string(host.data()) +
                               ": stages.warm_start.reward.functions: reward 'command': ") &&
                          contains("no model here"));
  CHECK_FALSE(fs::exists(job.run));
  CHECK(left_over(job.pids) == 0);
}

TEST_CASE(
    "external: a run goes on to the same bytes after it was killed, and leaves no scorer behind") {
  const TempFolder pids;  // of both: the words of the command are in what is saved
  const ScoredJob plain(pids / "pids");
  const auto end = run_aha(plain.command("with a daemon"));
  INFO(end.err);
  REQUIRE(end.code == 0);
  const ScoredJob job(pids / "pids");
  {
    Program program(job.command("with a daemon"));
    REQUIRE(program.says("grpo 1/", std::chrono::seconds(60)));
    CHECK(alive(job.pids) > 0);
    program.signal(SIGKILL);
    CHECK(program.wait().code == 128 + SIGKILL);
  }
  CHECK(left_over(job.pids) == 0);
  const auto resumed = run_aha(job.command("with a daemon", {"--resume", "auto"}));
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  require_equal(outcome_of(job.run), outcome_of(plain.run));
  CHECK(left_over(job.pids) == 0);
}

TEST_CASE(
    "external: a scorer that dies stops the run with its last state, never with a score of 0") {
  const std::string ranks = GENERATE("1", "2");
  const TempFolder pids;
  const ScoredJob job(pids / "pids");
  Program program(
      job.command("well", {"--set", "stages.grpo.train.max_steps=100000", "--nproc", ranks}));
  REQUIRE(program.says("grpo 1/", std::chrono::seconds(60)));
  spill(job.pids.string() + ".dead", "");
  const auto end = program.wait();
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("aha: reward 'command' could not judge ") && contains("no model") &&
                          contains("(more than reward.max_unjudged, 0.1)"));
  const auto rows = rows_of(slurp(job.run / "metrics.jsonl"));
  for (const auto& row : rows)
    CHECK(row.value("unjudged_ratio", 0.0) <= 0.1);
  const auto state = aha::Json::parse(slurp(job.run / "latest" / "trainer_state.json"));
  CHECK(state["global_step"] == rows.back()["global_step"]);
  CHECK(left_over(job.pids) == 0);
}
