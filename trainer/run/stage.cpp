#include "trainer/run/stage.h"

#include <algorithm>
#include <cmath>

#include "trainer/core/error.h"
#include "trainer/run/cost_model.h"

namespace aha {
namespace {

std::int64_t rows_per_step(const StageConfig& stage) {
  return stage.method == "sft" ? stage.train.per_device_train_batch_size
                               : stage.train.prompts_per_step;
}

}  // namespace

std::vector<ParamRange> param_ranges(const Policy& policy) {
  const auto& layout = policy.layout;
  std::vector<ParamRange> ranges;
  for (const auto& p : layout.parameters) {
    if (!p.trainable) continue;
    auto size = p.size;
    if (p.offset == layout.embed || p.offset == layout.head)
      size = policy.vocabulary() * policy.config.hidden_size;
    // neighbours of one kind are one range: the decoder's many small tensors cost one pass
    if (!ranges.empty() && ranges.back().decay == p.decay &&
        ranges.back().offset + ranges.back().size == p.offset)
      ranges.back().size += size;
    else
      ranges.push_back({p.offset, size, p.decay});
  }
  return ranges;
}

std::int64_t planned_steps(const StageConfig& stage, std::optional<std::int64_t> rows) {
  if (stage.train.num_train_epochs <= 0) return stage.train.max_steps;
  if (!rows)
    fail("train.num_train_epochs: '{}' has no end, so it has no epochs; use train.max_steps",
         stage.data.train.task);
  const double steps = std::ceil(stage.train.num_train_epochs * static_cast<double>(*rows) /
                                     static_cast<double>(rows_per_step(stage)) -
                                 1e-9);
  const auto most = stage.train.max_steps > 0 ? stage.train.max_steps : kMaxSteps;
  if (steps <= static_cast<double>(most)) return static_cast<std::int64_t>(steps);
  if (stage.train.max_steps == 0)
    fail("train.num_train_epochs: {} passes over {} rows are {:g} steps, expected at most {}",
         stage.train.num_train_epochs, *rows, steps, kMaxSteps);
  return most;
}

std::unique_ptr<Scorer> make_scorer(const StageConfig& stage) {
  if (stage.reward.functions.empty()) return nullptr;
  try {
    auto scorer = std::make_unique<Scorer>(stage.reward, stage.data.answer_field);
    scorer->reach();
    return scorer;
  } catch (const UserError& error) {
    fail("stages.{}.reward.functions: {}", stage.name, error.what());
  }
}

DecodeText text_decoder(const Tokenizer& tokenizer) {
  return [&tokenizer](std::span<const TokenId> ids) { return tokenizer.decode(ids); };
}

SamplingParams rollout_params(const Stage& stage) {
  const auto& r = stage.settings.rollout;
  SamplingParams params;
  params.max_completion_length = r.max_completion_length;
  params.temperature = r.temperature;
  params.top_p = r.top_p;
  params.top_k = r.top_k;
  params.min_p = r.min_p;
  if (!r.ignore_eos) params.stop_ids = stage.policy.config.eos_token_ids;
  params.stop_ids.insert(params.stop_ids.end(), r.stop_token_ids.begin(), r.stop_token_ids.end());
  params.stop_strings = r.stop_strings;
  params.seed = stage.config.seed;
  params.purpose = Purpose::Rollout;
  params.stage = stage.index;
  return params;
}

GradientSum::Options gradient_options(bool strict, const StageConfig& stage, bool by_block) {
  GradientSum::Options options;
  options.zero_stage = by_block ? 3 : static_cast<int>(stage.optim.zero_stage);
  options.strict = strict;
  options.accumulate = storage_type(stage.train.grad_accum_dtype);
  if (strict && options.accumulate != FloatType::F32)
    fail(
        "stages.{}.train.grad_accum_dtype: {} with strict: sums are integers then; f32 would be "
        "right",
        stage.name, stage.train.grad_accum_dtype);
  return options;
}

std::unique_ptr<Stage> make_stage(const Config& config, std::uint32_t index, const Machine& machine,
                                  Policy& policy, Communicator& comm) {
  const StageConfig& settings = config.stages.at(index);
  std::unique_ptr<Scorer> scorer = make_scorer(settings);
  StageData data = open_stage_data(config, settings, *policy.tokenizer, scorer.get());
  const auto rows = data.train->size();
  check(policy.weights->own() ==
            shards_of(policy.layout.total, comm.size())[static_cast<std::size_t>(comm.rank())],
        "weights are divided as the ranks of the stage");
  const double temperature = settings.method == "sft" ? 1.0 : settings.rollout.temperature;
  const bool shuffle = settings.data.shuffle_dataset;
  const std::int64_t steps = planned_steps(settings, rows);
  auto gradients = gradient_options(config.strict, settings, policy.weights->options().by_block);
  gradients.seed = config.seed;
  gradients.stage = index;
  // NOLINTNEXTLINE(modernize-make-unique): an aggregate
  auto stage = std::unique_ptr<Stage>(new Stage{
      config, settings, index, machine, policy, comm, std::move(data), std::move(scorer),
      Sampler({rows, config.seed, index, shuffle}),
      Engine(*policy.decoder, *policy.weights, machine.exec, policy.vocabulary(),
             text_decoder(*policy.tokenizer), decode_rows(settings)),
      Learner(*policy.decoder, machine.exec, policy.vocabulary(), temperature,
              settings.train.gradient_checkpointing, settings.train.keep_logits),
      GradientSum(policy.layout, machine.ops, machine.exec, comm, gradients),
      AdamWOptimizer(machine.ops, param_ranges(policy), policy.layout.total, settings.optim, comm),
      nullptr, AdaptiveEntropy(settings.objective), steps});
  if (settings.method == "grpo" && settings.objective.beta != 0)
    stage->reference = std::make_unique<TrainedWeights>(
        policy.config, policy.layout, machine.ops, machine.exec, policy.weights->values().clone(),
        policy.weights->options(), comm.size() == 1 ? nullptr : &comm);
  if (stage->reference) stage->reference->publish();
  return stage;
}

}  // namespace aha
