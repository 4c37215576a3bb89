// The reward `math`: what is cut out of a text, and what means the same.
#include <algorithm>
#include <tuple>

#include "rewards/math/extraction.h"
#include "rewards/registry.h"
#include "tests/rewards/math_pairs.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

RewardPart judged(const std::string& gold, const std::string& prediction,
                  const std::map<std::string, std::string>& options = {}) {
  return Judged{.text = prediction, .row = {{"answer", gold}}, .bare = true}.by("math", options);
}

std::string cut(const std::string& text, math::Extraction rule = math::Extraction::Auto) {
  return math::extracted_answer(text, rule, false).text;
}

}  // namespace

TEST_CASE("math: what means the same is equal, either way round") {
  for (const auto& [a, b] : kSame) {
    INFO(a << " and " << b);
    CHECK(judged(a, b).score == 1.0);
    CHECK(judged(b, a).score == 1.0);
    CHECK(judged(a, a).score == 1.0);
  }
}

TEST_CASE("math: what does not is different, either way round") {
  for (const auto& [a, b] : kOther) {
    INFO(a << " and " << b);
    CHECK(judged(a, b).score == 0.0);
    CHECK(judged(b, a).score == 0.0);
  }
}

TEST_CASE("math: what it remembers of one pair is not told of another") {
  // found by fuzzing: one text cut at each of its zeros, which was once what parts a gold from an answer
  using namespace std::string_literals;
  const std::string text = "\\\f\0001\0\0}%i"s;
  const auto reward = make_reward("math");
  const auto by = [](const Reward& judge, const std::string& gold, const std::string& answer) {
    const Json row = {{"answer", gold}};
    const auto part = judge.score({.completion = answer, .row = row, .ids = {}, .bare = true});
    return std::tuple(part.score, part.reason, part.steps);
  };
  for (auto cut = text.find('\0'); cut != std::string::npos; cut = text.find('\0', cut + 1)) {
    const auto gold = text.substr(0, cut);
    const auto answer = text.substr(cut + 1);
    INFO(cut);
    CHECK(by(*reward, gold, answer) == by(*make_reward("math"), gold, answer));
  }
}

TEST_CASE("math: the cases of Math-Verify's tests come out as there") {
  for (const auto& row : json_lines(golden_path("math_rows.jsonl"))) {
    INFO(row.dump());
    const auto part = judged(row["gold"], row["prediction"]);
    // "x = 5+5+1 = 1/3": what states a false equation is no answer here
    const bool is_false = row["id"] == "eq-73b729458264";
    CHECK(part.score == (is_false ? 0.0 : row["expected"].get<double>()));
  }
}

TEST_CASE("math: equality is symmetric and transitive over the cases' short answers") {
  std::vector<std::string> answers;
  for (const auto& row : json_lines(golden_path("math_rows.jsonl"))) {
    for (const char* field : {"gold", "prediction"}) {
      // One that is no answer as a prediction, as a box that is not closed, has nothing to equal.
      const std::string text = row[field];
      if (text.size() < 60 && judged(text, text).score == 1.0) answers.push_back(text);
    }
  }
  std::sort(answers.begin(), answers.end());
  answers.erase(std::unique(answers.begin(), answers.end()), answers.end());
  const auto n = answers.size();
  std::vector<std::vector<bool>> same(n, std::vector<bool>(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      same[i][j] = judged(answers[i], answers[j]).score == 1.0;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      INFO(answers[i] << " and " << answers[j]);
      CHECK(same[i][j] == same[j][i]);
      for (std::size_t k = 0; same[i][j] && k < n; ++k) {
        INFO("and " << answers[k]);
        CHECK((!same[j][k] || same[i][k]));
      }
    }
  }
}

TEST_CASE("math: a decimal is compared at the precision asked for") {
  CHECK(judged("\\frac{1}{3}", "0.33").score == 0.0);
  CHECK(judged("\\frac{1}{3}", "0.33", {{"precision", "2"}}).score == 1.0);
  CHECK(judged("0.0000001", "0.0000002").score == 0.0);
  CHECK(judged("\\frac{13}{204}", "0.063725").score == 1.0);
  CHECK(judged("\\frac{13}{204}", "6.3725\\%").score == 1.0);
  CHECK(judged("\\frac{13}{204}", "0.063726").score == 0.0);
  CHECK(judged("\\frac{1}{7000}", "0.000143").score == 0.0);
  CHECK(judged("0.001", "0.0010004").score == 1.0);
  CHECK(judged("0.001", "0.0009996").score == 1.0);
  CHECK(judged("0.001", "0.0010006").score == 0.0);
  CHECK(judged("0.001", "0.0009994").score == 0.0);
  CHECK(judged("\\frac{1}{7000}", "0.000142857").score == 1.0);
}

TEST_CASE("math: disputed conventions are options") {
  CHECK(judged("28\\%", "28").score == 0.0);
  CHECK(judged("28\\%", "28", {{"percent", "number"}}).score == 1.0);
  CHECK(judged("28\\%", "0.28").score == 1.0);
  CHECK(judged("1, 2", "2, 1").score == 1.0);
  CHECK(judged("1, 2", "2, 1", {{"list_order", "kept"}}).score == 0.0);
}

TEST_CASE("math: what cannot be told apart is not judged") {
  const auto part = judged("2^{\\frac{1}{2^{1000}}}", "1");
  CHECK_FALSE(part.score);
  CHECK(part.reason == "too close to tell apart with 512 bits (whole)");
}

TEST_CASE("math: a gold that meets no limit judges every answer") {
  std::string items = "1";
  std::string ones = "1";
  std::string intervals = "(0,1)";
  for (int i = 2; i <= 65; ++i)
    items += ", " + std::to_string(i), ones += ", " + std::to_string(i + 100);
  for (int i = 2; i <= 300; ++i)
    intervals += "\\cup(" + std::to_string(2 * i) + "," + std::to_string(2 * i + 1) + ")";
  CHECK(judged("42", items).score == 0.0);
  CHECK(judged("1, 2", items).score == 0.0);
  CHECK(judged("42", "42+e^{-1000}").score == 0.0);
  CHECK(judged("(0,1)\\cup(2,3)", intervals).score == 0.0);
  CHECK(judged("42", "\\sum_{i=1}^{1000}\\sum_{j=1}^{1000} ij").score == 0.0);
  CHECK(judged(items, items).score == 1.0);
  CHECK(judged(items, "1, 2").score == 0.0);
  CHECK_FALSE(judged(items, ones).score);
}

TEST_CASE("math: a gold without a value here is named beforehand") {
  const auto reward = make_reward("math");
  const auto problem = [&](const std::string& gold) {
    const Json row = {{"answer", gold}};
    return reward->gold_problem(row).value_or("none");
  };
  CHECK(problem("\\int_0^1 x dx").starts_with("'answer' holds an integral"));
  CHECK(problem("\\lim_{x\\to 0} \\frac{\\sin x}{x}").starts_with("'answer' holds a limit"));
  CHECK(problem("\\sum_{n=1}^{\\infty} 2^{-n}").starts_with("'answer' holds a sum"));
  CHECK(problem("\\sum_{k=1}^{3} \\sqrt{k}") == "none");
  CHECK(judged("\\sum_{k=1}^{3} \\sqrt{k}", "1+\\sqrt2+\\sqrt3").score == 1.0);
}

TEST_CASE("math: a percent sign behind the box counts where the gold has one") {
  for (const std::string sign : {"\\%", " percent", "$ \\%"}) {
    const auto text = "so $\\boxed{10}" + sign;
    CHECK(judged("10", text).score == 1.0);
    CHECK(judged("10\\%", text).score == 1.0);
    CHECK(judged("0.1", text).score == 0.0);
    CHECK(judged("11\\%", text).score == 0.0);
    CHECK(judged(text, "\\boxed{10}").score == 1.0);
    CHECK(judged(text, "\\boxed{10\\%}").score == 1.0);
  }
}

TEST_CASE("math: a gold that is no mathematics and no words is found beforehand") {
  const auto reward = make_reward("math");
  const auto problem = [&](const Json& row) { return reward->gold_problem(row).value_or("none"); };
  CHECK(problem({{"answer", "\\frac{1}{2}"}}) == "none");
  CHECK(problem({{"answer", "so 5 * 2 = 10\n#### 10"}}) == "none");
  CHECK(problem({{"answer", "Evelyn"}}) == "none");
  CHECK(problem({{"answer", 7}}) == "none");
  CHECK(problem({{"answer", ""}}) == "'answer': nothing there");
  CHECK(
      problem({{"answer", "\\frac{x}{"}}).starts_with("'answer' is neither mathematics nor words"));
  CHECK(problem({{"gold", "1"}}) == "'answer' is missing or not a text or number");
}

TEST_CASE("math: extraction takes the published places in their order") {
  CHECK(cut("It is 5.\n<answer> 3 </answer> \\boxed{4}") == "3");
  CHECK(cut("<answer>\\boxed{\\frac{1}{2}}</answer>") == "\\frac{1}{2}");
  CHECK(cut("\\boxed{1} is wrong. \\boxed{\\frac{a}{b}}") == "\\frac{a}{b}");
  CHECK(cut("\\fbox{7}") == "7");
  CHECK(cut("so $n = \\framebox{7}$") == "7");
  CHECK(cut("5 * 2 = 10\n#### 1,000\n") == "1,000");
  CHECK(cut("Final Answer: The final answer is $\\sqrt{2}$. I hope it is correct.") == "\\sqrt{2}");
  CHECK(cut("so $x=3$ and then it is 2/3.") == "2/3");
  CHECK(cut("so it is 2/3. Then $x=3$") == "x=3");
  CHECK(cut("so it is 2/3, or $x=3$") == "2/3 or x=3");
  CHECK(cut("the price is $10 for two, $20 for four") == "20");
  CHECK(cut("<think> \\boxed{1} </think> then \\boxed{2}") == "2");
  CHECK(cut("<think> \\boxed{1}").empty());
  CHECK(cut("done 5<|im_end|> 7") == "5");
  CHECK(cut("<|start|> <|assistant|>so 5<|im_end|> 7") == "5");
  CHECK(cut("since $0<|y|<5$ and $3<|x|>2$, \\boxed{7}") == "7");
  CHECK(cut("The answer is 42 or 43.") == "42 or 43");
  CHECK(cut("It is not 42.").empty());
  CHECK(cut("It is 41, not 42.") == "41");
  CHECK(cut("\\boxed{3").empty());
  CHECK(cut("nothing").empty());
  CHECK(cut("\\boxed{1} and \\boxed{2}") == "1, 2");
  CHECK(cut("A2 B3").empty());
}

TEST_CASE("math: extraction by one rule looks there alone") {
  using math::Extraction;
  const std::string text = "\\boxed{1}\n<answer>2</answer>\n#### 3\nThe answer is 4. Or 5";
  CHECK(cut(text, Extraction::Boxed) == "1");
  CHECK(cut(text, Extraction::AnswerTag) == "2");
  CHECK(cut(text, Extraction::Hash) == "3");
  CHECK(cut(text, Extraction::FinalAnswer) == "4");
  CHECK(cut(text, Extraction::Last) == "5");
  CHECK(cut("It is 5", Extraction::Boxed).empty());
}

TEST_CASE("math: a truncated completion counts only with a closed box or tag") {
  const Json row = {{"answer", "12"}};
  const auto score = [&](const std::string& text) {
    return Judged{.text = text, .row = row, .truncated = true}.by("math").score;
  };
  CHECK(score("it is 12") == 0.0);
  CHECK(score("\\boxed{12} and") == 1.0);
  CHECK(score("<answer>12</answer>") == 1.0);
}

TEST_CASE("math: an answer line, a choice and a code block are found by their rules") {
  using math::Extraction;
  CHECK(cut("so\n**Answer:** \\frac{1}{2}\nthat is it", Extraction::AnswerLine) == "\\frac{1}{2}");
  CHECK(cut("Answer: 3\nNo. ANSWER : 4", Extraction::AnswerLine) == "4");
  CHECK(cut("the answer 4", Extraction::AnswerLine).empty());
  CHECK(cut("The answer is (B) because A cat is no (C).", Extraction::Choice) == "B");
  CHECK(cut("Answer: A", Extraction::Choice) == "A");
  CHECK(cut("I think it is a cat, so (D)", Extraction::Choice) == "D");
  CHECK(cut("hence C.", Extraction::Choice) == "C");
  CHECK(cut("A cat", Extraction::Choice).empty());
  CHECK(cut("```python\nx = 1\n```\nthen\n```\nx = 2\n```", Extraction::CodeBlock) == "x = 2");
  CHECK(cut("```\nx = 1", Extraction::CodeBlock).empty());
}

TEST_CASE("math: places have the names of published prompts") {
  const auto by = [](const std::string& name, const std::string& text) {
    return Judged{text, {{"answer", "4"}}}.by("math", {{"extraction", name}}).score;
  };
  CHECK(by("hendrycks_math", "so $\\boxed{4}$") == 1.0);
  CHECK(by("qwen_math", "#### 4") == 0.0);
  CHECK(by("gsm8k", "2 + 2 = 4\n#### 4") == 1.0);
  CHECK(by("minerva", "Final Answer: The final answer is $4$. I hope it is correct.") == 1.0);
  CHECK(by("dapo", "Answer: \\boxed{4}") == 1.0);
  CHECK(by("simple_evals", "Answer: $4$") == 1.0);
  CHECK(by("open_reasoner_zero", "<answer> \\boxed{4} </answer>") == 1.0);
  CHECK(by("oat", "</think> <answer> 4 </answer>") == 1.0);
  CHECK(Judged{"Answer: (C)", {{"answer", "C"}}}.by("math", {{"extraction", "mmlu"}}).score == 1.0);
}

TEST_CASE("math: golds of MATH and GSM8K rewritten are judged by what they mean") {
  int right = 0;
  const auto rows = json_lines(golden_path("math_rewrites.jsonl"));
  for (const auto& row : rows) {
    INFO(row.dump());
    const auto part = Judged{row["prediction"], {{"answer", row["gold"]}}}.by("math");
    CHECK(part.score == row["expected"].get<double>());
    right += part.score == row["expected"].get<double>() ? 1 : 0;
  }
  CHECK(rows.size() > 400);
  CHECK(right >= 99 * static_cast<int>(rows.size()) / 100);
}
