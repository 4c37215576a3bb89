#include "rewards/decimal.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("numeric: equality of spellings is that of Python's Decimal", "[numeric][golden]") {
  const auto golden = read_json(golden_path("numbers.json"));
  const auto reward = make_reward("numeric");
  for (const auto& row : golden["rows"]) {
    INFO(row.dump());
    const auto part = Judged{row["text"], {{"answer", row["gold"]}}}.by(*reward);
    REQUIRE(part.score);
    CHECK(*part.score == (row["right"].get<bool>() ? 1.0 : 0.0));
  }
}

TEST_CASE("numeric: real answers of GSM8K and SVAMP are right for themselves", "[numeric]") {
  const auto reward = make_reward("numeric");
  const auto samples = std::string(AHA_SOURCE_DIR) + "/data/samples/";
  for (const auto* name : {"gsm8k_train.jsonl", "gsm8k_test.jsonl"}) {
    for (const auto& row : json_lines(samples + name)) {
      INFO(row.dump());
      CHECK_FALSE(reward->gold_problem(row));
      CHECK(Judged{row["answer"], row}.by(*reward).score == 1.0);
      CHECK(Judged{row["answer"].get<std::string>() + "1", row}.by(*reward).score == 0.0);
    }
  }
  const auto svamp = make_reward("numeric", {{"answer_field", "Answer"}});
  for (const auto& row : json_lines(samples + "svamp_test.jsonl")) {
    INFO(row.dump());
    const auto answer = std::to_string(row["Answer"].get<int>());  // 145.0 in the file
    CHECK(Judged{"It is " + answer + ".", row}.by(*svamp).score == 1.0);
  }
}

TEST_CASE("numeric: what is taken from a text", "[numeric]") {
  struct Row {
    std::string text;
    std::string extracted;
    double score;  // the gold is 1000
  };
  const auto row = GENERATE(values<Row>({
      {"It is 1000.", "1000", 1.0},
      {"It is $1,000.00!", "$1,000.00", 1.0},
      {"first 1,000 then 7", "7", 0.0},
      {"#### 1,000\nI checked 3 times", "1,000", 1.0},
      {"#### 5\n#### 1000", "1000", 1.0},
      {"#### 1000 or 1001", "1000", 1.0},
      {"#### 999 or 1000", "999", 0.0},
      {"1000 or 1001", "1001", 0.0},
      {"1000 ####", "", 0.0},
      {"no number", "", 0.0},
      {"", "", 0.0},
      {"-1000", "-1000", 0.0},
      {"\xE2\x88\x92"
       "1000",
       "\xE2\x88\x92"
       "1000",
       0.0},
      {"2000-1000", "1000", 1.0},
      {"2000 - 1000", "1000", 1.0},
      {"#### - 1000", "- 1000", 0.0},
      {"it is - 1000", "- 1000", 0.0},
      {"one:\n- 1000 apples", "1000", 1.0},
      {"1,00", "00", 0.0},
      {"x1000", "1000", 1.0},
      {"1e3", "3", 0.0},
  }));
  INFO(row.text);
  const auto part = Judged{row.text, {{"answer", "1000"}}}.by("numeric");
  CHECK(part.score == row.score);
  CHECK(part.extracted == row.extracted);
}

TEST_CASE("numeric: a cut-off text is right only where its answer had visibly ended", "[numeric]") {
  const auto by = [](const std::string& text, const std::string& extraction = "last") {
    return *Judged{text, {{"answer", 1}}, true}.by("numeric", {{"extraction", extraction}}).score;
  };
  CHECK(by("the answer is 1 because") == 0.0);
  CHECK(by("#### 1") == 0.0);
  CHECK(by("#### 1,0") == 0.0);
  CHECK(by("#### 1.") == 0.0);
  CHECK(by("#### 1\n") == 1.0);
  CHECK(by("#### 1 since") == 1.0);
  CHECK(by("<answer>1</answer> and", "answer_tag") == 1.0);
  CHECK(by("<answer>1", "answer_tag") == 0.0);
}

TEST_CASE("numeric: a gold that is not one number cannot be judged", "[numeric]") {
  const auto reward = make_reward("numeric");
  const Json no_answer = {{"question", "x"}};
  const Json rows = {{{"answer", "about 5"}}, {{"answer", "1 2"}},       {{"answer", ""}},
                     {{"answer", nullptr}},   {{"answer", {1}}},         {{"answer", "3/4"}},
                     {{"answer", "#### "}},   {{"answer", "336^\\circ"}}};
  CHECK_THAT(*reward->gold_problem(no_answer), contains("'answer' is missing"));
  for (const auto& row : rows) {
    INFO(row.dump());
    CHECK(reward->gold_problem(row));
    CHECK_FALSE(Judged{"5", row}.by(*reward).score);
  }
  for (const auto& row : Json{{{"answer", 72}}, {{"answer", 72.0}}, {{"answer", " 72 "}}}) {
    INFO(row.dump());
    CHECK(Judged{"72", row}.by(*reward).score == 1.0);
  }
}

TEST_CASE("decimal: one spelling per value", "[numeric]") {
  CHECK(sole_number("-0.00") == "0");
  CHECK(sole_number("$-5") == "-5");
  CHECK(sole_number("-$5.50") == "-5.5");
  CHECK(sole_number(".50") == "0.5");
  CHECK(sole_number("0012,3") == std::nullopt);
  CHECK(sole_number("1,234,567.8900") == "1234567.89");
  CHECK(sole_number(std::string(5000, '9')) == std::string(5000, '9'));
}
