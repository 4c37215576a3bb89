// The reward `math`: what stands beside a formula, what sets and relations say, and whose value a name has.
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<double> judged(const std::string& gold, const std::string& answer) {
  return Judged{.text = answer, .row = {{"answer", gold}}, .bare = true}.by("math").score;
}

void check_same(const Pairs& pairs) {
  for (const auto& [a, b] : pairs) {
    INFO(a << " and " << b);
    CHECK(judged(a, b) == 1.0);
    CHECK(judged(b, a) == 1.0);
    CHECK(judged(a, a) == 1.0);
  }
}

void check_other(const Pairs& pairs) {
  for (const auto& [a, b] : pairs) {
    INFO(a << " and " << b);
    CHECK(judged(a, b) == 0.0);
    CHECK(judged(b, a) == 0.0);
  }
}

/// Golds and answers, where the other way round is another question.
void check_answers(const Pairs& pairs, double score) {
  for (const auto& [gold, answer] : pairs) {
    INFO(gold << " and " << answer);
    CHECK(judged(gold, "\\boxed{" + answer + "}") == score);
  }
}

}  // namespace

TEST_CASE("math: units and labels beside a number do not count") {
  check_same({
      {R"(5)", R"(5 \text{ cm})"},
      {R"(5)", R"(5 \text{ miles per hour})"},
      {R"(5)", R"(5 \text{ square feet})"},
      {R"(5)", R"(5 \text{ even numbers})"},
      {R"(5)", R"(5 \text{ times})"},
      {R"(5)", R"(5 \text{ apples left})"},
      {R"(5)", R"(5 \text{ cm squared})"},
      {R"(5)", R"(5 students)"},
      {R"(5)", R"(5\text{m})"},
      {R"(5)", R"(\text{about } 5)"},
      {R"(5)", R"(\text{a total of } 5)"},
      {R"(5)", R"(\text{Total: } 5)"},
      {R"(5)", R"(\text{The answer is } 5)"},
      {R"(5)", R"(5 \text{ two-digit numbers})"},
      {R"(5)", R"(\text{The area of the square is } 5)"},
      {R"(5)", R"(5 \text{ negative integers})"},
      {R"(3.14)", R"(3.14 \text{ (to two decimal places)})"},
      {R"(2x)", R"(2x \text{ inches})"},
      {R"(5, 6)", R"(5 \text{ cm and } 6 \text{ cm})"},
      {R"(36\pi)", R"(36\pi \text{ cubic inches})"},
      {R"(12n)", R"(12n \text{ eggs})"},
      {R"((4,-1))", R"(\text{the point } (4,-1))"},
  });
}

TEST_CASE("math: words that change a number count") {
  check_same({
      {R"(60)", R"(5 \text{ dozen eggs})"},
      {R"(\frac32)", R"(3 \text{ halves})"},
      {R"(\frac34)", R"(3 fourths)"},
      {R"(0.05)", R"(5 \text{ hundredths})"},
      {R"(25)", R"(5 \text{ squared})"},
      {R"(120)", R"(5 \text{ factorial})"},
      {R"(-5)", R"(\text{negative } 5)"},
      {R"(5)", R"(\text{half of } 10)"},
      {R"(5.5)", R"(5 \text{ and a half})"},
      {R"(5000000)", R"(5 \text{ Million})"},
      {R"(3+4i)", R"(3+4\text{i})"},
      {R"(5x)", R"(5\text{x})"},
      {R"(5\pi)", R"(5\text{pi})"},
  });
  check_answers(
      {
          {R"(5)", R"(\text{less than } 5)"},
          {R"(5)", R"(\text{at least } 5)"},
          {R"(5)", R"(\text{minus } 5)"},
          {R"(5)", R"(\text{twice } 5)"},
          {R"(5)", R"(\text{square root of } 5)"},
          {R"(5)", R"(\text{reciprocal of } 5)"},
          {R"(5)", R"(5 \text{ plus three})"},
          {R"(5)", R"(5 \text{ if even, six if odd})"},
          {R"(5)", R"(5 \text{ but possibly six})"},
          {R"(5)", R"(5 \text{, six})"},
          {R"(5)", R"(5 \text{ dozen})"},
          {R"(5)", R"(5 squared)"},
          {R"(5)", R"(\text{5 squared})"},
          {R"(5)", R"(5\text{k})"},
          {R"(5)", R"(5 \text{M})"},
          {R"(5)", R"(5\text{i})"},
          {R"(7)", R"(3+4\text{i})"},
          {R"(5)", R"(5 \text{ Million})"},
          {R"(2)", R"(2 \text{ root three})"},
          {R"(5)", R"(5 \text{ (plus three)})"},
          {R"(5)", R"(5 \text{ plus-three})"},
          {R"(5)", R"(5 \text{ doubled})"},
          {R"(5)", R"(5 \text{ is wrong})"},
          {R"(5)", R"(\text{over } 5)"},
          {R"(5)", R"(\text{non-} 5)"},
          {R"(5)", R"(5 \text{$x$})"},
          {R"(5)", R"(5 \text{ Pi})"},
          {R"(2n)", R"(2n \text{ dozens})"},
          {R"(5)", R"(5 \text{ cm or } 6)"},
          {R"(n)", R"(n \text{ squared})"},
      },
      0.0);
}

TEST_CASE("math: words beside letters, sets and statements are compared") {
  check_same({
      {R"(n \text{ odd})", R"(n \text{ is odd})"},
      {R"(\text{odd } n)", R"(n \text{ odd})"},
      {R"(\textbf{(E)}\ 9)", R"(9)"},
      {R"(\textbf{(E)}\ 9)", R"(\text{(E) }9)"},
      {R"(B)", R"(\text{(B) } 12)"},
      {R"(7:45)", R"(7:45 \text{ a.m.})"},
      {R"(7:45 \text{ p.m.})", R"(7:45 \text{ PM})"},
  });
  check_other({
      {R"(n \text{ odd})", R"(n \text{ even})"},
      {R"(p \text{ prime})", R"(p)"},
      {R"(\text{all odd } n)", R"(\text{all even } n)"},
      {R"(n\ge3 \text{ odd})", R"(n\ge3\text{ even})"},
      {R"(\text{increasing on }(0,1))", R"(\text{decreasing on }(0,1))"},
      {R"(\text{center } (1,2))", R"(\text{vertex } (1,2))"},
      {R"(\$5 \text{ profit})", R"(\$5\text{ loss})"},
      {R"(\textbf{(E)}\ 9)", R"(\textbf{(D) }9)"},
      {R"(\textbf{(E)}\ 9)", R"(D)"},
      {R"(7:45 \text{ a.m.})", R"(7:45 \text{ p.m.})"},
  });
}

TEST_CASE("math: a set's elements count beside its condition") {
  check_same({
      {R"(\{2k : k \in \mathbb{Z}\})", R"(\{2n \mid n \in \mathbb{Z}\})"},
      {R"(\{2k : k \in \mathbb{Z}\})", R"(\{k \cdot 2 : k \in \mathbb{Z}\})"},
      {R"(\{k : k \in \mathbb{Z}\})", R"(\mathbb{Z})"},
      {R"(\{x : x > 3\})", R"((3,\infty))"},
      {R"(\{(x,y) : x+y=1\})", R"(\{(a,b) \mid b = 1-a\})"},
  });
  check_other({
      {R"(\{2k : k \in \mathbb{Z}\})", R"(\{2k+1 : k \in \mathbb{Z}\})"},
      {R"(\{2k : k \in \mathbb{Z}\})", R"(\{2k : k \in \mathbb{N}\})"},
      {R"(\{n^2 : n \in \mathbb{N}\})", R"(\mathbb{N})"},
      {R"(\{(t,2t) : t \in \mathbb{R}\})", R"(\{(t,3t) : t \in \mathbb{R}\})"},
      {R"(\{x^2 \mid x > 3\})", R"((3,\infty))"},
      {R"(\{(x,y) \mid x = 1\})", R"(1)"},
      {R"(\{(x,y) \mid x = 1\})", R"(\{(x,y) \mid y = 1\})"},
      {R"(\{(x,y) \mid y = 2x\})", R"(\{(x,y) \mid x = 2y\})"},
      {R"(\{x \in \mathbb{Z} : x > 3\})", R"((3,\infty))"},
  });
}

TEST_CASE("math: a set in a set is one element") {
  check_same({
      {R"(\{\{1,2\},\{3\}\})", R"(\{\{3\},\{2,1\}\})"},
      {R"(\{\{1,2\}\})", R"(\{\{1,\frac42\}\})"},
      {R"(\{4\})", R"(4)"},
      {R"(x \in \{1,2\})", R"(1, 2)"},
  });
  check_other({
      {R"(\{\{1,2\},\{3\}\})", R"(\{\{1\},\{2,3\}\})"},
      {R"(\{\{1,2\}\})", R"(\{1,2\})"},
      {R"(\{\emptyset\})", R"(\emptyset)"},
      {R"(\{\emptyset,\{1\}\})", R"(\{\emptyset,1\})"},
  });
}

TEST_CASE("math: coordinates go by their names") {
  check_same({
      {R"((2,3))", R"(x=2, y=3)"},
      {R"((5,2))", R"(y=2, x=5)"},
      {R"((1,2,3))", R"(c=3, a=1, b=2)"},
      {R"((4,5))", R"(x_2=5, x_1=4)"},
      {R"((2,1))", R"((y,x)=(1,2))"},
      {R"((x,y)=(2,1))", R"(y=1, x=2)"},
      {R"((3,4))", R"(r=3, \theta=4)"},
  });
  check_other({
      {R"((2,3))", R"(x=3, y=2)"},
      {R"((-1,4))", R"(x=4, y=-1)"},
      {R"((1,2,3))", R"(a=3,b=2,c=1)"},
      {R"((x,y)=(2,1))", R"((y,x)=(2,1))"},
      {R"(x=2, y=3)", R"(a=3, b=2)"},
      {R"((\frac12,\frac34))", R"(m=\frac34, b=\frac12)"},
  });
}

TEST_CASE("math: each relation and connective is one of its own") {
  check_same({
      {R"(AB \perp CD)", R"(CD \perp AB)"},
      {R"(p \iff q)", R"(p \Leftrightarrow q)"},
      {R"(x \not\in A)", R"(x \notin A)"},
      {R"(p \land q)", R"(q \land p)"},
      {R"(A \cup B)", R"(B \cup A)"},
      {R"(x>0 \text{ and } y>0)", R"(x>0, y>0)"},
      {R"(x \in (-\infty,1)\cup(2,\infty))", R"(x<1 \text{ or } x>2)"},
  });
  check_other({
      {R"(AB \parallel CD)", R"(AB \perp CD)"},
      {R"(p \iff q)", R"(p \implies q)"},
      {R"(p \implies q)", R"(q \implies p)"},
      {R"(A \subset B)", R"(A \notin B)"},
      {R"(A \subset B)", R"(A \supset B)"},
      {R"(A \not\subset B)", R"(A \not\parallel B)"},
      {R"(A \subseteq B)", R"(A \to B)"},
      {R"(p \land q)", R"(p \lor q)"},
      {R"(\neg p)", R"(p)"},
      {R"(f \circ g)", R"(g \circ f)"},
      {R"(A \setminus B)", R"(B \setminus A)"},
      {R"(x>1 \text{ and } x<5)", R"(x>1 \text{ or } x<5)"},
      {R"(x>1 \text{ and } y<5)", R"(x>1 \text{ or } y<5)"},
      {R"(\{2k \mid k<3\})", R"(\{2k \mid k>3\})"},
  });
}

TEST_CASE("math: residues are compared modulo what they are taken of") {
  check_same({
      {R"(3 \pmod 7)", R"(10 \pmod 7)"},
      {R"(3 \pmod 7)", R"(-4 \pmod 7)"},
      {R"(x \equiv 3 \pmod 7)", R"(3 \pmod{7})"},
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 3 \mod 7)"},
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 3 (mod 7))"},
      {R"(3)", R"(x \equiv 3 \pmod 7)"},
      {R"(3)", R"(10 \equiv 3 \pmod 7)"},
  });
  check_other({
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 3 \pmod 5)"},
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 4 \pmod 7)"},
      {R"(x \equiv 3 \mod 7)", R"(x \equiv 3 \mod 5)"},
      {R"(3 \pmod 7)", R"(3 \pmod 5)"},
      {R"(2)", R"(10 \equiv 2 \pmod 7)"},
  });
}

TEST_CASE("math: a letter of the gold is no unit") {
  check_answers({{"5", "5 s"},
                 {"5", "5s"},
                 {"5 s", "5"},
                 {"10 m/s", "10"},
                 {"6s^2", "6s^2"},
                 {"6 s^2", "6s^2"}},
                1.0);
  check_answers({{"6s^2", "6"}, {"4s", "4"}, {"3m^2", "3"}, {"2h", "2"}, {"6s^2", "5s^2"}}, 0.0);
}

TEST_CASE("math: the order of matrices, of capitals and of a word's letters counts") {
  check_same({
      {R"(AB)", R"(BA)"},
      {R"(abc)", R"(cab)"},
      {R"(2+3I)", R"(2+3i)"},
      {R"(2\begin{pmatrix}1\\2\end{pmatrix})", R"(\begin{pmatrix}1\\2\end{pmatrix}\cdot 2)"},
  });
  check_other({
      {R"(CADB)", R"(ABCD)"},
      {R"(BAC)", R"(ABC)"},
      {R"(no)", R"(on)"},
      {R"(odd)", R"(dod)"},
      {R"(II)", R"(-1)"},
      {R"(I)", R"(i)"},
      {R"(IV)", R"(VI)"},
      {R"(\begin{pmatrix}1&2\\3&4\end{pmatrix}\begin{pmatrix}0\\1\end{pmatrix})",
       R"(\begin{pmatrix}0\\1\end{pmatrix}\begin{pmatrix}1&2\\3&4\end{pmatrix})"},
      {R"(\angle ABC)", R"(\triangle ABC)"},
  });
}

TEST_CASE("math: a chain through an unknown states what its values say") {
  check_answers({{"5", "6=x=5"}, {"5", "1=x=2=x=5"}, {"5", "6=f(2)=5"}, {"5", "6=x=y=5"}}, 0.0);
  check_answers({{"5", "x=2+3=5"}, {"5", "2+3=x=5"}, {"5", "x=y=5"}}, 1.0);
}

TEST_CASE("math: a value may stand before its name") {
  check_same({{"5", "5=x"}, {"5", "2+3=5=x"}, {"2x+1", "2x+1=y"}, {"(1,2)", "(1,2)=(x,y)"}});
  check_other({{"x", "5=x"}, {"f(2)=5", "f(3)=5"}, {"5", "6=x"}});
}

TEST_CASE("math: a sum may count by i, and each +- has its sign") {
  check_same({
      {R"(\sum_{i=1}^{3} i)", R"(6)"},
      {R"(\sum_{i=1}^{n} i^2)", R"(\sum_{k=1}^{n} k^2)"},
      {R"(\pm1\pm\sqrt2)", R"(1+\sqrt2, 1-\sqrt2, -1+\sqrt2, -1-\sqrt2)"},
      {R"(\pm1\mp\sqrt2)", R"(1-\sqrt2, -1+\sqrt2)"},
      {R"((\pm1,2))", R"((1,2),(-1,2))"},
  });
  check_other({
      {R"(\sum_{i=1}^{3} i)", R"(3i)"},
      {R"(\pm1\pm\sqrt2)", R"(1+\sqrt2, -1-\sqrt2)"},
  });
}
