#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// Our name for a metric of TRL's GRPOTrainer (1.16). Most are the same; a reward function whose
/// name says `accuracy` or `correct` is also our `accuracy`, which has no key of its own in TRL.
/// Nothing: the metric keeps its name alone.
std::optional<std::string> trl_alias(std::string_view key);

/// Our name for a metric of verl (0.9): `critic/score/mean` is `reward`, `response_length/mean` is
/// `completions/mean_length`, `val-core/<source>/acc/mean@N` is `eval_accuracy`, and so on.
/// Only what means the same is given our name. Nothing: the metric keeps its name alone.
std::optional<std::string> verl_alias(std::string_view key);

}  // namespace aha
