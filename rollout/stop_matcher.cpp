#include "rollout/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace aha {

StopMatcher::StopMatcher(std::vector<std::string> strings, DecodeText decode)
    : strings_(std::move(strings)), decode_(std::move(decode)) {
  for (const auto& s : strings_)
    window_ = std::max(window_, s.size() + 1);
}

bool StopMatcher::completed(std::span<const TokenId> ids) const {
  if (strings_.empty()) return false;
  const auto tail = ids.last(std::min(window_, ids.size()));
  const std::string text = decode_(tail);
  return std::any_of(strings_.begin(), strings_.end(),
                     [&](const std::string& s) { return text.find(s) != std::string::npos; });
}

}  // namespace aha
