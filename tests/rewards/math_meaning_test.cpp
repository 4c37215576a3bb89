// The reward `math`: what sets and relations say, and whose value a name has.
#include "tests/rewards/math_support.h"
#include "tests/support/catch.h"

using namespace aha_test;  // NOLINT

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

TEST_CASE("math: a set may have several conditions") {
  check_same({
      {R"(\{x|x<1 \text{ or } x>2\})", R"((-\infty,1)\cup(2,\infty))"},
      {R"(\{x|x<1 \text{ or } x>2\})", R"(x<1 or x>2)"},
      {R"(\{x|x<1 \text{ or } x>2\})", R"(\{x \mid x<1\}\cup\{x \mid x>2\})"},
      {R"(\{x \mid x \ne k\pi, k\in\mathbb{Z}\})", R"(\{x \mid x \ne n\pi, n\in\mathbb{Z}\})"},
      {R"(\{x\in\mathbb R: x<1 \text{ or } x>2\})", R"(\{x \mid x>2 \text{ or } x<1\})"},
      {R"([-3,1)\cup(1,\infty))", R"(\{x \mid x\ge-3, x\ne1\})"},
      {R"([-3,1)\cup(1,\infty))", R"(\{x | x \geq -3 \text{ and } x \neq 1\})"},
      {R"(\{x|-1<x<3\})", R"(\{x|x>-1, x \ne 5, \text{ and } x<3\})"},
      {R"(\{(x,y) \mid x>0, y>0\})", R"(\{(a,b) \mid a>0, b>0\})"},
  });
  check_other({
      {R"(\{x|x<1 \text{ or } x>2\})", R"(\{x|x<1 \text{ and } x>2\})"},
      {R"(\{x|x<1 \text{ or } x>2\})", R"(\{x|x<1, x>2\})"},
      {R"(\{x|x<1 \text{ or } x>2\})", R"(\{x|x<1\})"},
      {R"(\{x|-1<x<3\})", R"(\{x|x>-1 \text{ or } x<3\})"},
      {R"(\{(x,y) \mid x>0, y>0\})", R"(\{(x,y) \mid x>0, y<0\})"},
      {R"(\{x \mid x>0, x\in\mathbb{Z}\})", R"((0,\infty))"},
  });
}

TEST_CASE("math: a letter that runs through whole numbers may be any") {
  check_same({
      {R"(\frac\pi6+2k\pi\ (k\in\mathbb Z))", R"(\frac\pi6+2k\pi, k\in\mathbb Z)"},
      {R"(\frac\pi4+k\pi, k\in\mathbb Z)", R"(\frac\pi4+n\pi, n\in\mathbb Z)"},
      {R"(n=2k+1, k\in\mathbb Z)", R"(n=2m+1, m\in\mathbb Z)"},
  });
  check_other({
      {R"(\frac\pi6+2k\pi\ (k\in\mathbb Z))", R"(\frac\pi6+k\pi, k\in\mathbb Z)"},
      {R"(\frac\pi4+k\pi, k\in\mathbb Z)", R"(\frac\pi4+n\pi, n\in\mathbb N)"},
      {R"(x>0, x\in\mathbb Z)", R"(y>0, y\in\mathbb Z)"},
  });
}

TEST_CASE("math: inequalities with points taken out or put in are sets") {
  check_same({
      {R"((0,1)\cup(1,\infty))", R"(x>0, x\ne1)"},
      {R"((1,2)\cup(2,3))", R"(1<x<3, x\ne2)"},
      {R"(x \ne -7, 3)", R"((-\infty,-7)\cup(-7,3)\cup(3,\infty))"},
      {R"(x \ne -7, 3)", R"(x \ne 3 \text{ and } x \ne -7)"},
      {R"(\{1\}\cup[2,3])", R"(x=1 \text{ or } 2\le x\le3)"},
      {R"(|x|>3)", R"(x^2>9)"},
      {R"([-1-\sqrt2,-1+\sqrt2])", R"(1-x^2\ge2x)"},
      {R"(\mathbb{R})", R"(x^2+x+1>0)"},
      {R"(x\ne\pm2)", R"(x^2\ne4)"},
  });
  check_other({
      {R"(x \ne -7, 3)", R"(-7, 3)"},
      {R"(x \ne -7, 3)", R"(x\ne-7)"},
      {R"((0,1)\cup(1,\infty))", R"(x>0 \text{ or } x\ne1)"},
      {R"(|x|>3)", R"(x^2<9)"},
      {R"(|x|>3)", R"(x^2\ge9)"},
      {R"(x>3)", R"(x-3+x(x-1)(x-2)(x+5)>0)"},
      {R"(\emptyset)", R"(x=1 \text{ and } x=2)"},
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

TEST_CASE("math: the cross product of vectors turns with its factors") {
  check_same({
      {R"(\vec a\times\vec b)", R"(-\vec b\times\vec a)"},
      {R"(\vec{a} \times \vec{b})", R"(\mathbf a\times\mathbf b)"},
      {R"(2\vec a\times\vec b)", R"(\vec a\times\vec b+\vec a\times\vec b)"},
      {R"(\vec a\cdot\vec b)", R"(\vec b\cdot\vec a)"},
      {R"(2\times a)", R"(a\times2)"},
  });
  check_other({
      {R"(\vec a\times\vec b)", R"(\vec b\times\vec a)"},
      {R"(\vec a\times\vec b)", R"(\vec a\cdot\vec b)"},
      {R"(\vec a\times\vec b=0)", R"(\vec a\cdot\vec b=0)"},
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
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 4 \cdot 6 \cdot 8 \equiv 4 \cdot 6 \equiv 3 \pmod 7)"},
  });
  check_other({
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 3 \pmod 5)"},
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 4 \pmod 7)"},
      {R"(x \equiv 3 \mod 7)", R"(x \equiv 3 \mod 5)"},
      {R"(3 \pmod 7)", R"(3 \pmod 5)"},
      {R"(2)", R"(10 \equiv 2 \pmod 7)"},
      {R"(x \equiv 3 \pmod 7)", R"(x \equiv 11 \equiv 3 \pmod 7)"},
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

TEST_CASE("math: an exact value beside its decimals is the exact one, and they are it") {
  check_same({
      {R"(2\sqrt3)", R"(2\sqrt3 \approx 3.46)"},
      {R"(2\sqrt3)", R"(2\sqrt3 (\approx 3.46))"},
      {R"(2\sqrt3)", R"(2\sqrt3 \text{ cm} \approx 3.46 \text{ cm})"},
      {R"(\frac13)", R"(\frac13 \approx 0.333)"},
      {R"(\frac13)", R"(\frac13 = 0.333)"},
      {R"(3.46)", R"(2\sqrt3 = 3.46)"},
      {R"(78.54)", R"(25\pi \approx 78.54)"},
  });
  check_other({
      {R"(2\sqrt3)", R"(2\sqrt3 \approx 3.56)"},
      {R"(5)", R"(5 \approx 12)"},
      {R"(12)", R"(5 \approx 12)"},
      {R"(47)", R"(47 \approx 50)"},
      {R"(2.5)", R"(2.5 \approx 3)"},
  });
}

TEST_CASE("math: a derivative is another than that of another order, or by another letter") {
  check_same({
      {R"(y' = 2xy)", R"(f'(x)=2xy)"},
      {R"(y' = 2xy)", R"(\frac{dy}{dx}=2xy)"},
      {R"(v = 2x)", R"(y'=2x)"},
  });
  check_other({
      {R"(y' = 2xy)", R"(y''=2xy)"},
      {R"(\frac{dy}{dx}=3x^2)", R"(\frac{dx}{dy}=3x^2)"},
  });
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

TEST_CASE("math: a list without brackets says the order of a tuple, a set does not") {
  check_same(
      {{R"((2,3))", R"(2, 3)"}, {R"((2,3))", R"(\{3,2\})"}, {R"((2,3))", R"(2 \text{ and } 3)"}});
  check_other({{R"((2,3))", R"(3, 2)"}, {R"((3,2))", R"(\{2,3\})"}});
}
