// What a device's memory is taken for, and when. The device is pretended: it counts.
#include "trainer/run/rehearsal.h"

#include <cuda_on_host_state.h>

#include <set>

#include "tests/trainer/kernels/cuda/gpu.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/run/evaluate.h"
#include "trainer/run/step.h"

using namespace aha_test;

namespace {

/// Memory that was taken so far, but for that of recordings.
std::int64_t times_taken() {
  return cuda_on_host::times_allocated - cuda_on_host::times_recorded;
}

struct Taken {
  std::int64_t in_first_step, later;
  std::set<double> lengths;
  Floats weights;
};

/// In steps whose answers have other lengths each time.
Taken steps(std::vector<std::string> settings, bool rehearsed) {
  settings.insert(settings.end(), {"train.prompts_per_step=3", "rollout.max_completion_length=30",
                                   "seed=11", "eval.num_generations=2", "eval.max_prompts=5"});
  ToyJob job(settings, 1, "", *gpu_ops());
  if (rehearsed) aha::rehearse(*job.stage);
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  const auto step = [&] {
    aha::MetricsRow row("grpo", 1, 1);
    REQUIRE(aha::grpo_step(*job.stage, row, words, [] { return false; }).has_value());
    (void)aha::evaluate({job.stage->engine, *job.stage->scorer, job.comm, job.policy.weights.get()},
                        job.stage->data.eval.front(), aha::eval_plan(*job.stage, words));
    return *row.get("completions/mean_length");
  };
  Taken result{};
  const std::int64_t before = times_taken();
  result.lengths.insert(step());
  result.in_first_step = times_taken() - before;
  for (int i = 0; i < 3; ++i)
    result.lengths.insert(step());
  result.later = times_taken() - before - result.in_first_step;
  const auto values = job.policy.weights->values();
  result.weights.assign(values.const_data_ptr<float>(),
                        values.const_data_ptr<float>() + job.policy.layout.total);
  return result;
}

}  // namespace

TEST_CASE("rehearsal: steps take no memory of a device behind it, whatever their lengths") {
  for (const auto& settings : std::vector<std::vector<std::string>>{
           {"objective.beta=0.1", "objective.entropy_coef=0.01"},
           {"model.storage=bf16", "train.gradient_checkpointing=true",
            "train.max_tokens_per_micro_batch=120"}}) {
    CAPTURE(settings);
    const Taken without = steps(settings, false);
    CHECK(without.later > 0);
    const Taken taken = steps(settings, true);
    CHECK(taken.lengths.size() > 2);
    CHECK(taken.lengths == without.lengths);  // nothing else has changed
    CHECK(same_bits(taken.weights, without.weights));
    CHECK(taken.in_first_step <= 1);  // the optimizer's flag
    CHECK(taken.later == 0);
  }
}
