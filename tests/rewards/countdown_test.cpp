#include "rewards/expression.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const Json kRow = {{"nums", {3, 5, 2}}, {"target", 13}};

std::string tagged(const std::string& answer) {
  return "<think> hm </think> <answer> " + answer + " </answer>";
}

}  // namespace

TEST_CASE("countdown: agrees with reasoning-gym's scorer on bare answers", "[countdown][golden]") {
  const auto rows = json_lines(golden_path("countdown_scorer.jsonl"));
  REQUIRE(rows.size() == 200);
  const auto reward = make_reward("countdown");
  for (const auto& row : rows) {
    INFO(row.dump());
    const auto part = Judged{row["answer"], row, false, true}.by(*reward);
    REQUIRE(part.score);
    CHECK(*part.score == (row["reference_score"] == 1.0 ? 1.0 : 0.0));
  }
}

TEST_CASE("expression: value and numbers equal those of Python's parser with exact fractions",
          "[countdown][golden]") {
  const auto golden = read_json(golden_path("expressions.json"));
  for (const auto& row : golden["rows"]) {
    INFO(row.dump());
    const auto result = evaluate_expression(row["text"].get<std::string>());
    if (row["value"].is_null()) {
      CHECK_FALSE(result.value);
      CHECK_FALSE(result.problem.empty());
      continue;
    }
    REQUIRE(result.value);
    CHECK(result.value->text() == row["value"].get<std::string>());
    CHECK(result.numbers == row["numbers"].get<std::vector<std::int64_t>>());
  }
}

TEST_CASE("countdown: each number is used once and the value is exact", "[countdown]") {
  struct Row {
    std::string answer;
    double score;
    std::string reason;
  };
  const auto row = GENERATE(values<Row>({
      {"3 + 5 * 2", 1.0, "right"},
      {"(3+(5*2))", 1.0, "right"},
      {"-(-3) + 5*2", 1.0, "right"},
      {"3 * 5 - 2", 1.0, "right"},
      {"3 + 5 + 2", 0.0, "value 10, wanted 13"},
      {"3 + 5 + 5", 0.0, "uses [3, 5, 5], given [2, 3, 5]"},
      {"3 + 10", 0.0, "uses [3, 10], given [2, 3, 5]"},
      {"3 + 5 * 2 + 0", 0.0, "uses [0, 2, 3, 5], given [2, 3, 5]"},
      {"3 * 5 / 2", 0.0, "value 15/2, wanted 13"},
      {"3 / (5 - 5) * 2", 0.0, "division by zero"},
      {"3 + 5 * 2 = 13", 0.0, "cannot read '='"},
      {"13", 0.0, "uses [13], given [2, 3, 5]"},
      {"", 0.0, "expected a number, found the end"},
      {"3 5 * 2", 0.0, "cannot read '5'"},
      {"3.0 + 5 * 2", 0.0, "cannot read '.'"},
      {"3 \xC3\x97 5", 0.0, "cannot read '\xC3\x97'"},
      {"\xE2\x88\x92 3", 0.0, "expected a number, found '\xE2\x88\x92'"},
      {"3 + 5 * 2)", 0.0, "cannot read ')'"},
      {"(3 + 5 * 2", 0.0, "expected ')', found the end"},
      {"03 + 5 * 2", 0.0, "'03' has a leading zero"},
      {"3 ** 5", 0.0, "expected a number, found '*'"},
      {"import os", 0.0, "expected a number, found 'i'"},
      {"9999999999999999999", 0.0, "a number of 19 digits"},
  }));
  INFO(row.answer);
  const auto part = Judged{tagged(row.answer), kRow}.by("countdown");
  CHECK(part.score == row.score);
  CHECK(part.reason == row.reason);
  CHECK(part.extracted == row.answer);
}

TEST_CASE("countdown: division is exact where doubles are not", "[countdown]") {
  const Json row = {{"nums", {8, 3, 8, 3}}, {"target", 24}};
  CHECK(Judged{tagged("8/(3-8/3)"), row}.by("countdown").score == 1.0);
  CHECK(Judged{tagged("1/3*3"), {{"nums", {1, 3, 3}}, {"target", 1}}}.by("countdown").score == 1.0);
}

TEST_CASE("countdown: the last closed answer tag counts, cut off or not", "[countdown]") {
  const auto by = [](const std::string& text, bool truncated) {
    return *Judged{text, kRow, truncated}.by("countdown").score;
  };
  CHECK(by("<answer>1</answer> no: <answer>3+5*2</answer>", false) == 1.0);
  CHECK(by("<answer>3+5*2</answer> no: <answer>1</answer>", false) == 0.0);
  CHECK(by("<answer> <answer>3+5*2</answer>", false) == 1.0);
  CHECK(by("<answer>3+5*2</answer> and <answer>", true) == 1.0);
  CHECK(by("<answer>3+5*2", true) == 0.0);
  CHECK(by("3+5*2", false) == 0.0);
  const std::map<std::string, std::string> bare = {{"extraction", "bare"}};
  CHECK(Judged{" 3+5*2\n", kRow}.by("countdown", bare).score == 1.0);
  CHECK(Judged{"3+5*2", kRow, true}.by("countdown", bare).score == 0.0);
}

TEST_CASE("countdown: a row without usable numbers or target cannot be judged", "[countdown]") {
  const auto reward = make_reward("countdown");
  for (const auto& row :
       {Json{{"target", 1}}, Json{{"nums", {1}}}, Json{{"nums", Json::array()}, {"target", 1}},
        Json{{"nums", {1, "2"}}, {"target", 1}}, Json{{"nums", {1}}, {"target", "x"}},
        Json{{"nums", std::vector<int>(65, 1)}, {"target", 1}}, Json::array(), Json()}) {
    INFO(row.dump());
    CHECK(reward->gold_problem(row));
    CHECK_FALSE(Judged{tagged("1"), row}.by(*reward).score);
  }
  CHECK_FALSE(reward->gold_problem(kRow));
}

TEST_CASE("expression: values beyond 126 bits, depth and size have an end", "[countdown]") {
  const auto problem = [](const std::string& text) { return evaluate_expression(text).problem; };
  std::string product = "999999999999999999";
  for (int i = 0; i < 3; ++i)
    product += "*999999999999999999";
  CHECK(problem(product) == "a value beyond 126 bits");
  CHECK(problem("999999999999999999*999999999999999999").empty());
  CHECK(problem(std::string(64, '(') + "1" + std::string(64, ')')).empty());
  CHECK(problem(std::string(65, '(') + "1" + std::string(65, ')')) ==
        "more than 64 open parentheses");
  CHECK(problem(std::string(4095, '-') + "1").empty());
  CHECK(problem(std::string(5000, '1')) == "longer than 4096 bytes");
  CHECK_FALSE(evaluate_expression(std::string("1\0", 2)).value);
}
