#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Number of different runs of `n` neighbouring ids (n >= 1); 0 if there are fewer than n ids.
/// Exact, in O(T log n) expected time whatever n and the ids are.
std::int64_t unique_ngrams(std::span<const TokenId> ids, std::int64_t n);

/// Repetition penalty over token ids: max_penalty * (1 - unique n-grams / n-grams); 0 if there are
/// fewer than n tokens. Options `ngram_size` (>= 1) and `max_penalty` (<= 0). An attempt whose ids
/// are not known cannot be judged.
///
/// Source: "Demystifying long chain-of-thought reasoning" (arXiv:2502.03373) appendix C.2, as TRL
/// has it.
std::unique_ptr<Reward> make_repetition_reward(const RewardOptions& options);

}  // namespace aha
