// Whatever a policy writes, every reward answers, in time that grows with the text.
#include <chrono>
#include <cmath>
#include <set>
#include <sstream>

#include "rewards/offline.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const std::vector<std::string> kTexts = {
    "<think>\n9 + 4\n</think>\n<answer>\n(3 + 5) * 2 / 1\n</answer>",
    "9 + 4 13 - 3 10 no wait 9 - 4 5 + 3 8 ok => 9 - 4 + 3",
    "0 1 1 0 = 1",
    "so $1,234.50 and -7\n#### 1,000",
};
const std::vector<std::string> kHostile = {"<answer>",
                                           "</answer>",
                                           "<think>",
                                           "</think>",
                                           "####",
                                           "-",
                                           "\xE2\x88\x92",
                                           "$",
                                           ",",
                                           ".",
                                           "1,000,000",
                                           "(((((((((",
                                           "))))",
                                           "/0",
                                           "0",
                                           "99999999999999999999999999",
                                           "\xFF",
                                           "\xC3",
                                           std::string(1, '\0'),
                                           "=>",
                                           "=",
                                           "\n",
                                           "*",
                                           "<|im_end|>",
                                           "e9",
                                           "\xF0\x9F\x90\x88"};

std::vector<std::unique_ptr<Reward>> all_rewards() {
  std::vector<std::unique_ptr<Reward>> rewards;
  const std::set<std::string_view> apart = {"code", "command",
                                            "http"};  // rows with tests; programs of others
  for (const auto& info : reward_table())
    if (apart.count(info.name) == 0) rewards.push_back(make_reward(info.name));
  rewards.push_back(make_reward("countdown", {{"extraction", "bare"}}));
  rewards.push_back(make_reward("numeric", {{"extraction", "answer_tag"}}));
  rewards.push_back(make_reward("format"));
  return rewards;
}

const Json kRow = {{"nums", {9, 4, 3}}, {"target", 8}, {"answer", "1"}};

}  // namespace

TEST_CASE("fuzz: every reward answers any text, the same each time", "[fuzz]") {
  const auto rewards = all_rewards();
  Mutator mutator(7, kHostile);
  for (int i = 0; i < 12000; ++i) {
    const auto text = mutator.mutate(mutator.one_of(kTexts), 8);
    const bool truncated = mutator.below(4) == 0;
    const bool bare = mutator.below(4) == 0;
    Judged judged{text, kRow, truncated, bare};
    for (auto n = mutator.below(30); n > 0; --n)
      judged.ids.push_back(static_cast<TokenId>(mutator.below(5)));
    judged.length = std::ssize(judged.ids);
    judged.max_completion_length = static_cast<std::int64_t>(1 + mutator.below(40));
    judged.group_shortest = 0;
    judged.group_longest = 30;
    for (const auto& reward : rewards) {
      const auto part = judged.by(*reward);
      REQUIRE(part.score);
      REQUIRE((*part.score >= -1.0 && *part.score <= 1.0));
      REQUIRE(part.extracted.size() <= 200);
      REQUIRE(part.reason.size() < 2000);
      REQUIRE(judged.by(*reward).score == part.score);
    }
  }
}

TEST_CASE("fuzz: a damaged row is scored or refused with its line", "[fuzz]") {
  const std::string row =
      R"({"nums": [9, 4, 3], "target": 8, "answer": "9-4+3", "completion_len": 7, "params": {"extraction": "bare"}})";
  Mutator mutator(8);
  std::int64_t refused = 0;
  for (int i = 0; i < 10000; ++i) {
    std::istringstream in(mutator.mutate(row));
    std::ostringstream out;
    const auto summary = score_jsonl(in, out, {parse_reward_spec("countdown"), {}, "in"});
    if (summary.bad > 0) {
      ++refused;
      REQUIRE(summary.bad_text().starts_with("in:"));
    }
  }
  CHECK(refused > 1000);
  CHECK(refused < 10000);
}

TEST_CASE("fuzz: a megabyte of anything takes a moment", "[fuzz]") {
  const auto repeated = [](const std::string& piece) {
    std::string text;
    while (text.size() < (1U << 20))
      text += piece;
    return text;
  };
  const auto rewards = all_rewards();
  for (const std::string piece : {"<answer>",
                                  "</answer>",
                                  "<answer>1",
                                  "<think>\n",
                                  "\n</think>\n<answer>\n",
                                  "\n</answer>",
                                  "<think></think>",
                                  "####",
                                  "#### 1",
                                  "1,",
                                  "1,000,",
                                  "111",
                                  "1.1",
                                  "-",
                                  "(",
                                  "1+",
                                  "1,1111",
                                  "$",
                                  "\xE2\x88\x92",
                                  " ",
                                  "\n",
                                  "= ",
                                  "=> ",
                                  "<",
                                  "a",
                                  "\xFF",
                                  "</think> <answer>"}) {
    Judged judged{repeated(piece), kRow};
    judged.ids.assign(std::size_t{1} << 17, 3);
    judged.length = std::ssize(judged.ids);
    judged.max_completion_length = 100;
    for (std::size_t i = 0; i < rewards.size(); ++i) {
      INFO(piece << " by reward " << i);
      const auto start = std::chrono::steady_clock::now();
      judged.by(*rewards[i]);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      CHECK(took.count() < 1.0);  // a few milliseconds; quadratic work would be minutes
    }
  }
}
