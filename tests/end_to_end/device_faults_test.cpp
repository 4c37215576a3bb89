// A GPU that fails in the middle of a job, on one that is only pretended: what the user sees of it, and that nothing is lost.
#include "tests/end_to_end/outcome.h"

using namespace aha_test;

namespace {

/// A job of two steps of sft and four of GRPO. What fails (empty: nothing) does so after a step is saved.
Ended train(const Job& job, const std::string& fault, int after) {
  Program::Options options;
  options.environment = {
      {"AHA_CUDA_LIBRARY", AHA_CUDA_PRETENDED},
      {"AHA_PRETENDED_FAULT", fault},
      {"AHA_PRETENDED_FAULT_AFTER", job.run / "checkpoints" / ("step_" + std::to_string(after))}};
  return Program(job.command({"--resume", "auto", "--set", "device=cuda", "--set",
                              "stages.warm_start.train.max_steps=2", "--set",
                              "stages.grpo.train.max_steps=4", "--set", "checkpoint.async=false"}),
                 std::move(options))
      .wait();
}

const Outcome& undisturbed() {
  static const Outcome outcome = [] {
    const Job job;
    const auto end = train(job, "", 0);
    INFO(end.err);
    REQUIRE(end.code == 0);
    return outcome_of(job.run);
  }();
  return outcome;
}

/// That the job goes on from the checkpoint that is there to the same bytes.
void require_nothing_lost(const Job& job, int after) {
  const auto state = slurp(job.run / "latest" / "trainer_state.json");
  const auto saved = aha::Json::parse(state).at("global_step").get<int>();
  CHECK((saved == after || saved == after + 1));
  const auto end = train(job, "", 0);
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK_THAT(end.err, contains("step_" + std::to_string(saved)));
  require_equal(outcome_of(job.run), undisturbed());
}

/// What was said last, of all that `aha` reports as why it ended.
std::string only_error(const Ended& end) {
  const auto at = end.err.find("aha: ");
  REQUIRE(at != std::string::npos);
  CHECK(end.err.find('\n', at) == end.err.size() - 1);
  return end.err.substr(at);
}

}  // namespace

TEST_CASE("device faults: a GPU that fails at work is one line and 75, and the job goes on") {
  for (const std::string call : {"1", "400"}) {  // at once, and later in a step
    const Job job;
    const auto end = train(job, "device:" + call, 4);
    INFO(end.err);
    CHECK(end.code == 75);
    CHECK_THAT(only_error(end),
               contains("the GPU failed: ") && contains(": an illegal memory access was"));
    require_nothing_lost(job, 4);
  }
}

/// Memory is taken where a stage begins.
TEST_CASE("device faults: too little memory at work is one line that says what to lower, and 2") {
  for (const std::string allocation : {"1", "24"}) {
    const Job job;
    const auto end = train(job, "memory:" + allocation, 2);
    INFO(end.err);
    CHECK(end.code == 2);
    CHECK_THAT(only_error(end),
               contains("memory of the GPU: too little for ") && contains(" GB are free; lower ") &&
                   contains("train.max_tokens_per_micro_batch") &&
                   contains("rollout.max_batch_size") && contains("train.keep_logits=false"));
    require_nothing_lost(job, 2);
  }
}
