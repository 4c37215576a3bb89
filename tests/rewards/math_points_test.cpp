// Where expressions with letters are compared: what differs at some values only must be told apart, whatever the letters;
// and matrices, cell by cell.
#include <numeric>

#include "rewards/math/evaluate.h"
#include "tests/rewards/math_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::optional<double> score(const std::string& gold, const std::string& answer) {
  return Judged{.text = answer, .row = {{"answer", gold}}, .bare = true}.by("math").score;
}

/// A form whose 1 and 2 are two letters.
std::string with(const std::string& text, const std::string& a, const std::string& b) {
  std::string out;
  for (const char c : text) {
    if (c == '1') out += a;
    if (c == '2') out += b;
    if (c != '1' && c != '2') out += c;
  }
  return out;
}

std::vector<std::string> letters() {
  std::vector<std::string> all;
  for (char c = 'a'; c <= 'z'; ++c)
    all.emplace_back(1, c);
  return all;
}

/// The values at the points where they are whole.
std::vector<long> wholes(const std::string& name) {
  std::vector<long> values;
  for (int point = 0; point < math::kPoints; ++point) {
    const auto value = math::value_at(name, point);
    if (denominator(value) == 1) values.push_back(static_cast<long>(numerator(value)));
  }
  return values;
}

}  // namespace

TEST_CASE("math points: every letter is odd, even, negative and small somewhere") {
  auto names = letters();
  for (const std::string name : {"A", "N", "theta", "x_1", "a_n"})
    names.push_back(name);
  for (const auto& name : names) {
    INFO(name);
    int odd = 0;
    for (const auto value : wholes(name))
      odd += static_cast<int>(value % 2);
    CHECK(wholes(name).size() == 6);
    CHECK(odd > 0);
    CHECK(odd < 6);
    int negative = 0;
    int small = 0;
    for (int point = 0; point < math::kPoints; ++point) {
      const auto value = math::value_at(name, point);
      negative += value < 0 ? 1 : 0;
      small += abs(value) < 1 ? 1 : 0;
    }
    CHECK(negative > 0);
    CHECK(small == 3);
  }
}

TEST_CASE(
    "math points: any two letters stand in both orders, share a factor and differ in parity") {
  for (const auto& a : letters()) {
    for (const auto& b : letters()) {
      if (a == b) continue;
      INFO(a << " and " << b);
      const auto x = wholes(a);
      const auto y = wholes(b);
      int below = 0;
      bool shared = false;
      bool parity = false;
      for (std::size_t i = 0; i < x.size(); ++i) {
        below += x[i] < y[i] ? 1 : 0;
        shared = shared || std::gcd(x[i], y[i]) > 1;
        parity = parity || x[i] % 2 != y[i] % 2;
      }
      CHECK(below == 3);
      CHECK(shared);
      CHECK(parity);
    }
  }
}

TEST_CASE("math points: what holds at some values only is different") {
  for (const std::string name :
       {"n", "m", "h", "s", "v", "y", "B", "K", "R", "Z", "x", "\\theta"}) {
    INFO(name);
    CHECK(score("|" + name + "|", name) == 0.0);
    CHECK(score("\\sqrt{" + name + "^2}", name) == 0.0);
    CHECK(score("(-1)^" + name, "1") == 0.0);
    CHECK(score("(-1)^" + name, "-1") == 0.0);
    CHECK(score("\\cos(" + name + "\\pi)", "1") == 0.0);
  }
  using Row = std::pair<std::string, std::string>;
  for (const auto& [a, b] :
       std::vector<Row>{{"m", "n"}, {"n", "k"}, {"x", "y"}, {"a", "b"}, {"p", "q"}, {"h", "K"}}) {
    for (const auto& [gold, answer] : std::vector<Row>{{"\\gcd(1,2)", "{3-3+5-4}"},
                                                       {"1+2-\\gcd(1,2)", "1+2-{3-3+5-4}"},
                                                       {"\\operatorname{lcm}(1,2)", "1 * 2"},
                                                       {"|1|+|2|", "1+2"},
                                                       {"|1*2|", "1 * 2"},
                                                       {"\\max(1,2)", "1"},
                                                       {"\\max(1,2)", "2"},
                                                       {"|1-2|", "1-2"},
                                                       {"|1-2|", "2-1"},
                                                       {"(-7)^1", "(-7)^2"},
                                                       {"\\binom{1}{2}", "0"}}) {
      INFO(with(gold, a, b) << " and " << with(answer, a, b));
      CHECK(score(with(gold, a, b), with(answer, a, b)) == 0.0);
    }
  }
}

TEST_CASE("math points: what holds wherever it has a value is equal") {
  for (const auto& [gold, answer] : std::vector<std::pair<std::string, std::string>>{
           {"\\frac12\\arcsin x", "\\frac{\\arcsin x}{2}"},
           {"\\arcsin\\sqrt{x}", "\\arccos\\sqrt{1-x}"},
           {"\\binom nk", "\\frac{n!}{k!(n-k)!}"},
           {"\\binom{m}{n}", "\\frac{m!}{n!(m-n)!}"},
           {"\\gcd(m,n)\\operatorname{lcm}(m,n)", "mn"},
           {"\\max(x,y)", "\\frac{x+y+|x-y|}{2}"},
           {"(-1)^{2n}", "1"},
           {"\\cos(n\\pi)", "(-1)^n"},
           {"|x|^2", "x^2"},
           {"\\sqrt{x^2y^4}", "|x|y^2"}}) {
    INFO(gold);
    CHECK(score(gold, answer) == 1.0);
    CHECK(score(answer, gold) == 1.0);
  }
}

TEST_CASE("math: sums, products, powers and transposes of matrices are worked out") {
  check_same({
      {R"(\begin{pmatrix}4&6\\2&8\end{pmatrix})",
       R"(\begin{pmatrix}1&2\\0&3\end{pmatrix}+\begin{pmatrix}3&4\\2&5\end{pmatrix})"},
      {R"(\begin{pmatrix}-2&-2\\-2&-2\end{pmatrix})",
       R"(\begin{pmatrix}1&2\\0&3\end{pmatrix}-\begin{pmatrix}3&4\\2&5\end{pmatrix})"},
      {R"(\begin{pmatrix}1&3\\2&4\end{pmatrix})", R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}^T)"},
      {R"(\begin{pmatrix}1&3\\2&4\end{pmatrix})", R"(\begin{bmatrix}1&2\\3&4\end{bmatrix}^{\top})"},
      {R"(\begin{pmatrix}1\\2\\3\end{pmatrix})",
       R"(\begin{pmatrix}1&2&3\end{pmatrix}^{\mathrm{T}})"},
      {R"(\begin{pmatrix}7&10\\15&22\end{pmatrix})", R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}^2)"},
      {R"(\begin{pmatrix}5\\11\end{pmatrix})",
       R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}\begin{pmatrix}1\\2\end{pmatrix})"},
      {R"(\begin{pmatrix}ax+by\\cx+dy\end{pmatrix})",
       R"(\begin{pmatrix}a&b\\c&d\end{pmatrix}\begin{pmatrix}x\\y\end{pmatrix})"},
      {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})",
       R"(A^{-1} = \begin{pmatrix}1&2\\3&4\end{pmatrix})"},
      {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})", R"(A^T = \begin{pmatrix}1&2\\3&4\end{pmatrix})"},
      {R"(\begin{pmatrix}1\\2\end{pmatrix})",
       R"(\mathbf u+\mathbf v = \begin{pmatrix}1\\2\end{pmatrix})"},
      {R"((1,2))", R"(\vec u-\vec v = (1,2))"},
      {R"(\begin{pmatrix}1+2t\\3-t\end{pmatrix})",
       R"(\begin{pmatrix}1\\3\end{pmatrix}+t\begin{pmatrix}2\\-1\end{pmatrix})"},
      {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}/2)",
       R"(\frac12\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
  });
  check_other({
      {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})", R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}^T)"},
      {R"(\begin{pmatrix}1\\3\end{pmatrix}+t\begin{pmatrix}2\\-1\end{pmatrix})",
       R"(\begin{pmatrix}1\\3\end{pmatrix}+t\begin{pmatrix}2\\1\end{pmatrix})"},
      {R"(\begin{pmatrix}0&1\\0&0\end{pmatrix}^2\begin{pmatrix}1&2\\3&4\end{pmatrix}^T)",
       R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}^T)"},
      {R"(\begin{pmatrix}1&1\\0&1\end{pmatrix}^T\begin{pmatrix}1&2\\3&4\end{pmatrix})",
       R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}\begin{pmatrix}1&1\\0&1\end{pmatrix}^T)"},
      {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})", R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}^x)"},
      {R"(\begin{pmatrix}1\\2\end{pmatrix})", R"(2A = \begin{pmatrix}1\\2\end{pmatrix})"},
      {R"(\begin{pmatrix}1\\2\end{pmatrix})",
       R"(\begin{pmatrix}1\\2\end{pmatrix}+\begin{pmatrix}0&0\end{pmatrix})"},
      {R"(5)", R"(\begin{pmatrix}1&2\end{pmatrix}+\begin{pmatrix}1&2\end{pmatrix})"},
  });
}

TEST_CASE("math: a matrix or vector is of what its equation names") {
  check_answers(
      {
          {R"(A^{-1}=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A^{-1}=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A+B=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(B+A=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(v=(1,2))", R"(w=(1,2))"},
          {R"(A^{-1}=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A-B=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
      },
      1.0);
  check_answers(
      {
          {R"((1,2))", R"(-\vec{v}=(1,2))"},
          {R"((1,2))", R"(-(x,y)=(1,2))"},
          {R"((1,2))", R"(x^2=(1,2))"},
          {R"((1,2))", R"(\sqrt{x}=(1,2))"},
          {R"((1,2))", R"(\frac1x=(1,2))"},
          {R"(v=(1,2))", R"(-v=(1,2))"},
          {R"((x,y)=(1,2))", R"(x+y=(1,2))"},
          {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})", R"(-A=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A^{100}=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A^0=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(\det A = \begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A^{B}=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A^{-1}=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A^T=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(-A=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A+B=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A^{-1}=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"(A+B=\begin{pmatrix}1&2\\3&4\end{pmatrix})",
           R"(A-B=\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
          {R"((-\infty,3))", R"(-x=(-\infty,3))"},
          {R"([1,2])", R"(-x=[1,2])"},
      },
      0.0);
}
