#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// Our name for a metric of TRL's GRPOTrainer (1.16). Most are the same; TRL's own reward function
/// accuracy_reward, which is 0 or 1, is also our `accuracy`, which has no key of its own in TRL. A
/// user's function may have any scale, whatever it is called.
/// Nothing: the metric keeps its name alone.
std::optional<std::string> trl_alias(std::string_view key);

/// Our name for a metric of verl (0.9): `critic/score/mean` is `reward`, `response_length/mean` is
/// `completions/mean_length`, `val-core/<source>/acc/mean@N` is `eval_accuracy`, and so on.
/// Only what means the same is given our name. Nothing: the metric keeps its name alone.
std::optional<std::string> verl_alias(std::string_view key);

}  // namespace aha
