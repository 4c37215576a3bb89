#include <cmath>
#include <cstring>

#include "tests/support/error_of.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/metrics/step_metrics.h"
#include "trainer/run/step.h"

using namespace aha_test;

namespace {

/// The gradient of one whole GRPO step from the same start, under other settings.
std::vector<float> step_gradient(const std::vector<std::string>& settings, int threads = 2,
                                 std::size_t* pieces = nullptr) {
  ToyJob job(settings, threads);
  aha::MetricsRow row("grpo", 1, 1);
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  REQUIRE(aha::grpo_step(*job.stage, row, words, [] { return false; }).has_value());
  CHECK(row.get("sampling/sampling_logp_difference/max") == 0.0);
  CHECK(row.get("grad_norm").value_or(0) > 0);
  if (pieces != nullptr) *pieces = job.stage->learner.pieces();
  const float* g = job.stage->gradients.own();
  return {g, g + job.policy.layout.total};
}

double norm(const std::vector<float>& a) {
  double sum = 0;
  for (const float x : a)
    sum += double{x} * double{x};
  return std::sqrt(sum);
}

double relative_difference(std::vector<float> a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] -= b[i];
  return norm(a) / norm(b);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("gradient: does not depend on how the step is cut into micro-batches") {
  for (const char* aggregation : {"token-mean", "seq-mean-token-mean", "seq-mean-token-sum-norm"}) {
    const std::string setting = std::string("objective.aggregation=") + aggregation;
    INFO(aggregation);
    const auto whole = step_gradient({setting});
    CHECK(relative_difference(step_gradient({setting, "train.max_tokens_per_micro_batch=64"}),
                              whole) <= 1e-6);
    CHECK(relative_difference(step_gradient({setting, "train.per_device_train_batch_size=1"}),
                              whole) <= 1e-6);
  }
}

TEST_CASE("optimizer: padded rows of the embedding and the head are never moved") {
  ToyJob job;
  auto& policy = job.policy;
  const auto used = policy.vocabulary();
  policy.config.vocab_size = used + 7;
  policy.config.tie_word_embeddings = false;
  policy.layout = aha::make_layout(policy.config);
  const auto C = policy.config.hidden_size;
  std::int64_t moved = 0;
  for (const auto& range : aha::param_ranges(policy)) {
    moved += range.size;
    for (const auto first : {policy.layout.embed, policy.layout.head}) {
      const auto padding = first + used * C;
      CHECK((range.offset >= padding + 7 * C || range.offset + range.size <= padding));
    }
  }
  CHECK(moved == policy.layout.total - 2 * (7 * C));
}

TEST_CASE("gradient: does not depend on threads, bit for bit") {
  CHECK(same_bits(step_gradient({}, 1), step_gradient({}, 3)));
}

TEST_CASE("gradient: strict mode gives the same bits for any micro-batch size") {
  const auto whole = step_gradient({"strict=true"});
  CHECK(same_bits(step_gradient({"strict=true", "train.max_tokens_per_micro_batch=64"}, 1), whole));
  CHECK(same_bits(step_gradient({"strict=true", "train.per_device_train_batch_size=6"}), whole));
  CHECK(relative_difference(whole, step_gradient({})) <= 1e-6);
}

TEST_CASE("gradient: blocks that are computed again on the way back change no bit") {
  // so many prompts make several pieces: some side by side, one by all threads
  const std::vector<std::string> pieces = {"train.prompts_per_step=48"};
  for (const auto& more : std::vector<std::vector<std::string>>{
           {},
           {"strict=true", "objective.beta=0.1", "objective.entropy_coef=0.01"},
           {"model.storage=bf16", "objective.beta=0.1", "objective.entropy_coef=0.01"},
           {"model.storage=bf16", "train.max_tokens_per_micro_batch=2000"}}) {
    auto settings = pieces;
    settings.insert(settings.end(), more.begin(), more.end());
    std::size_t count = 0;
    const auto kept = step_gradient(settings, 2, &count);
    if (more.empty()) CHECK((count > 2 && count % 2 == 1));
    settings.emplace_back("train.gradient_checkpointing=true");
    CHECK(same_bits(step_gradient(settings), kept));
    CHECK(same_bits(step_gradient(settings, 3), kept));
  }
}

TEST_CASE("gradient: without spread in any group nothing is taught") {
  ToyJob job({"reward.functions=[{name: countdown_wait}]", "rollout.max_completion_length=1"});
  const auto before = job.policy.weights->values().clone();
  aha::MetricsRow row("grpo", 1, 1);
  const std::vector<std::string> list = {"wait"};
  const aha::ReflectionWords words(list);
  REQUIRE(aha::grpo_step(*job.stage, row, words, [] { return false; }).has_value());
  CHECK(row.get("frac_reward_zero_std") == 1.0);
  CHECK(row.get("grad_norm") == 0.0);
  const auto* a = before.const_data_ptr<float>();
  const auto* b = job.policy.weights->values().const_data_ptr<float>();
  CHECK(std::memcmp(a, b, static_cast<std::size_t>(job.policy.layout.total) * sizeof(float)) == 0);
}

TEST_CASE("gradient: micro-batches summed in bf16 learn the same within its rounding") {
  const auto weights = [](const std::vector<std::string>& settings) {
    ToyJob job(settings);
    aha::MetricsRow row("grpo", 1, 1);
    const std::vector<std::string> list = {"wait"};
    const aha::ReflectionWords words(list);
    REQUIRE(aha::grpo_step(*job.stage, row, words, [] { return false; }).has_value());
    return *row.get("grad_norm");
  };
  const std::string cut = "train.max_tokens_per_micro_batch=64";
  const double norm = weights({cut});
  const double rounded = weights({cut, "train.grad_accum_dtype=bf16"});
  CHECK(rounded != norm);
  CHECK(rounded == Approx(norm).epsilon(0.01));
  CHECK(weights({cut, "train.grad_accum_dtype=bf16"}) == rounded);
  CHECK(aha_test::error_of([] { ToyJob job({"strict=true", "train.grad_accum_dtype=bf16"}); }) ==
        "stages.grpo.train.grad_accum_dtype: bf16 with strict: sums are integers then; f32 would "
        "be right");
}
