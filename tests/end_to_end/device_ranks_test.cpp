// Several ranks with device: cuda, each on a GPU that is only pretended; what they send each other goes through files.
#include <cmath>

#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"

using namespace aha_test;

namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// Ranks of a job on pretended GPUs. What they leave when they are killed goes with the job's folder.
struct OnGpus {
  OnGpus(int count, const std::vector<std::string>& settings, const Environment& of_rank_1 = {},
         const Environment& of_all = {}, const std::string& more = "")
      : job(more), ranks(count, command(settings), [&](int rank, Program::Options& options) {
          const auto add = [&](const Environment& variables) {
            options.environment.insert(options.environment.end(), variables.begin(),
                                       variables.end());
          };
          add({{"AHA_CUDA_LIBRARY", AHA_CUDA_PRETENDED}, {"TMPDIR", job.folder / "."}});
          add(of_all);
          if (rank == 1) add(of_rank_1);
        }) {}

  std::vector<std::string> command(const std::vector<std::string>& settings) const {
    auto all = job.command({"--set", "device=cuda", "--set", "train.threads=1"});
    for (const auto& setting : settings) {
      all.emplace_back("--set");
      all.push_back(setting);
    }
    return all;
  }

  Job job;
  Ranks ranks;
};

const std::vector<std::string> kShort = {"stages.warm_start.train.max_steps=2",
                                         "stages.grpo.train.max_steps=2", "eval.eval_steps=0",
                                         "stages.grpo.train.prompts_per_step=2"};

Outcome outcome_on(int count, std::vector<std::string> settings) {
  settings.insert(settings.end(), kShort.begin(), kShort.end());
  OnGpus on(count, settings);
  require_done(on.ranks.wait());
  return outcome_of(on.job.run);
}

/// Losses to 1e-5 and norms of gradients to `norms`, and what the first step of grpo sampled from weights that its own
/// stage has not changed.
void require_alike(const Outcome& several, const Outcome& one, double norms) {
  REQUIRE(several.metrics.size() == one.metrics.size());
  int compared = 0;
  for (std::size_t i = 0; i < one.metrics.size(); ++i) {
    const auto a = aha::Json::parse(one.metrics[i]);
    const auto b = aha::Json::parse(several.metrics[i]);
    if (!a.contains("loss")) continue;
    INFO(one.metrics[i] << "\n" << several.metrics[i]);
    const auto close = [&](const char* key, double floor, double share) {
      const double expected = a[key].get<double>();
      CHECK(std::abs(b[key].get<double>() - expected) <= floor + share * std::abs(expected));
    };
    close("loss", a["stage"] == "grpo" ? 1e-5 : 0.0, 1e-5);  // a grpo loss is near 0
    close("grad_norm", 0, norms);
    if (a["stage"] == "grpo" && a["step"] == 1)
      CHECK(a["completions/mean_length"] == b["completions/mean_length"]);
    ++compared;
  }
  CHECK(compared == 4);
}

}  // namespace

TEST_CASE("device ranks: what two and three learn is what one learns, for all stages of ZeRO") {
  const auto stage = [](int number) { return "optim.zero_stage=" + std::to_string(number); };
  const Outcome one = outcome_on(1, {});
  require_alike(outcome_on(2, {stage(1)}), one, 1e-5);
  const Outcome three = outcome_on(3, {stage(2)});
  require_alike(three, one, 1e-5);
  CHECK(outcome_on(3, {stage(3)}).metrics == three.metrics);
  // a weight whose last bit of f32 differs may round to its neighbour in bf16, 2^-8 away
  const std::string bf16 = "model.storage=bf16";
  const Outcome two = outcome_on(2, {bf16, stage(1)});
  require_alike(two, outcome_on(1, {bf16}), std::ldexp(1, -8));
  for (const int number : {2, 3})
    CHECK(outcome_on(2, {bf16, stage(number)}).metrics == two.metrics);
}

TEST_CASE("device ranks: strict weights and metrics of two and three have the bytes of one") {
  const auto strict = [](int ranks, int stage, const std::string& tokens) {
    Outcome outcome =
        outcome_on(ranks, {"strict=true", "train.strict_chunk=2", "model.storage=bf16",
                           "train.max_tokens_per_micro_batch=" + tokens,
                           "optim.zero_stage=" + std::to_string(stage)});
    outcome.checkpoint.erase("trainer_state.json");  // notes the configuration
    return outcome;
  };
  const Outcome one = strict(1, 1, "4096");
  const auto require_same = [&](const Outcome& other) {
    CHECK(other.metrics == one.metrics);
    CHECK(other.checkpoint == one.checkpoint);
  };
  require_same(strict(2, 1, "64"));
  require_same(strict(3, 2, "4096"));
  require_same(strict(2, 3, "64"));
}

TEST_CASE("device ranks: a run goes on with another number of ranks, and a reference is divided") {
  const Job job;
  const auto train = [&](int ranks, const std::string& steps) {
    Program::Options options;
    options.environment = {{"AHA_CUDA_LIBRARY", AHA_CUDA_PRETENDED}, {"TMPDIR", job.folder / "."}};
    auto words = job.command({"--nproc", std::to_string(ranks), "--resume", "auto", "--set",
                              "stages.grpo.train.max_steps=" + steps, "--set", "device=cuda",
                              "--set", "train.threads=1", "--set", "objective.beta=0.05", "--set",
                              "optim.zero_stage=3"});
    for (const auto& setting : kShort)
      if (setting.find("grpo.train.max_steps") == std::string::npos) {
        words.emplace_back("--set");
        words.push_back(setting);
      }
    const auto end = Program(words, std::move(options)).wait();
    INFO(end.err);
    REQUIRE(end.code == 0);
    return end;
  };
  CHECK_THAT(train(2, "1").err, contains("cuda, 2 ranks on a GPU each"));
  train(1, "2");
  train(3, "3");
  const auto rows = metrics_without_times(job.run);
  CHECK(rows.size() == 7);  // with one before each stage
  CHECK(aha::Json::parse(rows.back())["step"] == 3);
}

TEST_CASE("device ranks: a rank that is killed is named, and the others end to be tried again") {
  OnGpus on(3, {"stages.grpo.train.max_steps=100000", "eval.eval_steps=0"}, {}, {},
            "comm: {timeout_s: 60, heartbeat_s: 3}\n");
  REQUIRE(on.ranks[0].says("grpo 1/", std::chrono::milliseconds(60'000)));
  on.ranks[1].signal(SIGKILL);
  const auto ends = on.ranks.wait();
  INFO(ends[0].err);
  CHECK(ends[0].code == 75);
  CHECK(ends[2].code == 75);
  CHECK_THAT(ends[0].err, contains("rank 1 (") && contains("gives no sign of life"));
}

TEST_CASE("device ranks: what the network of the GPUs reports ends the job with its words") {
  OnGpus on(2, kShort, {{"AHA_PRETENDED_FAULT", "5"}});
  const auto ends = on.ranks.wait();
  INFO(ends[0].err);
  CHECK(ends[1].code == 75);
  CHECK_THAT(ends[1].err, contains("failed: ") && contains("NCCL says remote process exited"));
  CHECK(ends[0].code == 75);
  CHECK_THAT(ends[0].err, contains("rank 1 (") && contains("lost another rank"));
}

TEST_CASE("device ranks: the GPU with the least free memory decides, whichever rank has it") {
  OnGpus on(2, kShort, {{"AHA_PRETENDED_BYTES", "400000"}});
  const auto ends = on.ranks.wait();
  INFO(ends[0].err);
  CHECK(ends[0].code == 2);
  CHECK_THAT(ends[0].err, contains("a pretended GPU of rank 1 on ") && contains(" free"));
  CHECK(!fs::exists(on.job.run));
}

TEST_CASE(
    "device ranks: too few GPUs, or one for two ranks, is a line before anything is written") {
  for (const auto& [visible, expected] :
       {std::pair<std::string, std::string>{"2", "pretended GPUs are too few"},
        {"1", "device: ranks 0 and 1 on "}}) {
    OnGpus on(3, {}, {}, {{"AHA_PRETENDED_GPUS", visible}});
    for (const auto& end : on.ranks.wait()) {
      CHECK(end.code == 2);
      CHECK_THAT(end.err, contains(expected));
    }
    CHECK(!fs::exists(on.job.run));
  }
}

TEST_CASE("device ranks: what several ranks do on CPUs alone is refused, when it is checked too") {
  const Job job;
  Program::Options options;
  options.environment = {{"AHA_CUDA_LIBRARY", AHA_CUDA_PRETENDED}};
  const auto end =
      Program({"check", job.config.string(), "--nproc", "2", "--set", "device=cuda", "--set",
               "optim.zero_stage=3", "--set", "optim.zero3_gather_for_rollout=false"},
              std::move(options))
          .wait();
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("optim.zero3_gather_for_rollout: false"));
}
