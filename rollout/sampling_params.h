#pragma once
#include <string>
#include <vector>

#include "trainer/core/philox.h"
#include "trainer/core/types/prompt.h"

namespace aha {

/// How completions are drawn. A completion depends on these, the weights, its prompt, its draw ordinal
/// and its index, and on nothing else.
struct SamplingParams {
  std::int64_t max_completion_length = 512;  ///< tokens
  double temperature = 1.0;  ///< 0: greedy; log-probabilities are then at temperature 1
  double top_p = 1.0;
  std::int64_t top_k = 0;  ///< 0: off
  double min_p = 0.0;
  std::vector<TokenId> stop_ids;          ///< end of text; the sampled one stays in the completion
  std::vector<std::string> stop_strings;  ///< the completion ends with the token that completes one
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::Rollout;
  std::uint32_t stage = 0;
};

/// One prompt to complete `samples` times.
struct GroupRequest {
  Prompt prompt;
  std::uint64_t ordinal = 0;  ///< draw ordinal: enters every random key
  std::int64_t samples = 1;
  std::int64_t first_sample = 0;           ///< index of the first completion, in its random key too
  std::int64_t max_completion_length = 0;  ///< of its completions, at most the parameters'; 0: that
};

}  // namespace aha
