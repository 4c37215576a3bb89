#include "rewards/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {

const std::string& RewardOptions::text(const std::string& name) const {
  const auto found = values_.find(name);
  check(found != values_.end(), "a reward reads only options that the table lists");
  return found->second;
}

const std::string& RewardOptions::choice(const std::string& name,
                                         std::span<const std::string> allowed) const {
  const auto& value = text(name);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    fail("reward '{}': option '{}' is '{}', expected one of {}", reward_, name, value,
         join_list(allowed));
  }
  return value;
}

std::int64_t RewardOptions::whole(const std::string& name, std::int64_t least) const {
  const auto& value = text(name);
  std::int64_t parsed = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, parsed);
  if (error != std::errc() || stop != end || parsed < least) {
    fail("reward '{}': option '{}' is '{}', expected a whole number of at least {}", reward_, name,
         value, least);
  }
  return parsed;
}

double RewardOptions::number(const std::string& name) const {
  const auto& value = text(name);
  double parsed = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, parsed);
  if (error != std::errc() || stop != end || !std::isfinite(parsed)) {
    fail("reward '{}': option '{}' is '{}', expected a number", reward_, name, value);
  }
  return parsed;
}

bool RewardOptions::flag(const std::string& name) const {
  const std::array<std::string, 2> allowed = {"true", "false"};
  return choice(name, allowed) == "true";
}

}  // namespace aha
