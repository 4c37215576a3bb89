#include <algorithm>
#include <charconv>

#include "trainer/config/rule_list.h"

namespace aha {
namespace {

/// Collects lines "key: message", with the stage where there are several.
class Warnings {
 public:
  Warnings(std::vector<std::string>& lines, const Config& config, const StageConfig& stage)
      : lines_(lines), prefix_(config.stages.size() > 1 ? "stages." + stage.name + "." : "") {}

  template <class... Args>
  void add(std::string_view key, fmt::format_string<Args...> message, Args&&... args) {
    lines_.push_back(
        fmt::format("{}{}: {}", prefix_, key, fmt::format(message, std::forward<Args>(args)...)));
  }

 private:
  std::vector<std::string>& lines_;
  std::string prefix_;
};

void warn_of_model(const ModelConfigSection& m, Warnings& warnings) {
  const char* same = m.storage == "bf16" ? "bfloat16" : m.storage == "fp16" ? "float16" : nullptr;
  if (same != nullptr && m.save_dtype != same)
    warnings.add("model.save_dtype",
                 "{} with model.storage {}: written weights are not rounded to those that sample "
                 "and train; {} would be",
                 m.save_dtype, m.storage, same);
}

void warn_of_rollout(const RolloutConfig& r, Warnings& warnings) {
  constexpr const char* kWhy =
      "training sees probabilities of the whole distribution, samples then come "
      "from a part of it";
  if (r.top_p < 1) warnings.add("rollout.top_p", "{}: {}; 1 is usual", r.top_p, kWhy);
  if (r.top_k > 0) warnings.add("rollout.top_k", "{}: {}; 0 is usual", r.top_k, kWhy);
  if (r.min_p > 0) warnings.add("rollout.min_p", "{}: {}; 0 is usual", r.min_p, kWhy);
  if (r.ignore_eos)
    warnings.add("rollout.ignore_eos", "true is for benchmarks: no completion ends by itself");
}

void warn_of_objective(const StageConfig& stage, Warnings& warnings) {
  const auto& o = stage.objective;
  const bool clips = o.policy_loss == "clip";
  if (clips && o.epsilon_high && *o.epsilon_high < o.epsilon)
    warnings.add("objective.epsilon_high",
                 "{} is below objective.epsilon {}: rare tokens grow less than common ones shrink",
                 *o.epsilon_high, o.epsilon);
  if (!clips && (o.delta || o.dual_clip))
    warnings.add(o.delta ? "objective.delta" : "objective.dual_clip",
                 "objective.policy_loss {} does not use it", o.policy_loss);
  const bool means =
      o.importance_sampling_level == "sequence" || o.importance_sampling_level == "sequence_token";
  if (clips && means && o.epsilon >= 0.05)
    warnings.add(
        "objective.epsilon",
        "{} for ratios of sequences, which are means over tokens; GSPO's are 3e-4 and 4e-4",
        o.epsilon);
  if (o.use_bias_correction_kl && o.beta == 0)
    warnings.add("objective.use_bias_correction_kl", "objective.beta is 0, so there is no KL");
  const auto& functions = stage.reward.functions;
  const bool shaped = std::any_of(functions.begin(), functions.end(), [](const RewardFunction& f) {
    return f.name.find("soft_overlong") != std::string::npos;
  });
  if (o.mask_truncated_completions && shaped)
    warnings.add("objective.mask_truncated_completions",
                 "truncated completions are not trained on, so soft_overlong cannot shorten them");
}

/// A whole number of a reward's options; 0 where it is not set, or is none, which the reward says.
std::int64_t whole_option(const RewardFunction& function, const std::string& name) {
  const auto found = function.options.find(name);
  std::int64_t value = 0;
  if (found != function.options.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

/// A reward that knows the run's limit alone takes any cache.
void warn_of_cache(const StageConfig& stage, std::size_t index, Warnings& warnings) {
  const auto& function = stage.reward.functions[index];
  const bool trl = function.name == "trl.soft_overlong_punishment";
  if (!trl && function.name != "soft_overlong") return;
  const char* name = trl ? "soft_punish_cache" : "cache";
  const auto cache = whole_option(function, name);
  const auto limit = stage.rollout.max_completion_length;
  if (whole_option(function, trl ? "max_completion_len" : "max") > 0 || cache <= limit) return;
  warnings.add(fmt::format("reward.functions.{}.{}", index, name),
               "{} is beyond rollout.max_completion_length {}, so that every completion is "
               "punished for its length; less, such as {}, would be right",
               cache, limit, std::max<std::int64_t>(1, limit / 5));
}

void warn_of_optim(const StageConfig& stage, Warnings& warnings) {
  const auto& optim = stage.optim;
  if (optim.learning_rate == 0) warnings.add("optim.learning_rate", "0: nothing will be learned");
  if (optim.lr_scheduler_type == "constant" && stage.train.max_steps > 0 &&
      optim.warmup_steps > stage.train.max_steps)
    warnings.add("optim.warmup_steps", "{} of {} steps: the rate never reaches optim.learning_rate",
                 optim.warmup_steps, stage.train.max_steps);
}

void warn_of_eval(const StageConfig& stage, Warnings& warnings) {
  if (stage.eval.eval_steps > 0 && !has_eval(stage))
    warnings.add("eval.eval_steps", "{}, but data.eval has no set to evaluate on",
                 stage.eval.eval_steps);
  if (!stage.checkpoint.best_metric.empty() && stage.eval.eval_steps == 0)
    warnings.add("checkpoint.best_metric",
                 "with eval.eval_steps 0 there is an evaluation before the first and after the "
                 "last step alone");
}

}  // namespace

std::vector<std::string> config_warnings(const Config& config) {
  std::vector<std::string> lines;
  for (const auto& stage : config.stages) {
    Warnings warnings(lines, config, stage);
    warn_of_model(stage.model, warnings);
    if (stage.method == "grpo") {
      warn_of_rollout(stage.rollout, warnings);
      warn_of_objective(stage, warnings);
      for (std::size_t i = 0; i < stage.reward.functions.size(); ++i)
        warn_of_cache(stage, i, warnings);
    }
    warn_of_optim(stage, warnings);
    warn_of_eval(stage, warnings);
  }
  return lines;
}

}  // namespace aha
