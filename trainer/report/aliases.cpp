#include "trainer/report/aliases.h"

#include <array>
#include <utility>

namespace aha {
namespace {

constexpr auto kVerl = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"critic/score/mean", "reward"},
    {"actor/pg_loss", "loss"},
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
    {"perf/throughput", "perf/tokens_per_s"},
    {"training/epoch", "epoch"},
});

/// "mean@8" of a validation key: mean over samples is accuracy, best of k is pass@k, the majority's
/// is maj@k.
std::optional<std::string> validation(std::string_view statistic) {
  const auto starts = [&](std::string_view word) {
    return statistic.substr(0, word.size()) == word;
  };
  const auto k_of = [&](std::string_view word, std::string_view end) {
    return std::string(statistic.substr(word.size(), statistic.size() - word.size() - end.size()));
  };
  constexpr std::string_view kMean = "/mean";
  const bool mean =
      statistic.size() > kMean.size() && statistic.substr(statistic.size() - kMean.size()) == kMean;
  if (starts("mean@")) return "eval_accuracy";
  if (mean && starts("best@")) return "eval_pass@" + k_of("best@", kMean);
  if (mean && starts("maj@")) return "eval_maj@" + k_of("maj@", kMean);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> trl_alias(std::string_view key) {
  const bool eval = key.substr(0, 5) == "eval_";
  const auto bare = eval ? key.substr(5) : key;
  constexpr std::string_view kHead = "rewards/", kTail = "/mean";
  if (bare.size() <= kHead.size() + kTail.size() || bare.substr(0, kHead.size()) != kHead ||
      bare.substr(bare.size() - kTail.size()) != kTail)
    return std::nullopt;
  const auto name = bare.substr(kHead.size(), bare.size() - kHead.size() - kTail.size());
  if (name.find("accuracy") == std::string_view::npos &&
      name.find("correct") == std::string_view::npos)
    return std::nullopt;
  return eval ? "eval_accuracy" : "accuracy";
}

std::optional<std::string> verl_alias(std::string_view key) {
  for (const auto& [theirs, ours] : kVerl)
    if (key == theirs) return std::string(ours);
  if (key.substr(0, 9) != "val-core/") return std::nullopt;
  const auto at = key.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto slash = key.rfind('/', at);
  return validation(key.substr(slash + 1));
}

}  // namespace aha
