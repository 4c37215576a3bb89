// Golds that are a letter of a choice, and the place `choice`.
#include "rewards/math/extraction.h"
#include "tests/rewards/math_support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::string cut(const std::string& text) {
  return math::extracted_answer(text, math::Extraction::Choice, false).text;
}

}  // namespace

TEST_CASE("math choice: what a letter labels does not count") {
  for (const std::string text :
       {"\\boxed{\\textbf{(B)}\\ 12}", "(B)\\ 12", "B. 12", "B) 12", "B: 12", "(\\text{B})",
        "<answer>B. 12</answer>", "**Answer: B**", "The correct answer is (B) 12.",
        "The answer is **B**.", "<answer>Option B</answer>", "The answer is B) 12", "#### B. 12",
        "Option B is correct because D is false.", "\\boxed{B}", "B"}) {
    INFO(text);
    for (const std::string gold : {"B", "(B)", "\\text{(B)}"})
      CHECK(completed(gold, text) == 1.0);
    CHECK(completed("A", text) == 0.0);
    CHECK(completed("D", text) == 0.0);
    CHECK(completed("12", "\\boxed{12}") == 1.0);
  }
}

TEST_CASE("math choice: a letter counts in the place asked for alone") {
  const auto by = [](const std::string& rule, const std::string& text) {
    return Judged{.text = text, .row = {{"answer", "B"}}}.by("math", {{"extraction", rule}}).score;
  };
  CHECK(by("boxed", "The answer is B.") == 0.0);
  CHECK(by("answer_tag", "\\boxed{B}") == 0.0);
  CHECK(by("hash", "\\boxed{B}\n#### A") == 0.0);
  CHECK(by("boxed", "\\boxed{(B) 12}") == 1.0);
  CHECK(by("answer_tag", "<answer>B. 12</answer>") == 1.0);
  CHECK(by("dapo", "Answer: B. 12") == 1.0);
  CHECK(by("minerva", "The final answer is B. I hope so.") == 1.0);
  CHECK(by("code_block", "A\n```\nB\n```") == 1.0);
  CHECK(completed("B", "so \\boxed{B") == 0.0);
  CHECK(completed("B", "<think> B") == 0.0);
  CHECK(completed("B", "<think> \\boxed{B} </think> \\boxed{A}") == 0.0);
}

TEST_CASE("math choice: several letters are none") {
  for (const std::string text : {"The answer is A or B", "\\boxed{A, B}", "<answer>A or B</answer>",
                                 "\\boxed{(A) and (B)}", "The answer is (A) 3 or (B) 4", "A/B"}) {
    INFO(text);
    CHECK(completed("A", text) == 0.0);
    CHECK(completed("B", text) == 0.0);
  }
  CHECK(completed("C", "The answer is not B but C") == 1.0);
  CHECK(completed("B", "The answer is not B but C") == 0.0);
  CHECK(completed("B", "(A) is 3, (B) is 4. The answer is 5.") == 0.0);
}

TEST_CASE("math choice: letters in a row, listed or denied are none") {
  for (const std::string text : {"\\boxed{(B) (C)}",
                                 "\\boxed{(B)(C)(D)}",
                                 "\\boxed{(B); (C)}",
                                 "\\boxed{(B)\\quad(C)}",
                                 "\\boxed{\\text{(B)}\\text{(C)}}",
                                 "\\boxed{(B) C}",
                                 "<answer>(B) (C)</answer>",
                                 "#### (B) (C) (D)",
                                 "The answer is (B) (C) (D)",
                                 "The answer is B C D E",
                                 "Answer: (B) (C)",
                                 "\\boxed{\\frac{B}{2}}",
                                 "\\boxed{\\sqrt{B}}",
                                 "\\boxed{\\overline{B}}",
                                 "Options: (A) 3 (B) 4. I choose neither (A) nor (B).",
                                 "It can't be (B).",
                                 "All except (B)",
                                 "(A) 1 (B) 2",
                                 "(A) red (B) blue",
                                 "It can't be B.",
                                 "\\boxed{B} is wrong."}) {
    INFO(text);
    CHECK(completed("(B)", text) == 0.0);
  }
  for (const std::string text :
       {"\\boxed{\\mathbf{(B)}}", "\\boxed{\\left(\\text{B}\\right)}",
        "The answer is B (A is wrong).", "The answer is B (B).", "It is (B), not (A).",
        "It can't be (A). So it is (B).", "(A) is wrong, (B) is right",
        "The correct option is B: 4", "(A) 3 (C) 4. So (B)", "The answer is \\(B\\).",
        "\\boxed{B}\\quad", "\\boxed{B}. It should be 12."}) {
    INFO(text);
    CHECK(completed("(B)", text) == 1.0);
  }
}

TEST_CASE("math choice: the place knows tags, compounds and denials") {
  CHECK(cut("<think>x</think> <answer>C</answer>") == "C");
  CHECK(cut("The answer is not B but C") == "C");
  CHECK(cut("The answer is A or B").empty());
  CHECK(cut("The answer choices are A, B, C, D. I pick C.") == "C");
  CHECK(cut("Answer choice analysis: A is wrong, B is wrong. So \\boxed{\\text{C}}.") == "C");
  CHECK(cut("Answers vary; the correct one is C.") == "C");
  CHECK(cut("Answer: I believe it is C") == "C");
  CHECK(cut("B) 12") == "B");
}
