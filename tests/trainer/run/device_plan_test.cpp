#include "trainer/run/device_plan.h"

#include "tests/support/error_of.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "tests/trainer/run/qwen_shapes.h"
#include "tests/trainer/run/toy_job.h"
#include "trainer/run/step.h"

using namespace aha_test;

namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

aha::StageConfig stage_of_05b() {
  aha::StageConfig stage;
  stage.model.storage = "bf16";
  stage.rollout.num_generations = 16;
  stage.rollout.max_completion_length = 512;
  stage.train.prompts_per_step = 32;
  stage.train.max_tokens_per_micro_batch = 16384;
  return stage;
}

/// Every completion as long as it may be.
aha::MicroBatch full_batch(std::size_t prompts, std::size_t prompt, std::size_t completions,
                           std::size_t length) {
  aha::Group group;
  group.prompt.ids.assign(prompt, 1);
  group.completions.resize(completions);
  for (auto& completion : group.completions)
    completion.ids.assign(length, 2);
  const std::vector<aha::Group> groups(prompts, group);
  std::vector<aha::SampleRef> samples;
  for (std::size_t i = 0; i < prompts * completions; ++i)
    samples.push_back({i / completions, i % completions});
  return aha::pack(groups, aha::plan_micro_batches(groups, samples, {}).front());
}

}  // namespace

TEST_CASE("device plan: holds what a step takes, and not much more", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  struct Case {
    std::string storage, recompute, keep_logits;
  };
  for (const auto& [storage, recompute, keep_logits] : {Case{"f32", "false", "true"},
                                                        {"bf16", "false", "true"},
                                                        {"bf16", "false", "false"},
                                                        {"f32", "true", "true"},
                                                        {"bf16", "true", "true"}}) {
    const std::int64_t before = gpu->device->state().free;
    ToyJob job(
        {"model.storage=" + storage, "train.prompts_per_step=3", "rollout.max_completion_length=14",
         "train.gradient_checkpointing=" + recompute, "train.keep_logits=" + keep_logits},
        1, "", *gpu);
    aha::MetricsRow row("grpo", 1, 1);
    REQUIRE(aha::grpo_step(*job.stage, row, aha::ReflectionWords({}), [] { return false; }));
    const std::int64_t used = before - gpu->device->state().free;
    const auto plan = aha::plan_device_memory(job.stage->settings, job.policy.config, {8, 0, 1});
    INFO(storage << " again " << recompute << ": " << used << " bytes, " << plan.text());
    CHECK(used <= plan.total());
    const bool to_the_byte =
        products_know_one_row();  // no CUDA, which gives memory away by the megabyte
    const std::int64_t by_the_megabyte = to_the_byte ? 0 : std::int64_t{64} << 20;
    CHECK(used <= plan.total() - plan.part("program") + by_the_megabyte);
    auto& learner = job.stage->learner;
    const auto micro = full_batch(3, 8, 6, 14);
    (void)learner.forward(*job.policy.weights, micro);
    const Floats ones(micro.targets.size(), 1.0F);
    job.stage->gradients.begin(1, 1);
    learner.backward(*job.policy.weights, micro, ones, ones, job.stage->gradients);
    REQUIRE(learner.pieces() == 1);
    const std::int64_t activations = learner.kept_bytes() + learner.scratch_bytes();
    CHECK(activations <= plan.part("activations"));
    CHECK(activations > plan.part("activations") / 2);
    if (to_the_byte) CHECK(plan.total() - plan.part("program") - plan.part("scratch") < 2 * used);
  }
}

TEST_CASE("device plan: of the states of AdamW in bf16 storage 18 bytes a parameter") {
  const auto plan = aha::plan_device_memory(stage_of_05b(), qwen_05b(), {128, 0, 1});
  const std::int64_t parameters = 494'032'768;  // of the published model
  CHECK(plan.part("weights") + plan.part("gradients") + plan.part("optimizer") == 18 * parameters);
  CHECK(plan.part("reference") == 0);
  // 24 layers x 2 heads x 2 x 64 in bf16: 12,288 bytes a position; 512 completions of 512 to 527, 32 prompts of 128
  constexpr std::int64_t kPositions = 512 * 512 + 32 * 128;
  CHECK(plan.part("rollout") > 12'288 * kPositions);
  CHECK(plan.part("rollout") < 24'576 * kPositions);
  auto f32 = stage_of_05b();
  f32.model.storage = "f32";
  CHECK(aha::plan_device_memory(f32, qwen_05b(), {128, 0, 1}).part("rollout") >
        24'576 * kPositions);
  CHECK(plan.total() < 79 * kGiB);
}

TEST_CASE("device plan: ranks divide the states of AdamW as the stages of ZeRO do") {
  auto stage = stage_of_05b();
  const std::int64_t p = 494'032'768;
  const auto one = aha::plan_device_memory(stage, qwen_05b(), {128, 0, 1});
  CHECK(one.part("network") == 0);
  aha::MemoryInputs inputs{128, 0, 1};
  inputs.ranks = 8;
  // bytes a parameter, as in Rajbhandari et al. 2020, with two of 16-bit weights and four of gradients
  const auto first = aha::plan_device_memory(stage, qwen_05b(), inputs);
  CHECK(first.part("weights") == 2 * p + 4 * p / 8);
  CHECK(first.part("gradients") == 4 * p);
  CHECK(first.part("optimizer") == 8 * p / 8);
  CHECK(first.part("network") > 0);
  CHECK(first.part("rollout") < one.part("rollout") / 4);
  stage.optim.zero_stage = 2;
  const auto second = aha::plan_device_memory(stage, qwen_05b(), inputs);
  CHECK(second.part("weights") == first.part("weights"));
  CHECK(second.part("gradients") < 3 * p);  // the embedding's bucket is a third of this model
  CHECK(second.part("gathered") == 0);
  stage.optim.zero_stage = 3;
  const auto third = aha::plan_device_memory(stage, qwen_05b(), inputs);
  CHECK(3 * third.part("weights") < 2 * first.part("weights"));
  CHECK(third.part("gathered") == 2 * p);
}

TEST_CASE("device plan: what does not fit is refused with the knob, and others are named") {
  const auto plan = aha::plan_device_memory(stage_of_05b(), qwen_05b(), {128, 0, 1});
  CHECK_NOTHROW(aha::require_device_memory("grpo", plan, {"a card", 79 * kGiB, 80 * kGiB, kGiB}));
  const auto small = error_of([&] {
    aha::require_device_memory("grpo", plan, {"a card", 20 * kGiB, 24 * kGiB, kGiB / 2});
  });
  CHECK_THAT(small, contains("stage grpo") && contains("a card has 20") &&
                        contains("train.max_tokens_per_micro_batch"));
  CHECK(small.find("other programs") == std::string::npos);
  CHECK(small.find("gradient_checkpointing") == std::string::npos);
  CHECK_THAT(
      error_of([&] {
        aha::require_device_memory("grpo", plan, {"a card", 20 * kGiB, 24 * kGiB, 0}, "this");
      }),
      contains("; set this, or lower"));
  const auto shared = error_of([&] {
    aha::require_device_memory("grpo", plan, {"a card", 20 * kGiB, 80 * kGiB, 59 * kGiB});
  });
  CHECK_THAT(shared, contains("other programs hold 59"));
  auto stage = stage_of_05b();
  stage.train.max_tokens_per_micro_batch = 1024;
  const auto rollout = error_of([&] {
    aha::require_device_memory("grpo", aha::plan_device_memory(stage, qwen_05b(), {128, 0, 1}),
                               {"a card", 10 * kGiB, 24 * kGiB, 0});
  });
  CHECK_THAT(rollout, contains("lower rollout.max_batch_size"));
}

TEST_CASE(
    "device plan: scratch holds the sums of attention's parts, however many completions read a "
    "prompt") {
  auto stage = stage_of_05b();
  stage.model.storage = "f32";
  stage.rollout.max_completion_length = 32;
  stage.train.prompts_per_step = 4;
  auto model = qwen_05b();
  model.num_hidden_layers = 1;
  model.vocab_size = 64;
  const auto scratch = [&](std::int64_t prompt) {
    return aha::plan_device_memory(stage, model, {prompt, 0, 1}).part("scratch");
  };
  // 64 completions with 34 blocks before them or of their own, which are 9 parts of 4, and 4 prompts with 8; 4,096 floats a
  // block. With short prompts a completion has 1 part.
  const std::int64_t sums = std::int64_t{4} * (64 * 8 + 4 * 7) * 4 * 4096;
  CHECK(scratch(512) - scratch(16) >= sums);
  CHECK(scratch(512) - scratch(16) < sums / 2 * 3);
}

TEST_CASE("device plan: a strict micro-batch is a unit, whatever tokens a micro-batch may have") {
  auto stage = stage_of_05b();
  aha::MemoryInputs inputs{128, 0, 1};
  inputs.strict = true;
  const auto activations = [&](std::int64_t tokens, std::int64_t chunk) {
    stage.train.max_tokens_per_micro_batch = tokens;
    stage.train.strict_chunk = chunk;
    return aha::plan_device_memory(stage, qwen_05b(), inputs).part("activations");
  };
  CHECK(activations(1024, 4) == activations(16384, 4));
  CHECK(activations(1024, 4) > activations(1024, 2));
  CHECK(activations(1024, 16) == activations(1024, 64));  // a group has 16 completions
  const auto refused = error_of([&] {
    aha::require_device_memory("grpo", aha::plan_device_memory(stage, qwen_05b(), inputs),
                               {"a card", kGiB, kGiB, 0}, "", true);
  });
  CHECK_THAT(refused, contains("train.strict_chunk"));
  CHECK(refused.find("max_tokens_per_micro_batch") == std::string::npos);
}

TEST_CASE("device plan: with gradient checkpointing 896 floats a row and block are kept") {
  auto stage = stage_of_05b();
  stage.train.keep_logits = false;
  const auto kept = aha::plan_device_memory(stage, qwen_05b(), {128, 0, 1});
  stage.train.gradient_checkpointing = true;
  const auto again = aha::plan_device_memory(stage, qwen_05b(), {128, 0, 1});
  CHECK(again.total() - again.part("activations") == kept.total() - kept.part("activations"));
  // 16,384 rows; beside 24 x 896 a block at a time: x_in to gate and up, its output, keys, values and derivatives
  const double rows = 16384.0 * 4;
  CHECK(static_cast<double>(again.part("activations")) > rows * 24 * 896);
  CHECK(static_cast<double>(again.part("activations")) < rows * (24 * 896 + 12 * 4864));
  CHECK(again.part("activations") < kept.part("activations") / 4);
}

TEST_CASE(
    "device plan: logits that are kept are two bytes each, and the settings that fit are named") {
  auto stage = stage_of_05b();
  const aha::MemoryInputs inputs{128, 0, 1};
  const auto kept = aha::plan_device_memory(stage, qwen_05b(), inputs);
  const auto named = [&](std::int64_t free) {
    return aha::lighter_settings(stage, qwen_05b(), inputs, free);
  };
  stage.train.keep_logits = false;
  const auto again = aha::plan_device_memory(stage, qwen_05b(), inputs);
  // the first token of each completion has no row of its own
  const std::int64_t logits = std::int64_t{2} * (16384 + 32 * 16) * 151936;
  const std::int64_t more = kept.part("activations") - again.part("activations");
  CHECK(more > logits);
  CHECK(more < logits / 100 * 101);  // and a float for every 256
  CHECK(kept.part("scratch") < again.part("scratch"));
  stage.train.keep_logits = true;
  CHECK(named(again.total()) == "train.keep_logits=false");
  CHECK(named(again.total() - 1) == "train.gradient_checkpointing=true");
  stage.train.gradient_checkpointing = true;
  const auto lightest = aha::plan_device_memory(stage, qwen_05b(), inputs).total();
  stage.train.gradient_checkpointing = false;
  CHECK(named(lightest - 1) == "train.keep_logits=false and train.gradient_checkpointing=true");
  CHECK(named(kGiB).empty());
  stage.train.max_tokens_per_micro_batch =
      65536;  // more than are kept: the smaller micro-batches' are
  const auto large = aha::plan_device_memory(stage, qwen_05b(), inputs);
  stage.train.keep_logits = false;
  const auto none = aha::plan_device_memory(stage, qwen_05b(), inputs);
  const std::int64_t most = large.part("activations") - none.part("activations");
  CHECK(most > 6 * kGiB - kGiB / 100);
  CHECK(most < 6 * kGiB + kGiB / 10);
  CHECK(large.part("scratch") == none.part("scratch"));
}
