#pragma once
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "rewards/registry.h"
#include "tests/support/error_of.h"
#include "trainer/core/json.h"

namespace aha_test {

/// What one reward says of one text.
struct Judged {
  std::string text;
  aha::Json row = aha::Json::object();
  bool truncated = false;
  bool bare = false;
  std::int64_t length = -1;
  std::int64_t max_completion_length = 0;
  std::vector<aha::TokenId> ids = {};
  std::int64_t group_shortest = -1;
  std::int64_t group_longest = -1;
  std::string prompt = {};
  std::string id = {};

  aha::RewardPart by(const std::string& name,
                     const std::map<std::string, std::string>& options = {}) const {
    return by(*aha::make_reward(name, options));
  }
  aha::RewardPart by(const aha::Reward& reward) const {
    return reward.score({.prompt = prompt,
                         .completion = text,
                         .row = row,
                         .ids = ids,
                         .length = length,
                         .truncated = truncated,
                         .max_completion_length = max_completion_length,
                         .group_shortest = group_shortest,
                         .group_longest = group_longest,
                         .bare = bare,
                         .id = id});
  }
};

inline std::string golden_path(const std::string& name) {
  return std::string(AHA_SOURCE_DIR) + "/tests/golden/rewards/" + name;
}

inline std::vector<aha::Json> json_lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<aha::Json> rows;
  for (std::string line; std::getline(in, line);)
    rows.push_back(aha::parse_json(line, path));
  return rows;
}

}  // namespace aha_test
