// Strict mode on a device: a token's log-probability in training is the rollout's to the bit, and weights do not know how
// the work was cut.
#include "tests/trainer/kernels/cuda/gpu.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/run/step.h"

using namespace aha_test;

namespace {

struct Result {
  double gap;
  Floats weights;
};

Result train(const aha::Ops& ops, std::vector<std::string> settings,
             const std::vector<std::string>& more = {}) {
  settings.insert(settings.end(),
                  {"strict=true", "train.prompts_per_step=2", "objective.beta=0.1",
                   "objective.entropy_coef=0.01", "rollout.max_completion_length=14",
                   "rollout.num_generations=4", "rollout.temperature=0.8", "rollout.top_p=0.9"});
  settings.insert(settings.end(), more.begin(), more.end());
  ToyJob job(settings, 1, "", ops);
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  Result result{0, {}};
  for (int i = 1; i <= 2; ++i) {
    aha::MetricsRow row("grpo", i, i);
    REQUIRE(aha::grpo_step(*job.stage, row, words, [] { return false; }).has_value());
    result.gap = std::max(result.gap, *row.get("sampling/sampling_logp_difference/max"));
  }
  const auto values = job.policy.weights->values();
  result.weights.assign(values.const_data_ptr<float>(),
                        values.const_data_ptr<float>() + values.numel());
  return result;
}

}  // namespace

TEST_CASE("device: with strict rollout and training agree to the bit, however the work is cut",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  for (const auto& settings : {std::vector<std::string>{}, kWide}) {
    const Result whole = train(*gpu, settings);
    CHECK(whole.gap == 0);
    for (const char* limit : {"train.max_tokens_per_micro_batch=64", "rollout.max_batch_size=3"}) {
      const Result cut = train(*gpu, settings, {limit});
      CHECK(cut.gap == 0);
      CHECK(same_bits(cut.weights, whole.weights));
    }
  }
}
