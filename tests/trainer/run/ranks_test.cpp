#include <atomic>
#include <limits>

#include "tests/trainer/comm/ranks.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/run/step.h"
#include "trainer/run/update.h"

using namespace aha_test;

TEST_CASE("ranks: weights that are not finite on one rank alone stop the step on all") {
  std::atomic<int> refused = 0;
  aha::on_ranks(2, [&](aha::Communicator& comm) {
    ToyJob job({"reward.threads=1"}, 1);
    const auto stage = aha::make_stage(job.config, 0, job.machine, job.policy, comm);
    if (comm.rank() == 1) {
      job.policy.weights->data()[job.policy.layout.final_norm] =
          std::numeric_limits<float>::quiet_NaN();
      job.policy.weights->publish({});
    }
    const auto before = job.policy.weights->values().clone();
    aha::MetricsRow row("grpo", 1, 1);
    const std::vector<std::string> words = {"wait"};
    try {
      aha::grpo_step(*stage, row, aha::ReflectionWords(words), {});
    } catch (const aha::NotFinite&) {
      ++refused;
    }
    // NaN is not equal to itself
    if (comm.rank() == 0 && !before.equal(job.policy.weights->values()))
      throw std::runtime_error("the weights of rank 0 changed");
  });
  CHECK(refused == 2);
}

TEST_CASE("ranks: more ranks than there is work leave the rest with nothing to do") {
  std::atomic<int> done = 0;
  ToyJob alone({"train.prompts_per_step=1", "rollout.num_generations=2", "strict=true"}, 1);
  const std::vector<std::string> words = {"wait"};
  aha::MetricsRow expected("grpo", 1, 1);
  REQUIRE(aha::grpo_step(*alone.stage, expected, aha::ReflectionWords(words), {}));
  aha::on_ranks(4, [&](aha::Communicator& comm) {
    ToyJob job({"train.prompts_per_step=1", "rollout.num_generations=2", "strict=true"}, 1);
    const auto stage = aha::make_stage(job.config, 0, job.machine, job.policy, comm);
    aha::MetricsRow row("grpo", 1, 1);
    aha::grpo_step(*stage, row, aha::ReflectionWords(words), {});
    if (job.policy.weights->values().equal(alone.policy.weights->values())) ++done;
  });
  CHECK(done == 4);
}
