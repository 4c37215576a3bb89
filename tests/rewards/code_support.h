#pragma once
#include <map>
#include <memory>
#include <string>

#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

namespace aha_test {

inline std::string fenced(const std::string& language, const std::string& code) {
  return "Here it is.\n```" + language + "\n" + code + "\n```\n";
}

/// Nothing where programs of this language cannot be run here.
inline std::unique_ptr<aha::Reward> reward_for(const std::string& language,
                                               std::map<std::string, std::string> options = {}) {
  options.emplace("language", language);
  options.emplace("time_limit_s", "2");
  try {
    return aha::make_reward("code", options);
  } catch (const aha::UserError& error) {
    WARN("skipped: " << error.what());
    return nullptr;
  }
}

/// What Python code gets for one piece of assertions.
inline std::optional<double> asserted(const aha::Reward& reward, const std::string& code,
                                      const std::string& assertions) {
  const aha::Json row = {{"tests", {assertions}}};
  return Judged{.text = fenced("python", code), .row = row}.by(reward).score;
}

inline const aha::Json kSum = {
    {"tests", {{{"input", "1 2\n"}, {"output", "3\n"}}, {{"input", "5 6\n"}, {"output", "11\n"}}}}};

}  // namespace aha_test
