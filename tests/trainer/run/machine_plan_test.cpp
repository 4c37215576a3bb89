#include "trainer/run/machine_plan.h"

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/model/support.h"
#include "tests/trainer/run/qwen_shapes.h"
#include "tests/trainer/run/toy_job.h"

using namespace aha_test;

namespace {

/// A job on a folder that holds a config.json and nothing else.
aha::Config job(const TempFolder& folder, const aha::ModelConfig& model,
                const std::vector<std::string>& more = {}) {
  write_text(folder / "config.json", aha::to_json(model).dump());
  const std::string text = "output_dir: unused\nmodel: {path: " + folder.path().string() +
                           "}\n"
                           "data: {train: {path: none.jsonl}, max_prompt_length: 256}\n"
                           "rollout: {num_generations: 8, max_completion_length: 1024}\n"
                           "train: {prompts_per_step: 64}\n"
                           "reward: {functions: [{name: numeric}]}\n";
  return aha::parse_config(text, "job.yaml", more);
}

std::string text_of(const aha::Config& config, const aha::MachineRequest& request) {
  std::string text;
  for (const auto& line : aha::machine_plan(config, request))
    text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("machine plan: needs a config.json and nothing else, and says what is not built") {
  const TempFolder folder;
  const auto config = job(folder, qwen_05b(), {"model.storage=bf16"});
  const auto text = text_of(config, {"h100", 8, 0});
  INFO(text);
  CHECK_THAT(text, contains("8 ranks on NVIDIA H100") && contains("has run on one H100, never"));
  CHECK_THAT(text,
             contains("activations in f32 but for gates, ups, keys, values and kept logits:"));
  CHECK_THAT(text,
             contains("494,032,768 bf16 parameters") && contains("64 prompts of 256 tokens x 8"));
  for (const auto* phase : {"prefill", "decode", "train", "reduce", "optimizer", "share"})
    CHECK_THAT(text, contains(phase));
  CHECK_THAT(text, contains("ZeRO-1") && contains("ZeRO-2") && contains("ZeRO-3"));
  CHECK_THAT(text, contains("fits"));
  CHECK_THAT(text, !contains("machines of"));
  CHECK_THAT(text_of(config, {"h100", 64, 0}), contains("8 machines of 8"));
  CHECK_THAT(text_of(config, {"h100", 64, 4}), contains("16 machines of 4"));
}

TEST_CASE("machine plan: one rank divides nothing and sends nothing") {
  const TempFolder folder;
  const auto text = text_of(job(folder, qwen_05b()), {"h100", 1, 0});
  CHECK_THAT(text, !contains("ZeRO-2") && !contains("reduce") && !contains("share"));
  CHECK_THAT(text, contains("activations in f32:"));
}

TEST_CASE("machine plan: what does not fit says which setting to turn") {
  const TempFolder folder;
  const auto config = job(folder, qwen_15b(), {"train.max_tokens_per_micro_batch=65536"});
  CHECK_THAT(text_of(config, {"l40s", 1, 0}),
             contains("does not fit") && contains("train.max_tokens_per_micro_batch to"));
}

TEST_CASE("machine plan: says which settings would do") {
  const TempFolder folder;
  const auto text = [&](const std::string& on, const std::string& keep) {
    return text_of(job(folder, qwen_05b(),
                       {"model.storage=bf16", "train.max_tokens_per_micro_batch=16384",
                        "rollout.max_batch_size=64", "train.gradient_checkpointing=" + on,
                        "train.keep_logits=" + keep}),
                   {"rtx4090", 1, 0});
  };
  CHECK_THAT(text("false", "false"),
             contains("does not fit; set train.gradient_checkpointing=true"));
  CHECK_THAT(text("true", "false"), !contains("does not fit"));
  CHECK_THAT(text("false", "true"), contains("does not fit; set train."));
}

TEST_CASE("machine plan: a model of model.init, and a cpu, which is built") {
  const ToyJob toy;
  const auto text = text_of(toy.config, {"cpu", 2, 0});
  INFO(text);
  CHECK_THAT(text, contains("computed, not measured") && contains("ZeRO-1") && contains("ZeRO-2"));
  CHECK_THAT(text, !contains("not built") && contains("ZeRO-3"));
}

TEST_CASE("machine plan: what cannot be known is an error in one line") {
  const TempFolder folder;
  const auto config = job(folder, qwen_05b());
  CHECK_THAT(error_of([&] { aha::machine_plan(config, {"gpu", 1, 0}); }), contains("h100, h200"));
  std::filesystem::remove(folder / "config.json");
  CHECK_THAT(error_of([&] { aha::machine_plan(config, {"h100", 1, 0}); }), contains("config.json"));
}
