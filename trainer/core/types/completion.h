#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/core/types/prompt.h"

namespace aha {

enum class FinishReason : std::uint8_t {
  Stop,    ///< an end-of-text id was sampled; it is the last id
  String,  ///< a stop string was completed
  Length,  ///< the limit was reached: the completion is truncated
};

/// One sampled answer: ids first, text derived from them. Never re-tokenised.
struct Completion {
  std::int64_t index = 0;       ///< in its group
  std::vector<TokenId> ids;     ///< [T] the final stop id included
  std::vector<float> logprobs;  ///< [T] of the sampled ids, untruncated distribution at temperature
  std::vector<float> entropies;       ///< [T] nats, of the same distribution
  std::vector<std::uint8_t> sampled;  ///< [T] 1 = drawn by the policy, 0 = given; the loss mask
  FinishReason finish = FinishReason::Length;
  std::int64_t weights_version = 0;  ///< optimizer updates that the sampling weights had seen
  std::string text;                  ///< prefill + decode(ids without the final stop id)

  bool truncated() const { return finish == FinishReason::Length; }
  std::int64_t length() const { return static_cast<std::int64_t>(ids.size()); }
};

}  // namespace aha
