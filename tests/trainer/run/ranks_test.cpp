#include <atomic>
#include <cstring>
#include <limits>

#include "tests/trainer/comm/ranks.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/run/collect.h"
#include "trainer/run/step.h"
#include "trainer/run/update.h"

using namespace aha_test;

TEST_CASE("ranks: weights that are not finite on one rank alone stop the step on all") {
  std::atomic<int> refused = 0;
  aha::on_ranks(2, [&](aha::Communicator& comm) {
    ToyJob job({"reward.threads=1"}, comm);
    job.policy.weights->settle();
    if (comm.rank() == 1)  // what it has of all ranks' weights
      const_cast<float*>(job.policy.weights->edges().final_norm)[0] =
          std::numeric_limits<float>::quiet_NaN();
    const auto before = job.policy.weights->values().clone();
    aha::MetricsRow row("grpo", 1, 1);
    const std::vector<std::string> words = {"wait"};
    try {
      aha::grpo_step(*job.stage, row, aha::ReflectionWords(words), {});
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
    ToyJob job({"train.prompts_per_step=1", "rollout.num_generations=2", "strict=true"}, comm);
    aha::MetricsRow row("grpo", 1, 1);
    aha::grpo_step(*job.stage, row, aha::ReflectionWords(words), {});
    // what every rank reads: the embedding is the first of all parameters
    job.policy.weights->settle();
    if (std::memcmp(job.policy.weights->edges().embed.rows,
                    alone.policy.weights->values().const_data_ptr<float>(),
                    static_cast<std::size_t>(4 * job.policy.layout.total)) == 0)
      ++done;
  });
  CHECK(done == 4);
}

TEST_CASE("ranks: weights divided over ranks are the bits of one rank, however they are stored") {
  const std::vector<std::string> words = {"wait"};
  // small micro-batches, two updates a step and a reference: ranks have different numbers of passes
  const std::vector<std::string> always = {"strict=true",
                                           "train.max_tokens_per_micro_batch=48",
                                           "objective.minibatches=2",
                                           "objective.beta=0.05",
                                           "objective.sync_ref_model=true",
                                           "objective.ref_model_sync_steps=1"};
  const auto steps = [&](aha::Stage& stage) {
    for (int i = 0; i < 2; ++i) {
      aha::MetricsRow row("grpo", i + 1, i + 1);
      aha::grpo_step(stage, row, aha::ReflectionWords(words), {});
      ++stage.step, ++stage.global_step;
    }
  };
  struct Case {
    const char* storage;
    int zero_stage;
    bool gather;
    int ranks;
    bool recompute = false;
  };
  const std::vector<Case> cases = {{"f32", 3, true, 2},        {"f32", 3, false, 3, true},
                                   {"bf16", 1, true, 3, true}, {"bf16", 2, true, 2, true},
                                   {"bf16", 3, true, 3, true}, {"bf16", 3, false, 2},
                                   {"f32", 3, false, 1}};
  for (const auto& c : cases) {
    INFO(c.storage << " stage " << c.zero_stage << " on " << c.ranks
                   << (c.recompute ? " again" : ""));
    auto settings = always;
    settings.push_back(std::string("model.storage=") + c.storage);
    ToyJob alone(settings, 1);
    steps(*alone.stage);
    settings.push_back("optim.zero_stage=" + std::to_string(c.zero_stage));
    settings.push_back(std::string("optim.zero3_gather_for_rollout=") +
                       (c.gather ? "true" : "false"));
    if (c.recompute) settings.emplace_back("train.gradient_checkpointing=true");
    std::atomic<int> equal = 0;
    const auto body = [&](aha::Communicator& comm) {
      ToyJob job(settings, comm);
      steps(*job.stage);
      const auto [begin, end] = job.policy.weights->own();
      const auto same = [&](aha::TrainedWeights& own, aha::TrainedWeights& all) {
        const auto whole = own.whole();
        return own.values().equal(all.values().slice(0, begin, end)) &&
               (comm.rank() > 0 || whole.equal(all.values()));
      };
      if (same(*job.policy.weights, *alone.policy.weights) &&
          same(*job.stage->reference, *alone.stage->reference))
        ++equal;
    };
    if (c.ranks == 1) {
      aha::Communicator comm;
      body(comm);
    } else {
      aha::on_ranks(c.ranks, body);
    }
    CHECK(equal == c.ranks);
  }
}

TEST_CASE("ranks: a loss that is not finite on one rank stops the step where weights are divided") {
  std::atomic<int> refused = 0;
  aha::on_ranks(2, [&](aha::Communicator& comm) {
    ToyJob job({"reward.threads=1", "optim.zero_stage=3", "train.max_tokens_per_micro_batch=48"},
               comm);
    const auto groups = aha::collect(*job.stage, [] { return false; })->groups;
    std::vector<aha::SampleRef> samples;
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (std::size_t c = 0; c < groups[g].completions.size(); ++c)
        samples.push_back({g, c});
    int calls = 0;
    const auto loss = [&](const aha::MicroBatch&, const aha::Learner::TokenValues& values) {
      aha::MicroResult result;
      result.d_logprob.resize(values.logprobs.size(), 1e-3F);
      if (comm.rank() == 1 && ++calls == 2)
        result.stats.loss = std::numeric_limits<double>::quiet_NaN();
      return result;
    };
    const auto before = job.policy.weights->values().clone();
    try {
      aha::update_policy(*job.stage, groups, samples, loss, 1e-3);
    } catch (const aha::NotFinite&) {
      if (before.equal(job.policy.weights->values())) ++refused;
    }
    // the ranks still make the same collectives
    aha::update_policy(
        *job.stage, groups, samples,
        [&](const aha::MicroBatch&, const aha::Learner::TokenValues& values) {
          aha::MicroResult result;
          result.d_logprob.resize(values.logprobs.size(), 1e-3F);
          return result;
        },
        1e-3);
    if (!before.equal(job.policy.weights->values())) ++refused;
  });
  CHECK(refused == 4);
}
