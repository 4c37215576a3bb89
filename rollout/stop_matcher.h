#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "trainer/core/types/prompt.h"

namespace aha {

/// Ids to text; special tokens are kept.
using DecodeText = std::function<std::string(std::span<const TokenId>)>;

/// Tells whether the last token completed one of the stop strings. Asked after every token, so only the
/// tail that a new match can reach is decoded: time per token does not grow with the completion.
class StopMatcher {
 public:
  StopMatcher(std::vector<std::string> strings, DecodeText decode);

  bool completed(std::span<const TokenId> ids) const;

 private:
  std::vector<std::string> strings_;
  DecodeText decode_;
  std::size_t window_ = 0;  ///< tokens that the longest string can span
};

}  // namespace aha
