#include "trainer/report/aliases.h"

#include <array>
#include <utility>

namespace aha {
namespace {

constexpr auto kVerl = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"critic/score/mean", "reward"},
    {"actor/loss", "loss"},
    {"actor/entropy", "entropy"},
    {"actor/grad_norm", "grad_norm"},
    {"actor/lr", "learning_rate"},
    {"actor/kl_loss", "kl"},
    {"actor/pg_clipfrac", "clip_ratio/region_mean"},
    {"response_length/mean", "completions/mean_length"},
    {"response_length/min", "completions/min_length"},
    {"response_length/max", "completions/max_length"},
    {"response_length/clip_ratio", "completions/clipped_ratio"},
    {"timing_s/gen", "timing_s/rollout"},
    {"timing_s/ref", "timing_s/reference"},
    {"timing_s/update_actor", "timing_s/train"},
    {"timing_s/step", "step_time"},
    {"timing_s/testing", "timing_s/eval"},
    {"timing_s/save_checkpoint", "timing_s/save"},
    {"training/epoch", "epoch"},
});

/// The mean over samples of a validation's variable: `acc` is accuracy, `reward` may have any scale. What verl
/// calls best@k and maj@k are means over draws with replacement, which pass@k and maj@k are not.
std::optional<std::string> validation(std::string_view variable, std::string_view statistic) {
  if (statistic.substr(0, 5) != "mean@") return std::nullopt;
  if (variable == "acc") return "eval_accuracy";
  if (variable == "reward") return "eval_reward";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> trl_alias(std::string_view key) {
  if (key == "eval_runtime") return "timing_s/eval";
  const bool eval = key.substr(0, 5) == "eval_";
  const auto bare = eval ? key.substr(5) : key;
  if (bare != "rewards/accuracy_reward/mean") return std::nullopt;
  return eval ? "eval_accuracy" : "accuracy";
}

std::optional<std::string> verl_alias(std::string_view key) {
  for (const auto& [theirs, ours] : kVerl)
    if (key == theirs) return std::string(ours);
  // val-core/<set>/<variable>/<statistic>, where a set's name may have slashes
  if (key.substr(0, 9) != "val-core/") return std::nullopt;
  const auto last = key.rfind('/');
  const auto before = key.rfind('/', last - 1);
  return validation(key.substr(before + 1, last - before - 1), key.substr(last + 1));
}

}  // namespace aha
