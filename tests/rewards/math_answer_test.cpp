// Which answer of a completion counts: names, answers taken back, words and units.
#include "rewards/math/extraction.h"
#include "tests/rewards/math_support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

using Row = std::pair<std::string, std::string>;

void check(const std::vector<Row>& rows, double expected) {
  for (const auto& [gold, text] : rows) {
    INFO(gold << " and " << text);
    CHECK(completed(gold, text) == expected);
  }
}

}  // namespace

TEST_CASE("math answer: values go by their names") {
  check({{"(2,3)", "So x = 3 and y = 2."},
         {"(1,2)", "The answer is x = 2 and y = 1."},
         {"(2,3)", "**x = 3** and **y = 2**"},
         {"(1,2)", "Thus $x = 2$ and $y = 1$."},
         {"(1,2)", "Thus x = $2$ and y = $1$."},
         {"(1,2)", "Final answer: x = 2, y = 1"},
         {"(1,2)", "So the solution is:\n\n* x = 2\n* y = 1"},
         {"(2,3)", "x = \\boxed{3}, y = \\boxed{2}"},
         {"a=1, b=2", "a = 2 and b = 1"},
         {"3", "x = \\boxed{2}, y = \\boxed{3}"}},
        0.0);
  check({{"(2,3)", "So x = 2 and y = 3."},
         {"(1,2)", "The answer is x = 1 and y = 2."},
         {"(2,3)", "**x = 2** and **y = 3**"},
         {"(1,2)", "So, x = 1, y = 2."},
         {"(1,2)", "Answer: x = 1, y = 2"},
         {"(1,2)", "x = 1; y = 2"},
         {"(1,2)", "x = 1\ny = 2"},
         {"(1,2)", "So the solution is:\n- x = 1\n- y = 2"},
         {"(1,2)", "<answer>x = 1, y = 2</answer>"},
         {"(1,2)", "Thus x = $1$ and y = $2$."},
         {"(1,2,3)", "Thus $a = 1$, $b = 2$, $c = 3$."},
         {"(2,3)", "x = \\boxed{2}, y = \\boxed{3}"},
         {"(2,3)", "$x = \\boxed{2}$ and $y = \\boxed{3}$"},
         {"a=1, b=2", "a = 1 and b = 2"}},
        1.0);
}

TEST_CASE("math answer: the steps of a calculation are no list of names") {
  check({{"12", "l = 4, w = 3\nA = 12"},
         {"12", "l = 4\nw = 3\nA = 12"},
         {"5", "x = 2\ny = 3\nx + y = 5"},
         {"5", "So m = 2 and n = 3, so m + n = 5"},
         {"1,2", "x_1 = 1 and x_2 = 2"},
         {"1,2", "x = 1 or x = 2"}},
        1.0);
}

TEST_CASE("math answer: one that is taken back is none") {
  check({{"6", "The answer is 6. Actually the correct value is 5."},
         {"6", "I think the answer is 6. But checking, it's really 7."},
         {"6", "The answer is 6 - wait, it should be 7. So 7."},
         {"6", "\\boxed{6} — oops, that should be 7."},
         {"6", "\\boxed{6}. On second thought, the answer is 7."},
         {"6", "The answer is 6. Hmm, wait: the answer should be 5."},
         {"6", "The answer is 6. Sorry, I meant 60."},
         {"6", "The answer is 6 (actually 7)."},
         {"6", "The answer is 6. Correction: -6."},
         {"5", "\\boxed{5} is wrong"},
         {"5", "The answer is 5. That is wrong."},
         {"5", "The answer is 5, which is incorrect."},
         {"5", "The answer is 5. This is not right."},
         {"5", "So 5 is wrong."}},
        0.0);
  CHECK(completed("5", "The answer is 6. Hmm, wait: the answer should be 5.") == 1.0);
}

TEST_CASE("math answer: words of doubt that lead to no other number take nothing back") {
  check({{"6", "I thought 5, but wait: actually it is 7. No, it should be 8. The answer is 6."},
         {"6", "The answer is 6. Wait, let me check: 2 * 3 = 6. Yes, it should be 6."},
         {"6", "\\boxed{6}. So the correct answer is 6 cm."},
         {"6", "\\boxed{6}. Option 3 is wrong, since it is actually 4 times too big."},
         {"6", "\\boxed{6}, and this is correct: 2 * 3 = 6."},
         {"6", "The answer is 6 (correct to 2 decimals)."},
         {"6", "The answer is 6, as 5 is wrong."},
         {"6", "\\boxed{6}. Actually, this generalises to 7 points."},
         {"6", "\\boxed{6}. This is right."},
         {"6", "The answer is 6. The answer should be even."},
         {"6", "Wait, 2 * 3 is 6"},
         {"\\frac12", "\\boxed{\\frac{1}{2}}. So the correct answer is 1/2."}},
        1.0);
}

TEST_CASE("math answer: a unit with a power is no number") {
  for (const std::string text :
       {"The volume is 12 cm^3.", "A = 12 ft^2", "**Answer:** 12 cm^2", "The area is **12 cm^2**",
        "<answer>The area is 12 cm^2</answer>", "The density is 12 g/cm^3.", "It is 12 kg/m^3",
        "It is 12 units^2.", "The area is 12 cm**2", "A = 3*4 = 12 in^2", "$A = 12$ cm^2",
        "$A = 12$ $cm^2$", "It is 12 cm²", "It is 12 widgets^2", "The answer is 12 ft^{2}."}) {
    INFO(text);
    CHECK(completed("12", text) == 1.0);
    CHECK(completed("2", text) == 0.0);
  }
  check({{"12", "It is 12 x^2"}, {"12", "The answer is 12 ab^2."}}, 0.0);
  CHECK(completed("12x^2", "It is 12 x^2") == 1.0);
}

TEST_CASE("math answer: words may be set off by marks") {
  for (const std::string text :
       {"The answer is **Friday**.", "The final answer is **Friday**.", "**The answer is Friday.**",
        "The answer is: *friday*", "The answer is \"Friday\".", "The answer is “Friday”.",
        "The answer is Friday!", "Answer: Friday", "**Answer: Friday**", "**Answer:** Friday",
        "There are 5 days.\nAnswer: Friday", "The answer is a Friday.", "Final Answer: **Friday**",
        "The correct answer is **Friday**"}) {
    INFO(text);
    CHECK(completed("\\text{Friday}", text) == 1.0);
    CHECK(completed("\\text{Monday}", text) == 0.0);
  }
  check({{"\\text{Yes}", "2 + 3 = 5.\nAnswer: Yes"},
         {"7", "Answer: Let's think step by step.\nIt is 3 + 4 = 7"},
         {"7", "Answer: the sum is 3 + 4 = 7"}},
        1.0);
}

TEST_CASE("math answer: the half of the day belongs to a time") {
  const auto cut = [](const std::string& text) {
    return math::extracted_answer(text, math::Extraction::Auto, false).text;
  };
  CHECK(cut("The train arrives at 3:30 a.m.") == "3:30 a.m.");
  CHECK(cut("The answer is 3:30 p.m. on Friday.") == "3:30 p.m");
  CHECK(cut("It starts at 8 PM and lasts long") == "8 PM");
  CHECK(cut("It takes 8 ampere") == "8");
  check({{"3:30 \\text{ p.m.}", "The train arrives at 3:30 a.m."},
         {"2:00 PM", "The answer is 2:00 a.m."}},
        0.0);
}

TEST_CASE("math answer: where a value is taken is not the value") {
  check({{"12", "The minimum value is 12 when x = 3."},
         {"5", "Hence the minimum value is 5, attained at $x=2$."},
         {"5", "Hence the minimum is $5$, attained when $x = 2$."},
         {"12", "The maximum of $f$ is $12$ for $x = 3$"},
         {"-7", "The minimum is -7 at x = 1."},
         {"12", "Maximum: 12 at x = 3"},
         {"3", "It holds for x = 3"},
         {"3", "The minimum is where 2x - 6 = 0, at x = 3"},
         {"3", "We have 2x = 6, so x = 3"}},
        1.0);
  CHECK(completed("3", "The minimum value is 12 when x = 3.") == 0.0);
}

TEST_CASE("math answer: a list's dash, a quotation and a word for a sign") {
  check({{"5", "Final answer:\n- 5"},
         {"5", "The answer is:\n\n- 5"},
         {"-5", "The answer is: - 5"},
         {"-5", "Final answer:\n-5"},
         {"12", "> **12**"},
         {"-7", "the answer is negative 7"},
         {"-7", "So we get negative $7$"}},
        1.0);
  check(
      {{"7", "the answer is negative 7"}, {"-7", "half of negative 7"}, {"-7", "8 and negative 7"}},
      0.0);
}

TEST_CASE(
    "math answer: a number that is all of an answer line stands whatever is explained below") {
  check({{"42", "Answer: 42\n\nExplanation: we used 3 facts."},
         {"42", "**Answer:** $42$\n\n**Explanation:** 3 is odd, and so is 5."},
         {"42", "Answer: 42.\nWe used 3 facts."},
         {"42", "Answer: 42 km/h\n\nWe used 3 facts."},
         {"42", "The answer: $42$. We used 3 facts."},
         {"\\frac12", "Answer: \\frac{1}{2}\n\nCheck: 2 * 1/2 = 1."},
         {"5", "### Answer\n\n$x = 5$\n\n### Check\n\n2 * 5 = 10"},
         {"(3,4)", "**Answer**\n(3, 4)\n\nCheck: 3 + 4 = 7"},
         {"12", "Answer: First 3 + 4 = 7. Then 7 + 5 = 12."},
         {"12", "Answer: 3 * 4\n= 12"},
         {"12", "Answer: 3 * 2 = 6. Then 6 + 6 = 12."},
         {"17", "Answer: 34 apples\n34/2 = 17"},
         {"12", "Answer: 3 boys, 4 girls.\nSo 3 * 4 = 12"},
         {"7", "Answer: 42\n\nNo wait, it should be 7."},
         {"7", "Answer: $42$\n\nQuestion: 3 + 4?\n\nAnswer: 7"},
         {"12", "the answer\n3 boys\n\n3 * 4 = 12"}},
        1.0);
  check({{"42", "Answer: 42\n\nNo wait, it should be 7."},
         {"42", "Answer: 42 dozen\n\nWe used 3 facts."},
         {"42", "Answer: not 42\n\nWe used 3 facts."},
         {"42", "Answer: 42 or 43\n\nWe used 3 facts."},
         {"42", "Answer: x > 42\n\nWe used 3 facts."}},
        0.0);
}

TEST_CASE("math answer: a list, work and guesses below an answer line go on") {
  check({{"72", "Answer:\n\n1. April: 48\n2. May: 24\n3. Total: 72"},
         {"72", "### Answer\n\n1. April: 48\n2. May: 24\n3. Total: 72"},
         {"72", "**Answer:**\n\n1. April: 48\n2. May: 24\n3. Total: 72"},
         {"72", "Answer:\n**1.** April: 48\n**2.** May: 24\n**3.** Total: 72"},
         {"72", "Answer:\n1) April: 48\n2) May: 24\n3) Total: 72"},
         {"72", "Answer: 1. Add 48 and 24.\n2. Total: 72"},
         {"7", "Answer: 3 cats.\n\nAnd 4 dogs make 7 animals."},
         {"72", "Answer: 48 clips in April.\n24 in May.\n48+24=72"},
         {"72", "### Answer\n\n$a = 48$\n\n$b = 24$\n\n$a + b = 72$"},
         {"72", "Answer:\n$48/2$\n\n$72$"},
         {"72", "Answer: $x$.\n\nwe have x = 72"},
         {"7", "Answer: 100%.\n\nThe number is 7."},
         {"7", "Wrong answer: 42\n\nThe right one: 7"},
         {"7", "My first answer: 42.\n\nAfter checking it: 7"},
         {"7", "Guess an answer: 42\n\nCheck: so 3+4=7"},
         {"42", "Answer: 42 eggs\n\nCheck: 7"},
         {"42", "Answer: **42**\n\nCheck: 7"},
         {"42", "**Answer: 42**\n\nCheck: 7"}},
        1.0);
  check({{"1", "Answer: 1. Check 48 and 24.\n2. Total: 72"},
         {"1", "Answer:\n\n1. April: 48\n2. May: 24\n3. Total: 72"},
         {"42", "Guess an answer: 42\n\nCheck: so 3+4=7"},
         {"5", "Answer: 5 less\n\nq 1"},
         {"5", "Answer: 5 less\n\nCheck: q 1"},
         {"5", "Answer: 5 fewer\n\nCheck: q 1"},
         {"5", "Answer: 5 isn't\n\nCheck: q 1"},
         {"5", "Answer: 5 no\n\nCheck: q 1"},
         {"5", "Answer: 5 sqrt\n\nCheck: q 1"},
         {"5", "Answer: 5 or so\n\nCheck: q 1"},
         {"5", "Answer: 5 times as many\n\nCheck: q 1"},
         {"5", "Answer: 5 pairs\n\nq 1"},
         {"5", "Answer: $5$!\n\nCheck: q 1"},
         {"42", "Answer: 42 per dozen\n\nCheck: used 3"},
         {"42", "Answer: 42?\n\nNo: 7"},
         {"42", "Answer: 42?\n\nCheck: 7"}},
        0.0);
}

TEST_CASE("math answer: a step is an equation in one unknown that the value behind it solves") {
  check(
      {
          {R"(x-2y=0, y=0)", R"(the asymptotes are $x-2y=0$ and $y=0$.)"},
          {R"(3x+4y=25, x=3)", R"(They are $3x+4y=25$ and $x=3$.)"},
          {R"(2x+y=3, y=1)", R"(They are $2x+y=3$ and $y=1$.)"},
          {R"(x^2+y^2=1, x=0)", R"(They are $x^2+y^2=1$ and $x=0$.)"},
          {R"(2)", R"(so $2x=4$ and $x=2$)"},
      },
      1.0);
  check(
      {
          {R"(2)", R"(so $x^2=9$ or $x=2$)"},
          {R"(2)", R"(so $x-3=0$ or $x=2$)"},
          {R"(2)", R"(so $2x=6$ and $x=2$)"},
          {R"(2)", R"(so $x - 3 = 0$ and $y=2$)"},
          {R"(2)", R"(so $x+y=7$ and $x=2$)"},
      },
      0.0);
}

TEST_CASE("math answer: a verb frees a number from a negation of others alone") {
  check(
      {
          {R"(24)", R"(Those not sold were $24$.)"},
          {R"(24)", R"(The apples that are not rotten are 24)"},
          {R"(24)", R"(those that weren't sold are 24)"},
      },
      1.0);
  check(
      {
          {R"(42)", R"(it never equals 42)"},
          {R"(42)", R"(It never was 42)"},
          {R"(42)", R"(x not equals 42)"},
          {R"(42)", R"(The total not equals 42.)"},
          {R"(24)", R"(The answer not is 24)"},
          {R"(24)", R"(never is 24)"},
          {R"(24)", R"(Neither is 24)"},
          {R"(24)", R"(the answer that is not right is 24)"},
          {R"(24)", R"(What it is not is 24)"},
          {R"(24)", R"(It never really was 24)"},
      },
      0.0);
}

TEST_CASE("math answer: what is divided is an answer beside a remainder alone") {
  check(
      {
          {R"(10)", R"(leaves a remainder of 10 when divided by 13)"},
      },
      1.0);
  check(
      {
          {R"(20)", R"(We get 20 when divided by 4.)"},
          {R"(20)", R"(It equals 20 on division by 4)"},
          {R"(20)", R"($20$ when divided by $4$)"},
      },
      0.0);
}
