// log.prometheus: a run's metrics over HTTP.
#include "tests/end_to_end/outcome.h"
#include "tests/support/exposition.h"
#include "tests/support/http.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

/// The port that the run says it serves at.
std::uint16_t port_of(const Program& run) {
  const std::string before = "metrics for Prometheus: http://127.0.0.1:";
  const auto said = run.said();
  const auto at = said.find(before);
  REQUIRE(at != std::string::npos);
  return static_cast<std::uint16_t>(std::stoi(said.substr(at + before.size())));
}

/// A page that tells of rank 1, too: heartbeats come twice a second.
std::string page_with_ranks(std::uint16_t port) {
  std::string answer;
  const auto until = std::chrono::steady_clock::now() + Millis(20'000);
  while (answer.find("rank=\"1\"") == std::string::npos && std::chrono::steady_clock::now() < until)
    answer = http_get(port, "/metrics");
  return answer;
}

std::vector<std::string> served(const Job& job, const std::string& where,
                                std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--set", "log.prometheus=" + where});
  return job.command(more);
}

}  // namespace

TEST_CASE("prometheus: a run under way serves its step, ranks, time left and metrics") {
  const Job job;
  Program run(served(job, "0", {"--nproc", "2", "--set", "stages.grpo.train.max_steps=100000"}));
  REQUIRE(run.says("grpo 8/", Millis(20'000)));
  const auto port = port_of(run);
  const auto answer = page_with_ranks(port);
  INFO(answer);
  CHECK_THAT(answer, contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  auto samples = samples_of(body_of(answer));
  CHECK(samples.count("aha_rank_step{rank=\"0\"}") == 1);
  CHECK(samples.count("aha_rank_step{rank=\"1\"}") == 1);
  CHECK(samples.at("aha_stage_steps{stage=\"grpo\"}") == "100000");
  CHECK(samples.at("aha_stage_index{stage=\"grpo\"}") == "1");
  CHECK(samples.at("aha_stages") == "2");
  const int step = std::stoi(samples.at("aha_step{stage=\"grpo\"}"));
  CHECK(step >= 7);
  CHECK(std::stoi(samples.at("aha_global_step")) == step + 4);
  CHECK(std::stod(samples.at("aha_time_left_seconds{stage=\"grpo\"}")) > 0);
  for (const char* name : {"aha_reward", "aha_grad_norm", "aha_completions_mean_length",
                           "aha_step_time", "aha_eval_accuracy"})
    CHECK(samples.count(std::string(name) + "{stage=\"grpo\"}") == 1);
  CHECK_THAT(answer, contains("aha_build_info{version=\"") &&
                         contains("aha_rewards_mean{stage=\"grpo\",func=\"parity\"} ") &&
                         contains("aha_rank_phase{rank=\"1\",host=\""));

  const Job other;
  const auto refused = run_aha(served(other, std::to_string(port)));
  CHECK(refused.code == 2);
  CHECK(refused.err == "aha: log.prometheus: cannot listen at 127.0.0.1:" + std::to_string(port) +
                           ": Address already in use; choose another port, or leave it out\n");
  CHECK_FALSE(fs::exists(other.run));

  run.signal(SIGTERM);
  CHECK(run.wait().code == 85);
  CHECK(connected(port) == -1);
}

TEST_CASE("prometheus: nothing is served unless asked for, and a run's bytes do not depend on it") {
  Job plain;
  const auto expected = plain.finished();
  const Job job;
  const auto end = run_aha(served(job, "localhost:0"));
  INFO(end.err);
  REQUIRE(end.code == 0);
  const auto outcome = outcome_of(job.run);
  CHECK((outcome.completions == expected.completions));
  CHECK(outcome.metrics == expected.metrics);
  CHECK(
      (outcome.checkpoint.at("model.safetensors") == expected.checkpoint.at("model.safetensors")));
  CHECK(slurp(plain.run / "log.txt").find("Prometheus") == std::string::npos);
}

TEST_CASE("prometheus: what is no place to listen at is refused where it stands") {
  const Job job;
  spill(job.config,
        slurp(job.config)
            .replace(slurp(job.config).find("log: {"), 6, "log: {prometheus: n7:9464, "));
  const auto end = run_aha(job.command());
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains(job.config.string() + ":17:7:") &&
                          contains("log.prometheus: 'n7:9464' is no port and no ADDRESS:PORT"));
  CHECK_FALSE(fs::exists(job.run));
  const Job stages;
  const auto late = run_aha(stages.command({"--set", "stages.grpo.log.prometheus=9464"}));
  CHECK(late.code == 2);
  CHECK_THAT(late.err, contains("is one for the whole job"));
}
