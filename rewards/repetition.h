#pragma once
#include <cstdint>
#include <span>

#include "trainer/core/types/prompt.h"

namespace aha {

/// Number of different runs of `n` neighbouring ids (n >= 1); 0 if there are fewer than n ids.
/// Exact, in O(T log n) expected time whatever n and the ids are.
std::int64_t unique_ngrams(std::span<const TokenId> ids, std::int64_t n);

}  // namespace aha
