// Answers in running text: what belongs to a number there, and which of several counts.
#include <ctime>

#include "rewards/math/extraction.h"
#include "rewards/math/formulas.h"
#include "tests/rewards/math_support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

using Row = std::pair<std::string, std::string>;

std::string cut(const std::string& text, math::Extraction rule = math::Extraction::Auto) {
  return math::extracted_answer(text, rule, false).text;
}

}  // namespace

TEST_CASE("math prose: a number is not cut out of what it is a part of") {
  for (const auto& [gold, text] :
       std::vector<Row>{{"2", "The answer is 2π."},
                        {"25", "So the area is 25π square units."},
                        {"25", "So the area is 25 pi."},
                        {"2", "The answer is 2√3."},
                        {"2", "The answer is sqrt(2)/2."},
                        {"3", "The answer is 3x + 5."},
                        {"3", "So it simplifies to x + 3."},
                        {"5", "The answer is x^5."},
                        {"3", "The answer is 3 + 5i."},
                        {"5", "The answer is 5 × 10^3."},
                        {"5", "The answer is 5·10³."},
                        {"10", "The answer is 10⁵."},
                        {"7", "So the probability is 3 / 7."},
                        {"3", "The answer is 3 / 7."},
                        {"3", "The answer is 3 1/2 cups."},
                        {"2", "So she needs 3 1/2 cups."},
                        {"5", "The answer is −5."},
                        {"5", "The answer is: - 5"},
                        {"3", "So x = - 3."},
                        {"5", "The answer is negative 5."},
                        {"6", "The answer is twice 6."},
                        {"6", "The answer is 6 more than 12."},
                        {"5", "The answer is 5 squared."},
                        {"5", "The answer is log 5."},
                        {"1", "The answer is (1, 2)."},
                        {"2", "The answer is [1, 2]."},
                        {"5", "The answer is x > 5."},
                        {"5", "The answer is ≥ 5."},
                        {"7", "So the ratio is 3 : 7."},
                        {"5", "The answer isn't 5."},
                        {"5", "The answer isn’t 5."},
                        {"6", "The answer is definitely not equal to 6."},
                        {"5", "The answer is anything but 5."},
                        {"12", "So we get y = x + 12."},
                        {"0.333", "It is 0.333..."},
                        {"2", "Figure A2 has it."},
                        {"5", "The answer is 5 × width."},
                        {"5", "The area is width * 5"},
                        {"3", "The solutions are x = 1, 2, 3."},
                        {"0", "The answer is x^2 - 5x = 0."},
                        {"5", "So 3 \\Rightarrow \\text{all of } x"},
                        {"5", "It is 5 thousand."}}) {
    INFO(gold << " and " << text);
    CHECK(completed(gold, text) == 0.0);
  }
}

TEST_CASE("math prose: a number is taken with all that belongs to it, and no more") {
  for (const auto& [gold, text] :
       std::vector<Row>{{"16\\pi", "Thus the area is 16π."},
                        {"2\\sqrt{3}", "The answer is 2√3."},
                        {"x+3", "So the expression simplifies to x + 3."},
                        {"y=2x+3", "The equation of the line is y = 2x + 3."},
                        {"\\frac37", "So the probability is 3 / 7."},
                        {"3\\frac12", "So she needs 3 1/2 cups."},
                        {"(1,2)", "The answer is (1, 2)."},
                        {"x>5", "The answer is x > 5."},
                        {"3:7", "So the ratio is 3:7."},
                        {"-5", "The answer is −5."},
                        {"-3", "So x = - 3."},
                        {"75\\%", "So the answer is 75 percent."},
                        {"2500000", "It costs 2.5 million dollars."},
                        {"12", "So 12 = x."},
                        {"7", "So the total is 4 + 3 = <<4+3=7>>7 apples."},
                        {"7", "There are **7** apples."},
                        {"18", "She makes $18/day"},
                        {"4", "He picks a book 52 / 13 = 4 times a year."},
                        {"3", "Items:\n- 2 pears\n- 3 apples"},
                        {"5", "It's 5."},
                        {"5", "So it is |-5|."},
                        {"10", "That is a 10-year plan."},
                        {"7", "<b>7</b>"},
                        {"7", "It is not zero so it is 7."},
                        {"(-5,-2] \\cup (-1,3]", "The answer is (-5,-2] \\cup (-1,3]."},
                        {"y^2 - 4x + 9 = 0", "The answer is y^2 - 4x + 9 = 0."},
                        {"1, i, -i", "The answer is 1,i,-i."},
                        {"\\begin{pmatrix} 1/3 \\\\ -1/6 \\end{pmatrix}",
                         "So it is \\begin{pmatrix} 1/3 \\\\ -1/6 \\end{pmatrix}."},
                        {"15", "She paid 5 x $3 = $15"},
                        {"\\log_2 5", "The answer is log_2(5)."},
                        {"120", "The answer is 5! = 120."},
                        {"1, 2, 3", "The solutions are x = 1, 2, 3."},
                        {"4", "Items:\n* 3 pears\n* 4 apples"},
                        {"\\pm 3", "So x=3 or x=-3."},
                        {"2+3i", "So z = 2 + 3i."},
                        {"10", "Therefore the area is 10 cm²."},
                        {"100", "It costs $100 (including tax)"},
                        {"\\frac{1}{2}", "The answer is \\frac{1}{2}."},
                        {"0", "So x = 0."},
                        {"2.74", "It costs 2,74 euros"}}) {
    INFO(gold << " and " << text);
    CHECK(completed(gold, text) == 1.0);
  }
}

TEST_CASE("math prose: what is offered beside an answer is a list") {
  for (const std::string text :
       {"The answer is x = 4 or x = 5.", "The answer is 4 and 5.", "Therefore, x = 4 or x = 5.",
        "The answer is 4, 5.", "Either x is 4 or x is 5", "Either x equals 4 or x equals 5",
        "<answer>Either x is 4 or x is 5</answer>", "The answer is 4 (or 5).",
        "The answer is 4, or it may also be 5.", "The solutions are 4 and 5.",
        "Thus $x = \\boxed{4}$ or $x = \\boxed{5}$.", "perhaps 4 or perhaps 5"}) {
    INFO(text);
    CHECK(completed("4", text) == 0.0);
    CHECK(completed("5", text) == 0.0);
  }
  CHECK(completed("1, 2, 3", "The answer is 1, 2, and 3.") == 1.0);
  CHECK(completed("1", "The answer is 1, 2, and 3.") == 0.0);
  CHECK(completed("4, 5", "Therefore, x = 4 or x = 5.") == 1.0);
  CHECK(completed("1, 2", "Thus $x = \\boxed{1}$ or $x = \\boxed{2}$.") == 1.0);
  CHECK(completed("\\frac34", "The answer is 3/4, or 0.75.") == 1.0);
  CHECK(completed("(2,5)", "So x > 2 and x < 5.") == 1.0);
}

TEST_CASE("math prose: money and remarks are no formulas and no answers") {
  CHECK(cut("The answer is $120 ($100 + $20).") == "120");
  CHECK(cut("She earns $18 ($9 x 2).") == "18");
  CHECK(cut("The final answer is 1/2 (or 0.5).") == "1/2 or 0.5");
  CHECK(cut("Final Answer: 26 (13 pairs of 2).") == "26");
  CHECK(cut("Final Answer: The total is 26, i.e. 13 pairs.") == "26");
  CHECK(cut("Final Answer: The largest $n$ is 34.") == "34");
  CHECK(cut("The total cost is $6 + $12 = $18.") == "18");
  CHECK(math::formulas_of("$120 ($100 + $20)").empty());
  CHECK(math::formulas_of("so $5$ and $(1,2]$ and \\(x\\)").size() == 3);
}

TEST_CASE("math prose: a final answer may be words, and an answer line the next one") {
  using math::Extraction;
  CHECK(cut("Final answer: Yes") == "Yes");
  CHECK(cut("We need the final answer in meters. So it is 5") == "5");
  CHECK(cut("Answer:\n7", Extraction::AnswerLine) == "7");
  CHECK(cut("Answer: The value is $7$", Extraction::AnswerLine) == "7");
  CHECK(cut("Answer: 7 or 8", Extraction::AnswerLine) == "7 or 8");
}

TEST_CASE("math: a gold that cannot be read is not judged by a part of it") {
  for (const std::string gold :
       {"\\frac{1}{2} \\text{ if } n \\text{ is even}, 0 \\text{ if } n \\text{ is odd}",
        "y = 3 \\text{ when } x = 2", "(1\\ 2\\ 3)(4\\ 5)", "2\\text{ cats }30\\text{ dogs}"}) {
    INFO(gold);
    const Json row = {{"answer", gold}};
    CHECK(make_reward("math")->gold_problem(row));
    for (const std::string answer : {"0", "2", "5", "30", "0.333", "1/2"})
      CHECK_FALSE(Judged{.text = answer, .row = row, .bare = true}.by("math").score);
  }
  CHECK(completed("2 hours 30 minutes", "30") == 0.0);
  CHECK(completed("12 out of 25", "12") == 0.0);
  CHECK(completed("about 5 apples", "5") == 1.0);
  CHECK(completed("The answer is 18 dollars per day.", "\\boxed{18}") == 1.0);
}

TEST_CASE("math prose: openings without an end cost no more than their bytes") {
  for (const std::string open :
       {"\\(", "\\[", "$$", "$ a b c word word ", "\\boxed{", "(", "1(", "=1(x", "\\begin",
        "\\begin{", "\\frac{", "- ", "<b", "1 or ", "1|", "\xE2\x80\x99", "x,"}) {
    std::string text;
    while (text.size() < (1U << 19))
      text += open;
    text += " \\) \\] $ } )";
    INFO(open);
    const auto start = std::clock();
    cut(text);
    CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 0.5);
  }
  // close enough to be a formula, and none: each looked at once
  std::string text;
  while (text.size() < (1U << 20)) {
    for (int i = 0; i < 1900; ++i)
      text += "\\(";
    text += " word word \\)";
  }
  const auto start = std::clock();
  CHECK(math::formulas_of(text).empty());
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 0.5);
}

TEST_CASE("math prose: the line of a final answer goes on to the end of its formula") {
  for (const std::string text :
       {"### Final Answer\n$$\n\\frac{1}{2}\n$$", "Final Answer:\n\n$$\n\\frac{1}{2}\n$$\n",
        "The answer is \\(\n\\frac{1}{2}\n\\).", "The final answer is \\[\n\\frac{1}{2}.\n\\]",
        "The answer is:\n\\begin{align*}\n\\frac{1}{2}\n\\end{align*}",
        "Each costs \\$3. The answer is $$\\frac{1}{2}$$.\n\nIt took 5 steps."}) {
    INFO(text);
    CHECK(completed("\\frac{1}{2}", text) == 1.0);
    CHECK(completed("\\frac{1}{3}", text) == 0.0);
  }
  CHECK(completed("\\begin{pmatrix}1\\\\2\\end{pmatrix}",
                  "The answer is \\(\\begin{pmatrix}1 \\\\[4pt]\n2\\end{pmatrix}\\).") == 1.0);
}

TEST_CASE("math prose: a step before a value is no item beside it") {
  CHECK(completed("2", "Thus, $k-1=1,$ and $k=2.$") == 1.0);
  CHECK(completed("120", "so $360 + 2x = 600$, or $x = 120$.") == 1.0);
  CHECK(completed("2", "Thus $k=1$ or $k=2$") == 0.0);
  CHECK(completed("(1,2)", "Thus $x=1$ and $y=2$") == 1.0);
  CHECK(completed("x-2y=0, x+2y=0", "They are $x-2y=0$ and $x+2y=0$.") == 1.0);
}

TEST_CASE("math prose: what a remainder is of is no answer") {
  CHECK(completed("10", "The remainder is $10$ when divided by $13$.") == 1.0);
  CHECK(completed("10", "So the remainder is 10 when divided by 13.") == 1.0);
  CHECK(completed("13", "So the remainder is 10 when divided by 13.") == 0.0);
  CHECK(completed("10", "The remainder when 23 is divided by 13 is 10.") == 1.0);
  CHECK(completed("10", "10 divided by 13") == 0.0);
}

TEST_CASE("math prose: the sign that ends a proof is no answer") {
  for (const std::string sign : {"\\blacksquare", "\\square", " \\qed ", "\\checkmark"})
    CHECK(completed("24", "Hence $n = 24$. $" + sign + "$") == 1.0);
  CHECK(judged("\\square", "$\\square$") == 1.0);
  CHECK(judged("\\square", "The sign is $\\square$") == 1.0);
}

TEST_CASE("math prose: a word in quotation marks is no product of letters") {
  CHECK(judged("\"abc\"", "\"abc\"") == 1.0);
  CHECK(judged("\"abc\"", "cba") == 0.0);
}

TEST_CASE("math prose: a negation that ends before a verb denies no number") {
  CHECK(completed("24", "The apples that are not rotten are 80 - 56 = 24") == 1.0);
  CHECK(completed("24", "The number of those that were not sold is 80 - 56 = 24.") == 1.0);
  CHECK(completed("24", "It is not 24") == 0.0);
  CHECK(completed("24", "so it cannot be 24") == 0.0);
}
