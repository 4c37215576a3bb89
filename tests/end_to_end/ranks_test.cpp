// Several ranks of build/aha on one machine: the bytes of one rank, and faults that name the rank.
#include <list>

#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"
#include "trainer/core/philox.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

/// Ranks that train without end, under way.
struct Endless {
  explicit Endless(int count, const std::string& more = "")
      : job(more),
        ranks(count, job.command({"--set", "stages.grpo.train.max_steps=100000", "--set",
                                  "train.threads=1"})) {
    REQUIRE(ranks[0].says("grpo 2/", Millis(20'000)));
  }
  Job job;
  Ranks ranks;
};

/// A job that uses everything that feeds back into weights: KL, an adaptive entropy bonus, two updates a
/// rollout, dynamic sampling.
const char* const kEverything =
    R"(    objective: {beta: 0.02, use_adaptive_entropy: true, entropy_target: 1.5, entropy_coef: 0.01, minibatches: 2, zero_variance_groups: refill, max_resample_batches: 3, sync_ref_model: true, ref_model_sync_steps: 3}
)";

Outcome outcome_on(int ranks, const std::vector<std::string>& settings,
                   const std::string& more = kEverything) {
  const Job job(more);
  std::vector<std::string> command = job.command();
  for (const auto& setting : settings) {
    command.emplace_back("--set");
    command.push_back(setting);
  }
  require_done(Ranks(ranks, command).wait());
  return outcome_of(job.run);
}

}  // namespace

TEST_CASE("ranks: strict weights, completions and metrics have the bytes of one rank") {
  const auto settings = [](int threads, int tokens, int zero_stage = 1) {
    return std::vector<std::string>{
        "strict=true",
        "stages.grpo.train.max_steps=20",
        "train.strict_chunk=2",
        "checkpoint.save_steps=0",
        "optim.zero_stage=" + std::to_string(zero_stage),
        "train.threads=" + std::to_string(threads),
        "stages.grpo.train.max_tokens_per_micro_batch=" + std::to_string(tokens)};
  };
  // trainer_state.json notes the configuration, in which the micro-batch and the stage differ
  const auto without_state = [](Outcome outcome) {
    outcome.checkpoint.erase("trainer_state.json");
    return outcome;
  };
  const Outcome expected = without_state(outcome_on(1, settings(1, 8192)));
  // refill, and with it the queue, must have been at work
  bool refilled = false;
  for (const auto& row : expected.metrics)
    refilled = refilled || row.find("\"groups/refilled\":0") == std::string::npos;
  CHECK(refilled);
  for (const int ranks : {2, 3, 4})
    for (const int tokens : {24, 8192}) {
      const int zero_stage = tokens == 24 ? ranks == 3 ? 3 : 2 : ranks - 1;
      INFO(ranks << " ranks, " << tokens << " tokens, stage " << zero_stage);
      require_equal(
          without_state(outcome_on(ranks, settings(ranks == 3 ? 2 : 1, tokens, zero_stage))),
          expected);
    }
}

TEST_CASE("ranks: stages that divide differently are divided as the one that divides most") {
  // micro-batches of a row or two: of warm_start's eight rows, ranks have different numbers
  const std::vector<std::string> settings = {"strict=true",
                                             "train.threads=1",
                                             "train.strict_chunk=2",
                                             "train.max_tokens_per_micro_batch=24",
                                             "stages.grpo.train.max_steps=2",
                                             "stages.warm_start.optim.zero_stage=1",
                                             "stages.grpo.optim.zero_stage=3",
                                             "stages.grpo.optim.zero3_gather_for_rollout=false",
                                             "comm.timeout_s=20"};
  require_equal(outcome_on(3, settings, ""), outcome_on(1, settings, ""));
}

TEST_CASE(
    "ranks: outside strict mode samples are the same until weights differ, and losses agree") {
  const std::vector<std::string> settings = {"train.threads=1", "stages.grpo.train.max_steps=8"};
  const Outcome one = outcome_on(1, settings, "");
  for (const int ranks : {2, 3}) {
    auto divided = settings;
    divided.push_back("optim.zero_stage=" + std::to_string(ranks));
    const Outcome several = outcome_on(ranks, divided, "");
    REQUIRE(several.metrics.size() == one.metrics.size());
    for (std::size_t i = 0; i < one.metrics.size(); ++i) {
      const auto a = aha::Json::parse(one.metrics[i]);
      const auto b = aha::Json::parse(several.metrics[i]);
      if (!a.contains("loss")) continue;
      INFO(ranks << " ranks, row " << i);
      const double floor = a["stage"] == "grpo" ? 1e-5 : 0.0;  // a grpo loss is near 0
      CHECK(std::abs(a["loss"].get<double>() - b["loss"].get<double>()) <=
            floor + 1e-5 * std::abs(a["loss"].get<double>()));
      if (a["stage"] == "grpo" && a["step"] == 1)
        CHECK(a["completions/mean_length"] == b["completions/mean_length"]);
    }
  }
}

TEST_CASE(
    "ranks: a run goes on with other ranks and another stage of ZeRO as if nothing had happened") {
  const std::vector<std::string> always = {"--set",           "strict=true", "--set",
                                           "train.threads=1", "--set",       "eval.eval_steps=1"};
  const Job whole;
  auto command = whole.command(always);
  require_done(Ranks(1, command).wait());
  const Job parts;
  int steps = 0;
  for (const int ranks : {1, 4, 2, 1}) {
    ++steps;
    auto part = parts.command(always);
    for (const auto& word :
         {std::string("--resume"), std::string("auto"), std::string("--set"),
          "stages.grpo.train.max_steps=" + std::to_string(steps == 4 ? 5 : steps),
          std::string("--set"), "optim.zero_stage=" + std::to_string(ranks == 4 ? 3 : ranks),
          std::string("--set"),
          std::string("train.gradient_checkpointing=") + (ranks == 1 ? "false" : "true")})
      part.push_back(word);
    require_done(Ranks(ranks, part).wait());
  }
  require_equal(outcome_of(parts.run), outcome_of(whole.run));
}

TEST_CASE(
    "ranks: whichever rank is killed whenever, the run goes on and ends with the same bytes") {
  std::vector<std::string> strict = {"--set", "strict=true", "--set", "train.threads=1"};
  const Kills kills(20);
  strict.insert(strict.end(), kills.settings.begin(), kills.settings.end());
  const Job whole;
  require_done(Ranks(2, whole.command(strict)).wait());
  const Job broken;
  auto command = broken.command(strict);
  command.insert(command.end(), {"--resume", "auto"});
  aha::RandomStream random({2027, aha::Purpose::Task, 0, 0, 0, 0});
  int killed = 0;
  for (int attempt = 0; attempt <= kills.most + 20; ++attempt) {
    Ranks ranks(2, command);
    if (attempt < kills.most) {
      std::this_thread::sleep_for(Millis(60 + random.below(200) * (1 + attempt / 4)));
      ranks[static_cast<std::size_t>(random.below(2))].signal(SIGKILL);
      std::this_thread::sleep_for(Millis(30));
      ranks.signal_all(SIGKILL);  // as a launcher does
    }
    const auto ends = ranks.wait();
    if (ends[0].code == 0 && ends[1].code == 0) break;
    for (const auto& end : ends)
      CHECK((end.code == 128 + SIGKILL || end.code == 75 || end.code == 0));
    ++killed;
  }
  CHECK(killed > 5);
  if (kills.most > 20) WARN(killed << " kills");
  require_equal(outcome_of(broken.run), outcome_of(whole.run));
}

TEST_CASE("ranks: when one is killed the others end, name it, and ask to be tried again") {
  const std::vector<std::string> divisions = {
      "", "optim: {zero_stage: 3}\n", "optim: {zero_stage: 3, zero3_gather_for_rollout: false}\n"};
  std::list<Endless> all;  // at once: most of the time they wait for a sign of life
  for (const auto& division : divisions)
    all.emplace_back(3, division).ranks[2].signal(SIGKILL);
  for (const auto& division : divisions) {
    const auto ends = all.front().ranks.wait();
    all.pop_front();
    for (const std::size_t r : {0, 1}) {
      INFO(division << ends[r].err);
      CHECK(ends[r].code == 75);
      CHECK(ends[r].err.find("rank 2 (") != std::string::npos);
    }
    CHECK(ends[0].err.find("gives no sign of life") != std::string::npos);
  }
}

TEST_CASE("ranks: one that is stopped for too long is found by its silence") {
  Endless endless(2, "comm: {heartbeat_s: 2.5}\n");
  auto& ranks = endless.ranks;
  ranks[1].signal(SIGSTOP);
  const Ended leader = ranks[0].wait();
  ranks[1].signal(SIGKILL);
  ranks[1].wait();
  INFO(leader.err);
  CHECK(leader.code == 75);
  CHECK(leader.err.find("rank 1 (") != std::string::npos);
  CHECK(leader.err.find("gives no sign of life since") != std::string::npos);
}

TEST_CASE("ranks: all that are stopped together, for longer than silence may last, go on") {
  const Job job("comm: {heartbeat_s: 2.5}\n");
  Ranks ranks(2, job.command({"--set", "stages.grpo.train.max_steps=20", "--set", "train.threads=1",
                              "--set", "eval.eval_steps=0"}));
  REQUIRE(ranks[0].says("grpo 2/", Millis(20'000)));
  ranks.signal_all(SIGSTOP);
  std::this_thread::sleep_for(Millis(3200));
  ranks.signal_all(SIGCONT);
  require_done(ranks.wait());
}

TEST_CASE("ranks: a signal to one stops all at the same step, with a checkpoint") {
  Endless endless(2);
  auto& ranks = endless.ranks;
  ranks[1].signal(SIGUSR1);
  const auto ends = ranks.wait();
  for (const auto& end : ends) {
    INFO(end.err);
    CHECK(end.code == 85);
  }
  CHECK(ends[0].err.find("stopped by a signal to another rank after step") != std::string::npos);
  CHECK(fs::exists(endless.job.run / "latest" / "trainer_state.json"));
}

TEST_CASE("ranks: another configuration on one rank is refused before anything is written") {
  const Job job;
  const auto ends = Ranks({job.command(), job.command({"--set", "seed=4"})}).wait();
  for (const auto& end : ends) {
    INFO(end.err);
    CHECK(end.code == 2);
    CHECK(end.err.find("seed: rank 1 has 4, rank 0 has 3") != std::string::npos);
  }
  CHECK_FALSE(fs::exists(job.run));
}

TEST_CASE("ranks: an error of rank 0 ends the others, which say it") {
  const Job job;
  spill(job.run / "config.resolved.yaml", "something");
  const auto ends = Ranks(2, job.command()).wait();
  INFO(ends[0].err);
  INFO(ends[1].err);
  CHECK(ends[0].code == 2);
  CHECK(ends[1].code == 75);
  CHECK(ends[1].err.find("rank 0") != std::string::npos);
  CHECK(ends[1].err.find("ended: output_dir") != std::string::npos);
}
