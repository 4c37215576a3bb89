#include "tests/end_to_end/outcome.h"
#include "tests/support/catch.h"
#include "tests/support/own_mount.h"
#include "trainer/core/philox.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

using Millis = std::chrono::milliseconds;

void require_done(const Ended& end) {
  INFO(end.err);
  REQUIRE(end.code == 0);
}

}  // namespace

TEST_CASE("resume: killed at random moments, a run ends with the bytes of one that never stopped") {
  const Kills kills(40);
  Job whole;
  require_done(run_aha(whole.command(kills.settings)));
  const Outcome expected = outcome_of(whole.run);
  Job broken;
  auto command = broken.command(kills.settings);
  command.insert(command.end(), {"--resume", "auto"});
  aha::RandomStream random({2026, aha::Purpose::Task, 0, 0, 0, 0});
  int killed = 0;
  Ended end;
  for (int attempt = 0; attempt < kills.most + 20; ++attempt) {
    Program program(command);
    // later attempts live longer, so that the job gets done on a slow machine too
    const auto life = Millis(30 + random.below(120) * (1 + attempt / 6));
    if (attempt < kills.most) {
      std::this_thread::sleep_for(life);
      program.signal(SIGKILL);
    }
    end = program.wait();
    if (end.code == 0) break;
    INFO(end.err);
    REQUIRE(end.code == 128 + SIGKILL);
    ++killed;
  }
  CHECK(killed >= 3);
  if (kills.most > 40) WARN(killed << " kills");
  REQUIRE(end.code == 0);
  require_equal(expected, outcome_of(broken.run));
}

TEST_CASE("resume: stopped by a signal, the run saves, exits 85 and goes on to the same bytes") {
  Job whole;
  const Outcome expected = whole.finished();
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
    Job broken;
    Program program(broken.command());
    REQUIRE(program.says("grpo 1/5", Millis(20000)));
    program.signal(number);
    const auto stopped = program.wait();
    INFO(stopped.err);
    if (stopped.code != 0) {
      CHECK(stopped.code == 85);
      CHECK_THAT(stopped.err, contains("--resume auto"));
      const auto end = run_aha(broken.command({"--resume", "auto"}));
      INFO(end.err);
      REQUIRE(end.code == 0);
    }
    require_equal(expected, outcome_of(broken.run));
  }
}

TEST_CASE("resume: a disk that is full for a while costs nothing") {
  const std::vector<std::string> longer = {"--set", "stages.grpo.train.max_steps=300", "--set",
                                           "checkpoint.max_failed_saves=100000"};
  Job whole;
  require_done(run_aha(whole.command(longer)));
  Job filled;
  Program program(filled.command(longer));
  REQUIRE(program.says("grpo 3/", Millis(20000)));
  program.limit_files(6000);
  REQUIRE(program.says("the next save tries again", Millis(20000)));
  program.limit_files(RLIM_INFINITY);
  require_done(program.wait());
  require_equal(outcome_of(whole.run), outcome_of(filled.run));
}

TEST_CASE("resume: a disk that is read-only for a while costs nothing, on one rank or two") {
  for (const char* ranks : {"1", "2"}) {
    const std::vector<std::string> any = {"--set", "strict=true", "--nproc", ranks};
    auto longer = any;
    longer.insert(longer.end(), {"--set", "stages.grpo.train.max_steps=300", "--set",
                                 "checkpoint.max_failed_saves=100000", "--resume", "auto"});
    Job whole;
    require_done(run_aha(whole.command(longer)));
    Job broken;
    auto begun = any;
    begun.insert(begun.end(), {"--set", "stages.grpo.train.max_steps=2"});
    require_done(run_aha(broken.command(begun)));
    const OwnMount disk(broken.run / "checkpoints");
    if (!disk.possible()) {
      WARN("skipped: this machine allows no mounts of one's own");
      return;
    }
    Program::Options options;
    options.first = [&] {
      if (!disk.enter()) _exit(126);
    };
    Program program(broken.command(longer), std::move(options));
    REQUIRE(program.says("grpo 5/", Millis(20000)));
    bool changed = false;
    for (int i = 0; i < 2000 && !changed && !program.ended(); ++i)
      changed = disk.make_read_only(program.pid(), true);
    REQUIRE(changed);
    REQUIRE(program.says("Read-only file system; training goes on, the next save tries again",
                         Millis(20000)));
    REQUIRE(disk.make_read_only(program.pid(), false));
    require_done(program.wait());
    require_equal(outcome_of(whole.run), outcome_of(broken.run));
  }
}

TEST_CASE("resume: a disk that stays full stops the run at its limit, with what to do") {
  const std::vector<std::string> longer = {"--set", "stages.grpo.train.max_steps=60"};
  Job whole;
  require_done(run_aha(whole.command(longer)));
  for (const char* async : {"true", "false"}) {
    Job filled;
    Program program(filled.command({"--set", "stages.grpo.train.max_steps=60", "--set",
                                    std::string("checkpoint.async=") + async}));
    REQUIRE(program.says("grpo 3/", Millis(20000)));
    program.limit_files(30000);  // what is said is a file, too
    const auto end = program.wait();
    INFO(end.err);
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains("(1 of at most 3 failures in a row)") &&
                            contains("(2 of at most 3 failures in a row)") &&
                            contains("3 times in a row") && contains("--resume auto"));
    require_done(
        run_aha(filled.command({"--set", "stages.grpo.train.max_steps=60", "--resume", "auto"})));
    require_equal(outcome_of(whole.run), outcome_of(filled.run));
  }
}

TEST_CASE("resume: the cut between k and N - k steps is free, and a finished run is left alone") {
  Job whole;
  const Outcome expected = whole.finished();
  Job parts;
  REQUIRE(run_aha(parts.command({"--set", "stages.grpo.train.max_steps=2"})).code == 0);
  const auto end = run_aha(parts.command({"--resume", "auto"}));
  INFO(end.err);
  REQUIRE(end.code == 0);
  // the shorter job ended with an evaluation of its own after step 2, which is in the cadence anyway
  require_equal(expected, outcome_of(parts.run));
  REQUIRE(run_aha(parts.command({"--resume", "auto"})).code == 0);
  require_equal(expected, outcome_of(parts.run));
}

TEST_CASE("storage: weights of 16 bits resume to the same bytes, and are saved as they were read") {
  for (const auto& [storage, dtype] :
       {std::pair<std::string, std::string>{"bf16", "bfloat16"}, {"fp16", "float16"}}) {
    const std::vector<std::string> settings{
        "--set", "model.storage=" + storage,
        "--set", "model.save_dtype=" + dtype,
        "--set", "stages.grpo.train.grad_accum_dtype=" + (storage == "bf16" ? storage : "f32"),
        "--set", "stages.grpo.objective.num_iterations=2",
        "--set", "stages.grpo.objective.beta=0.02"};
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), settings.begin(), settings.end());
      return more;
    };
    Job whole;
    auto end = run_aha(whole.command(settings));
    INFO(end.err);
    REQUIRE(end.code == 0);
    const Outcome expected = outcome_of(whole.run);
    Job parts;
    for (const char* steps : {"1", "3", "5"}) {
      const auto set = std::string("stages.grpo.train.max_steps=") + steps;
      end = run_aha(parts.command(with({"--resume", "auto", "--set", set})));
      INFO(end.err);
      REQUIRE(end.code == 0);
    }
    CHECK((outcome_of(parts.run).checkpoint == expected.checkpoint));
    int rows = 0;
    for (const auto& line : expected.metrics) {
      const auto row = aha::Json::parse(line);
      if (!row.contains("mismatch_kl") || row.at("mismatch_kl").is_null()) continue;
      ++rows;
      CHECK(row.at("sampling/sampling_logp_difference/max") == 0.0);
    }
    CHECK(rows >= 2);
    // the folder says the same read as f32, which loses nothing, and as it was trained
    Program::Options options;
    options.input = "{\"ids\": [1, 2, 3, 4, 5, 0]}\n";
    const auto model = (whole.run / "latest").string();
    const auto small =
        Program({"logprobs", "--model", model, "--storage", storage}, options).wait();
    const auto large = Program({"logprobs", "--model", model}, options).wait();
    INFO(small.err);
    REQUIRE(small.code == 0);
    CHECK(small.out == large.out);
    // other numbers would be another run
    end = run_aha(parts.command({"--resume", "auto"}));
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains("model.storage"));
  }
}

TEST_CASE("resume: an unreadable newest checkpoint is passed over, and the log says so") {
  Job whole;
  const Outcome expected = whole.finished();
  const fs::path newest = fs::canonical(whole.run / "latest");
  const std::string model = slurp(newest / "model.safetensors");
  spill(newest / "model.safetensors", model.substr(0, model.size() / 2));
  const auto end = run_aha(whole.command({"--resume", "auto"}));
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK_THAT(end.err, contains("model.safetensors"));
  require_equal(expected, outcome_of(whole.run));
}

TEST_CASE(
    "resume: from another folder's checkpoint a run ends the same, and only under its "
    "configuration") {
  Job whole;
  const Outcome expected = whole.finished();
  const auto checkpoint = (whole.run / "checkpoints" / "step_7").string();
  Job fork;
  for (const char* setting : {"stages.grpo.optim.learning_rate=0.5", "seed=4"}) {
    const auto refused = run_aha(fork.command({"--resume", checkpoint, "--set", setting}));
    INFO(refused.err);
    CHECK(refused.code == 2);
    CHECK_THAT(refused.err,
               contains(std::string(setting).substr(0, std::string(setting).find('='))));
    CHECK_FALSE(fs::exists(fork.run));
  }
  // without the stage that the checkpoint was made in
  Job other;
  spill(other.config, small_job(other.run) + "\n");
  auto text = slurp(other.config);
  text.erase(text.find("  - name: grpo"));
  spill(other.config, text);
  const auto refused = run_aha(other.command({"--resume", checkpoint}));
  INFO(refused.err);
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, contains("stages:") && contains("grpo"));
  CHECK_FALSE(fs::exists(other.run));
  const auto end = run_aha(fork.command({"--resume", checkpoint}));
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK((outcome_of(fork.run).checkpoint == expected.checkpoint));
}

TEST_CASE("resume: from an older checkpoint, nothing is given up while something is wrong") {
  Job job;
  const Outcome expected = job.finished();
  const auto older = (job.run / "checkpoints" / "step_7").string();
  const auto eval = job.run / "completions" / "eval.jsonl";
  const auto metrics = slurp(job.run / "metrics.jsonl");
  fs::rename(eval, job.folder / "aside");
  const auto refused = run_aha(job.command({"--resume", older}));
  INFO(refused.err);
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, contains("eval.jsonl: is missing"));
  CHECK(slurp(job.run / "metrics.jsonl") == metrics);
  CHECK(fs::exists(job.run / "latest" / "trainer_state.json"));
  fs::rename(job.folder / "aside", eval);
  const auto end = run_aha(job.command({"--resume", older}));
  INFO(end.err);
  REQUIRE(end.code == 0);
  require_equal(expected, outcome_of(job.run));
}

TEST_CASE("resume: a checkpoint that has lost its reference is refused") {
  Job job;
  std::vector<std::string> beta = {"--set", "stages.grpo.objective.beta=0.1"};
  REQUIRE(run_aha(job.command(beta)).code == 0);
  fs::remove_all(job.run / "latest" / "reference");
  beta.insert(beta.end(), {"--resume", "auto"});
  const auto end = run_aha(job.command(beta));
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("reference: is missing"));
}

TEST_CASE("resume: another configuration is refused key by key, free keys may change") {
  Job job;
  job.finished();
  const auto refused = run_aha(job.command(
      {"--resume", "auto", "--set", "stages.grpo.optim.learning_rate=0.5", "--set", "seed=4"}));
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, contains("stages.grpo.optim.learning_rate") && contains("seed"));
  const auto allowed = run_aha(job.command(
      {"--resume", "auto", "--set", "log.logging_steps=2", "--set", "train.threads=1"}));
  INFO(allowed.err);
  CHECK(allowed.code == 0);
}

TEST_CASE("strict: weights do not depend on micro-batches, threads or batch limits, bit for bit") {
  const std::vector<std::vector<std::string>> variants = {
      {},
      {"--set", "train.max_tokens_per_micro_batch=40"},
      {"--set", "train.threads=1", "--set", "rollout.max_batch_size=3"},
      {"--set", "train.per_device_train_batch_size=8", "--set", "train.threads=3"}};
  std::vector<std::string> weights;
  for (auto arguments : variants) {
    Job job("strict: true\n");
    arguments.insert(arguments.end(), {"--set", "stages.grpo.objective.beta=0.02", "--set",
                                       "stages.grpo.objective.num_iterations=2"});
    const auto end = run_aha(job.command(arguments));
    INFO(end.err);
    REQUIRE(end.code == 0);
    weights.push_back(slurp(job.run / "latest" / "model.safetensors"));
    REQUIRE(!weights.back().empty());
    CHECK((weights.back() == weights.front()));
  }
}

TEST_CASE("kernels: rollout and training agree to the bit, on the portable body too") {
  for (const char* body : {"avx2", "portable"}) {
    Job job;
    Program::Options options;
    options.environment = {{"AHA_CPU", body}};
    const auto end = Program(job.command(), options).wait();
    INFO(end.err);
    REQUIRE(end.code == 0);
    int rows = 0;
    for (const auto& line : metrics_without_times(job.run)) {
      const auto row = aha::Json::parse(line);
      // null: no group of the step had anything to teach, so nothing was run
      if (!row.contains("mismatch_kl") || row.at("mismatch_kl").is_null()) continue;
      ++rows;
      CHECK(row.at("sampling/sampling_logp_difference/max") == 0.0);
      CHECK(row.at("mismatch_kl") == 0.0);
    }
    CHECK(rows >= 2);
  }
}

TEST_CASE("resume: killed while it wrote its first file, a run begins again") {
  Job job;
  spill(job.run / ".lock", "");
  spill(job.run / "config.resolved.yaml.tmp", "seed: ");
  const auto end = run_aha(job.command({"--resume", "auto"}));
  INFO(end.err);
  CHECK(end.code == 0);
}
