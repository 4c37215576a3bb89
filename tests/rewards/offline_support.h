#pragma once
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "rewards/offline.h"
#include "rewards/registry.h"
#include "trainer/core/error.h"
#include "trainer/core/json_text.h"

namespace aha_test {

struct Scored {
  std::string text;
  aha::OfflineSummary summary;
  std::vector<aha::Json> rows;
};

inline Scored scored(const std::string& spec, const std::string& input,
                     const std::map<std::string, std::string>& fields = {}) {
  std::istringstream in(input);
  std::ostringstream out;
  Scored result;
  result.summary = aha::score_jsonl(in, out, {aha::parse_reward_spec(spec), fields, "in.jsonl"});
  if (!result.summary.bad_text().empty()) aha::fail("{}", result.summary.bad_text());
  result.text = out.str();
  std::istringstream lines(result.text);
  for (std::string line; std::getline(lines, line);)
    result.rows.push_back(aha::parse_row(line, "out"));
  return result;
}

}  // namespace aha_test
