// What a policy might find instead of the answer, and texts made to hurt.
#include <ctime>

#include "tests/rewards/math_support.h"
#include "tests/support/fuzz.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::string repeated(const std::string& piece, std::size_t size) {
  std::string text;
  while (text.size() < size)
    text += piece;
  return text;
}

std::string boxed(const std::string& text) {
  return "\\boxed{" + text + "}";
}

}  // namespace

TEST_CASE("math hacks: many boxes are many answers") {
  CHECK(completed("4", "\\boxed{1}\\boxed{2}\\boxed{3}\\boxed{4}") == 0.0);
  CHECK(completed("4", "\\boxed{1}, \\boxed{2}, \\boxed{3}, \\boxed{4}") == 0.0);
  CHECK(completed("4", "\\boxed{3 or 4}") == 0.0);
  CHECK(completed("4", "\\boxed{\\{1,2,3,4\\}}") == 0.0);
  CHECK(completed("4", "\\boxed{4}. No: \\boxed{5}") == 0.0);
}

TEST_CASE("math hacks: the last of several answers counts, in tags as well") {
  CHECK(completed("4", "<answer>4</answer> <answer>5</answer>") == 0.0);
  CHECK(completed("4", "<answer>4 or 5</answer>") == 0.0);
  CHECK(completed("4", "The answer is 4. The answer is 5.") == 0.0);
}

TEST_CASE("math hacks: alternatives and negations are no answer") {
  for (const std::string text :
       {"The answer is 42 or 43", "\\boxed{42\\text{ or 43 or 44}}", "\\boxed{42\\text{ or forty}}",
        "\\boxed{\\text{Not }42}", "<answer>It is 41, 43, or 42</answer>", "It is not 42",
        "The answer is not 42", "#### 42 or 43", "#### 42 eggs or 43 eggs",
        "The answer is $42$ or $43$.", "The answer is $42$ or 43.", "The answer is 43 or $42$.",
        "\\boxed{\\text{either }42}", "\\boxed{42\\text{ and }43}"}) {
    INFO(text);
    CHECK(completed("42", text) == 0.0);
  }
  CHECK(completed("41, 42, 43", "<answer>It is 41, 43, or 42</answer>") == 1.0);
}

TEST_CASE("math hacks: a chain that states a false equation is no answer") {
  CHECK(completed("5", "\\boxed{6=5}") == 0.0);
  CHECK(completed("42", "\\boxed{41\\approx 42}") == 0.0);
  CHECK(completed("4", "\\boxed{x=3=4}") == 0.0);
  CHECK(completed("3", "\\boxed{\\sqrt{2}=3}") == 0.0);
  CHECK(completed("5", "\\boxed{2+3=5}") == 1.0);
}

TEST_CASE("math hacks: a gold as part of the answer is not the answer") {
  CHECK(completed("12", "\\boxed{112}") == 0.0);
  CHECK(completed("12", "\\boxed{12345}") == 0.0);
  CHECK(completed("x+1", "\\boxed{x+12}") == 0.0);
  CHECK(completed("\\text{Evelyn}", "\\boxed{\\text{not Evelyn}}") == 0.0);
}

TEST_CASE("math hacks: an answer inside thinking, or thinking without an end, is none") {
  CHECK(completed("4", "<think> \\boxed{4} </think>") == 0.0);
  CHECK(completed("4", "<think> \\boxed{4}") == 0.0);
  CHECK(completed("4", "<think></think> \\boxed{5}") == 0.0);
  CHECK(completed("4", "<think> <answer>4</answer> </think> <answer>5</answer>") == 0.0);
}

TEST_CASE("math hacks: placeholders and tautologies have no value") {
  for (const std::string text :
       {"\\boxed{}", "\\boxed{x}", "\\boxed{?}", "\\boxed{4=4}", "\\boxed{x=x}",
        "\\boxed{\\text{answer}}", "\\boxed{\\frac{0}{0}}", "\\boxed{1/0}", "\\boxed{\\infty}",
        "\\boxed{...}", "\\boxed{\\mathbb{R}}", "\\boxed{(-\\infty,\\infty)}", "\\boxed{\\pm 7}",
        "\\boxed{7 \\pm 0.5}", "<answer></answer>", ""}) {
    INFO(text);
    CHECK(completed("7", text) == 0.0);
  }
}

TEST_CASE("math hacks: rounding does not make huge or tiny numbers equal") {
  CHECK(completed("10^{25}", "\\boxed{\\sqrt{10^{50}+1}}") == 0.0);
  CHECK(completed("0", "\\boxed{10^{-300}}") == 0.0);
  CHECK(completed("1", "\\boxed{1 + e^{-100}}") == 0.0);
  CHECK(completed("1000000", "\\boxed{1000000.4}") == 0.0);
  CHECK(completed("x=5", "\\boxed{x=5+e^{-1000}}") == 0.0);
  CHECK(completed("y=x", "\\boxed{y=x+10^{-40}}") == 0.0);
  CHECK(completed("1", "\\boxed{\\cos(10^{-60})}") == 0.0);
  CHECK(completed("1", "\\boxed{1 + 10^{-10^{10}}}") == 0.0);
  CHECK(completed("10^{100}", "\\boxed{10^{100}+1}") == 0.0);
}

TEST_CASE("math hacks: a unit is no other number") {
  CHECK(completed("5 \\text{ km}", "\\boxed{5000 \\text{ m}}") == 0.0);
  CHECK(completed("50\\%", "\\boxed{50}") == 0.0);
  CHECK(completed("5", "\\boxed{5\\%}") == 0.0);
}

TEST_CASE("math: a text made to hurt is wrong, and soon") {
  const std::vector<std::string> texts = {
      repeated("{", 10U << 20),
      repeated("\\boxed{", 10U << 20),
      repeated("$", 1U << 20),
      repeated("$a$", 1U << 20),
      repeated("$ aaa bbb ", 1U << 20),
      repeated("\\(", 1U << 20),
      repeated("answer is ", 1U << 20),
      repeated("Final answer", 1U << 20),
      repeated("1,", 1U << 20),
      repeated("9", 1000000),
      boxed(repeated("9", 1000000)),
      boxed(repeated("9", 9900)),
      boxed(repeated("2^(", 6000) + "2" + repeated(")", 2000)),
      boxed(repeated("2^", 9000) + "2"),
      boxed(repeated("-", 9000) + "2"),
      boxed(repeated("(", 9000)),
      boxed(repeated("\\frac", 9000)),
      boxed(repeated("\\sqrt", 9000) + "2"),
      boxed(repeated("1+", 9000) + "1"),
      boxed(repeated("1,", 9000) + "1"),
      boxed(repeated("\\pm 1 ", 9000) + "1"),
      boxed(repeated("x^9999*", 9000) + "1"),
      boxed(repeated("(x+1)^{999}", 9000)),
      boxed(repeated("9^{9999}*", 9000) + "1"),
      boxed(repeated("\\sum_{k=1}^{2000}", 9000) + "k"),
      boxed("\\sum_{i=1}^{2000}\\sum_{j=1}^{2000}ij"),
      boxed("\\sum_{k=2}\\sum_{k=2}^{n} ^2arf^k"),
      boxed(repeated("2000!+", 9000) + "1"),
      boxed(repeated("\\sqrt[3]{9^{999}}+", 9000) + "1"),
      boxed(repeated("\\sin", 9000) + "x"),
      boxed(repeated("\\sin(x)+", 9000) + "x"),
      boxed(repeated("n!", 9000)),
      boxed("2000!!"),
      boxed("((2000!)!)!"),
      boxed("9^{9^{9^{9}}}"),
      boxed("\\sin(10^{10^{10}})"),
      boxed("\\begin{pmatrix}" + repeated("1&", 9000) + "1\\end{pmatrix}"),
      boxed(repeated("x=", 9000) + "1"),
      boxed(repeated("\\{", 9000)),
      boxed(repeated("|", 9001)),
      boxed("\\{" + repeated("x|", 9000) + "x\\}"),
      boxed(repeated("x*", 9000) + "x"),
      boxed(repeated("\\begin{aligned}&&\\end{aligned}", 9000)),
      boxed(repeated("5\\text{ dozen}+", 9000) + "1"),
      boxed(repeated("\\pm1\\pm2\\pm3\\pm4,", 9000) + "1"),
      boxed(repeated("8", 190) + "_{" + repeated("8", 1900) + "}"),
      boxed(repeated("\xFF", 9000)),
      std::string(1U << 20, '\0'),
  };
  for (const auto& text : texts) {
    INFO(text.substr(0, 40) << " of " << text.size());
    for (const std::string gold : {"7", "x^2+1", "\\{1,2,3\\}"}) {
      const auto start = std::clock();  // of this process: others may be busy
      const auto found = completed(gold, text);
      const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      CHECK(found == 0.0);
      CHECK(took < 1.0);
    }
  }
}

TEST_CASE("math fuzz: whatever is written is judged, and the same each time", "[fuzz]") {
  const std::vector<std::string> seeds = {"\\frac{\\sqrt{3}}{2} + 1,000.5",
                                          "x \\in [-2,7) \\cup \\{9\\}",
                                          "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
                                          "x = 1 \\text{ or } x = \\pm 2",
                                          "2x+3y \\le 7 \\text{ cm}^2",
                                          "\\sum_{k=1}^{n} k^2",
                                          "4210_7, 28\\%",
                                          "\\sin^2(x)+\\log_2 8 + |x-1|!",
                                          "f(x)=\\binom{n}{2}",
                                          "\\text{all odd } n \\ge 5 \\text{ dozen}",
                                          "\\{2k : k \\in \\mathbb{Z}\\}, \\{\\{1\\},2\\}",
                                          "x \\equiv 3 \\pmod{7} \\land (x,y)=(\\pm1,\\pm2)",
                                          "\\begin{cases} x &= 1 \\\\ y = 2 \\end{cases}",
                                          "]0,1[ U (3,4) - \\{0.333...\\}",
                                          "The answer is $\\boxed{3}$ and #### 5"};
  Mutator mutator(
      11, {"\\",     "{", "}",       "(",        ")",      "[",  "]",      "^",     "_",  "|",
           "\\frac", "$", "\\sqrt",  ",",        "\\\\",   "&",  "\\left", "\\pm",  "=",  "<",
           "!",      "%", "1",       "0",        "9999",   "e9", ".",      "x",     "i",  "\xFF",
           "\\sum",  "/", "\\text{", "\\begin{", "\\end{", "-",  "\\sin",  "\\cup", "::", "'"});
  const auto reward = make_reward("math");
  for (int i = 0; i < 20000; ++i) {
    const auto a = mutator.mutate(mutator.one_of(seeds), 6);
    const auto b =
        mutator.below(3) == 0 ? mutator.mutate(a, 2) : mutator.mutate(mutator.one_of(seeds), 6);
    const Judged judged{.text = b, .row = {{"answer", a}}, .bare = mutator.below(2) == 0};
    const auto part = judged.by(*reward);
    INFO(a << "   " << b);
    REQUIRE((!part.score || *part.score == 0.0 || *part.score == 1.0));
    REQUIRE(part.extracted.size() <= 200);
    const auto again = judged.by(*reward);
    REQUIRE(again.score == part.score);
    REQUIRE(again.steps == part.steps);
  }
}

TEST_CASE("math hacks: matrices that grow are wrong, and soon") {
  const std::string cells = "\\begin{pmatrix}a&b\\\\c&d\\end{pmatrix}";
  const std::string numbers = "\\begin{pmatrix}999999&2\\\\3&4\\end{pmatrix}";
  for (const auto& matrix : {cells, numbers}) {
    for (const std::string& text :
         {matrix + "^8", "{{{" + matrix + "^8}^8}^8}^8", repeated(matrix, 9000),
          repeated(matrix + "+", 9000) + matrix, repeated("(" + matrix + "+", 900) + matrix}) {
      const auto start = std::clock();
      CHECK(completed("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", boxed(text)) == 0.0);
      CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 1.0);
    }
  }
}

TEST_CASE("math hacks: a value follows from equations that it solves") {
  check_answers(
      {

          {R"(10)", R"(2x + 4 = 24 \implies 2x = 20 \implies x = 10)"},
          {R"(x=10)", R"(2x = 20 \Rightarrow x = 10)"},
      },
      1.0);
  check_answers(
      {
          {R"(5)", R"(x=4 \implies x=5)"},
          {R"(5)", R"(x\neq 5 \Rightarrow x=5)"},
          {R"(5)", R"(\lnot(x=5) \implies x=5)"},
          {R"(5)", R"(6 \implies x=5)"},
          {R"(5)", R"(1>2 \implies x=5)"},
          {R"(5)", R"(1 \ne 1 \implies x=5)"},
          {R"(5)", R"(\text{false} \implies x=5)"},
          {R"(5)", R"(n = 6 \iff n = 5)"},
          {R"(5)", R"(x=6 \to x=5)"},
          {R"(5)", R"(x=10 \implies y=5)"},
          {R"(3)", R"(x \equiv 4 \pmod 7 \implies x=3)"},
          {R"(10)", R"(2x + 4 = 24 \implies 2x = 22 \implies x = 10)"},
      },
      0.0);
}

TEST_CASE("math hacks: work in one unknown states no value of it") {
  check_answers(
      {
          {R"(10)", R"(2x = 3 + 7 = 10)"},
          {R"(10)", R"(2x=2x=10)"},
          {R"(10)", R"(3x-5 = 15-5 = 10)"},
          {R"(10)", R"(x^2 = 9+1 = 10)"},
          {R"(10)", R"(-x = 4+6 = 10)"},
          {R"(10)", R"(3y = 2x = 10)"},
          {R"(10)", R"(0x = 0x = 10)"},
          {R"(10)", R"(x-x = y = 10)"},
          {R"(4)", R"(\sqrt{x} = \sqrt{16} = 4)"},
          {R"(4)", R"(x-1 = 5-1 = 4)"},
          {R"(3)", R"(3x \equiv 10 \equiv 3 \pmod 7)"},
      },
      0.0);
}

TEST_CASE("math hacks: what does not hold implies nothing") {
  check_answers(
      {
          {R"(x=3)", R"(1=2 \implies x=3)"},
          {R"(x=5)", R"(x = 3 = 4 \implies x = 5)"},
          {R"(y=x+1)", R"(1=2 \implies y=x+1)"},
      },
      0.0);
}
