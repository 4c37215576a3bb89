// Activations of many micro-batches of other lengths: how much memory they take, which is planned, and that it changes no value.
#include "trainer/run/learner.h"

#include "tests/trainer/run/toy_job.h"
#include "trainer/core/philox.h"
#include "trainer/model/model_size.h"
#include "trainer/run/memory_plan.h"

using namespace aha;

namespace {

/// A group for each of these lengths, 96 completions of it: from 9 tokens on a piece holds one group.
MicroBatch batch_of(const std::vector<std::int64_t>& lengths, RandomStream& random) {
  constexpr std::size_t kCompletions = 96;
  std::vector<Group> groups(lengths.size());
  std::vector<SampleRef> samples;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    groups[g].prompt.ids = {1, 2, 3};
    for (std::size_t c = 0; c < kCompletions; ++c) {
      auto& ids = groups[g].completions.emplace_back().ids;
      while (std::ssize(ids) < lengths[g])
        ids.push_back(static_cast<TokenId>(random.below(10)));
      samples.push_back({g, c});
    }
  }
  PackLimits limits;
  limits.max_tokens = std::int64_t{1} << 20;
  return pack(groups, plan_micro_batches(groups, samples, limits).front());
}

/// A long group at every place among short ones; then none is long; then two are.
std::vector<std::vector<std::int64_t>> drifting_lengths() {
  constexpr std::size_t kGroups = 8;
  std::vector<std::vector<std::int64_t>> all;
  for (std::size_t place = 0; place < kGroups; ++place)
    all.emplace_back(kGroups, 11).at(place) = 50;
  all.emplace_back(kGroups, 16);
  all.push_back({11, 50, 50});
  return all;
}

}  // namespace

TEST_CASE("learner: activations stay near those of the largest micro-batch, whatever came before") {
  aha_test::ToyJob job;
  const bool recomputed = GENERATE(false, true);
  const auto learner = [&job, recomputed] {
    return Learner(*job.policy.decoder, job.machine.exec, job.policy.vocabulary(), 1.0, recomputed);
  };
  Learner kept = learner();
  RandomStream random({1, Purpose::Init, 0, 0, 0, 0});
  std::int64_t most = 0;
  // either thread's scratch may have been the longest group's: 96 completions of 50 tokens, whose keys and values lie
  // in 4 blocks each beside the prompt's one
  const auto size = model_size(job.policy.config);
  const std::int64_t scratch =
      2 * 4 *
      ((3 + 96 * 49) * training_row(job.policy.config, recomputed).block +
       (recomputed ? (1 + 96 * 4) * kKvBlock * size.kv_elements / size.layers : 0));
  for (const auto& lengths : drifting_lengths()) {
    const auto micro = batch_of(lengths, random);
    Learner fresh = learner();
    const auto expected = fresh.forward(*job.policy.weights, micro);
    CHECK(kept.forward(*job.policy.weights, micro).logprobs == expected.logprobs);
    most = std::max(most, fresh.kept_bytes());
    CHECK(static_cast<double>(kept.kept_bytes()) <=
          Learner::kMostGrowth * static_cast<double>(most));
    CHECK(kept.scratch_bytes() <= scratch);
  }
}

TEST_CASE("learner: a step's activations take what is planned, on as many threads as work alone") {
  const bool recomputed = GENERATE(false, true);
  const int threads = GENERATE(1, 3, 16);  // of 8 pieces: 8, 6 and none
  aha_test::ToyJob job(
      {"train.prompts_per_step=8", "rollout.num_generations=96", "rollout.max_completion_length=50",
       "train.max_tokens_per_micro_batch=1000000",
       std::string("train.gradient_checkpointing=") + (recomputed ? "true" : "false")},
      threads);
  Learner& learner = job.stage->learner;
  RandomStream random({1, Purpose::Init, 0, 0, 0, 0});
  const auto micro = batch_of(std::vector<std::int64_t>(8, 50), random);
  (void)learner.forward(*job.policy.weights, micro);
  REQUIRE(learner.pieces() == 8);
  const std::vector<float> ones(micro.targets.size(), 1.0F);
  job.stage->gradients.begin(1, 1);
  learner.backward(*job.policy.weights, micro, ones, {}, job.stage->gradients);
  const auto plan = plan_memory(job.config.stages[0], job.policy.config, {3, 0, threads});
  INFO(recomputed << " " << threads << " threads: " << plan.text());
  CHECK(static_cast<double>(plan.part("activations")) ==
        Approx(static_cast<double>(learner.kept_bytes() + learner.scratch_bytes())).epsilon(0.05));
}
