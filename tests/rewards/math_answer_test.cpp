// Which answer of a completion counts: names, answers taken back, words and units.
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

using Row = std::pair<std::string, std::string>;

std::optional<double> score(const std::string& gold, const std::string& text) {
  return Judged{.text = text, .row = {{"answer", gold}}}.by("math").score;
}

void check(const std::vector<Row>& rows, double expected) {
  for (const auto& [gold, text] : rows) {
    INFO(gold << " and " << text);
    CHECK(score(gold, text) == expected);
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
