// Steps of the CPU replayed on a table whose memory the program cannot touch.
#include "scripts/bench/replay.h"

#include <cmath>

#include "tests/trainer/kernels/cuda/gpu.h"
#include "tests/trainer/run/toy_job.h"

using namespace aha_test;
using aha_bench::Replay;
using aha_bench::ReplayGaps;
using aha_bench::ReplayTolerances;

namespace {

aha::Config job(const std::vector<std::string>& more) {
  std::vector<std::string> settings{"train.prompts_per_step=2", "rollout.max_completion_length=14"};
  settings.insert(settings.end(), more.begin(), more.end());
  return aha::parse_config(ToyJob::text(), "toy.yaml", settings);
}

}  // namespace

TEST_CASE("replay: batches of the CPU give a device the CPU's numbers, step by step", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  // heads of 64 attend on tensor cores
  for (const std::vector<std::string>& more : {std::vector<std::string>{"model.storage=f32"},
                                               {"model.storage=bf16"},
                                               {"model.storage=bf16", "model.init.head_dim=64"}}) {
    Replay replay(job(more), *gpu, 1);
    const auto most = ReplayTolerances::of(replay.storage());
    for (int i = 1; i <= 3; ++i) {
      const ReplayGaps gaps = replay.step();
      INFO(more.back() << " step " << gaps.step << ": " << gaps.logprob_max << " "
                       << gaps.logprob_mean << " " << gaps.gradient << " " << gaps.weights);
      CHECK(gaps.step == i);
      CHECK(gaps.tokens > 0);
      CHECK(gaps.logprob_max > 0);  // another order of sums: the sides are two
      CHECK(gaps.gradient > 0);
      CHECK(most.hold(gaps));
    }
  }
}

TEST_CASE("replay: a gap that is too large or not a number is not held") {
  const auto most = ReplayTolerances::of(aha::FloatType::F32);
  CHECK(most.hold({}));
  for (double ReplayGaps::*gap : {&ReplayGaps::logprob_max, &ReplayGaps::logprob_mean,
                                  &ReplayGaps::gradient, &ReplayGaps::weights}) {
    ReplayGaps gaps;
    gaps.*gap = 1;
    CHECK(!most.hold(gaps));
    gaps.*gap = NAN;
    CHECK(!most.hold(gaps));
  }
}
