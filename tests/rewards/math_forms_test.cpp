// The reward `math`: the ways in which right answers are written.
#include "tests/rewards/math_support.h"
#include "tests/support/catch.h"

using namespace aha_test;  // NOLINT

TEST_CASE("math: an equation may state the number that a question asks for") {
  check_answers(
      {
          {R"(113)", R"(m+n=113)"},
          {R"(6)", R"(xy=6)"},
          {R"(6)", R"(\frac ab = 6)"},
          {R"(\frac35)", R"(\sin\theta = \frac35)"},
          {R"(\frac14)", R"(P(A \cap B)=\frac14)"},
          {R"(60)", R"(m\angle ABC = 60^\circ)"},
          {R"(113)", R"(m+n=100+13=113)"},
          {R"(x+1)", R"(\frac{x^2-1}{x-1} = x+1)"},
      },
      1.0);
  check_answers(
      {
          {R"(113)", R"(m+n=112)"},
          {R"(10)", R"(2x=10)"},
          {R"(0)", R"(x-5=0)"},
          {R"(7)", R"(m+n>7)"},
          {R"(113)", R"(m+n=100=113)"},
          {R"(x+1)", R"(x-1=x+1)"},
          {R"(m+n=113)", R"(113)"},
          {R"(x+1)", R"(xy=x+1)"},
      },
      0.0);
}

TEST_CASE("math: any letter may name a function at the beginning of an equation") {
  check_answers(
      {
          {R"(x^2+1)", R"(p(x) = x^2+1)"},
          {R"(p(x) = x^2+1)", R"(x^2+1)"},
          {R"(y = e^{-t})", R"(y(t) = e^{-t})"},
          {R"(3)", R"(y(0) = 3)"},
          {R"(x^2+x)", R"(x(x+1))"},
      },
      1.0);
  check_answers({{R"(p(x) = x^2+1)", R"(p(x) = x^2)"}, {R"(y(2) = 5)", R"(y(3) = 5)"}}, 0.0);
}

TEST_CASE("math: systems are lists of their equations") {
  check_answers(
      {
          {R"(x=1, y=2)", R"(\begin{cases} x=1\\ y=2\end{cases})"},
          {R"((1,2))", R"(\begin{cases} x=1,\\ y=2.\end{cases})"},
          {R"(x=1, y=2)", R"(\begin{aligned} x &= 1 \\ y &= 2 \end{aligned})"},
          {R"(x=1, x=2)", R"(x=1 \\ x=2)"},
          {R"(42)", R"(\begin{aligned} x &= yz \\ &= 6 \cdot 7 \\ &= 42 \end{aligned})"},
          {R"(x+1)", R"(\begin{split} y &= \frac{x^2-1}{x-1} \\ &= x+1 \end{split})"},
          {R"(42)", R"(N = R \\ = 42)"},
          {R"(\frac12)", R"(N = \nicefrac{1}{2})"},
          {R"(\begin{pmatrix}1&2\end{pmatrix})",
           R"(\begin{aligned} A &= \begin{pmatrix}1&2\end{pmatrix} \end{aligned})"},
          {R"(\begin{cases} x^2 & x>0 \\ 0 & x \le 0 \end{cases})",
           R"(\begin{cases} x^2, & \text{if } x>0, \\ 0, & \text{if } x \le 0. \end{cases})"},
      },
      1.0);
  check_answers(
      {
          {R"((1,2))", R"(\begin{cases} x=2\\ y=1\end{cases})"},
          {R"(42)", R"(\begin{aligned} x &= 41 \\ &= 42 \end{aligned})"},
          {R"(\begin{cases} x^2 & x>0 \\ 0 & x \le 0 \end{cases})",
           R"(\begin{cases} x^2 & x>1 \\ 0 & x \le 1 \end{cases})"},
      },
      0.0);
}

TEST_CASE("math: units may have powers and stand in one text") {
  check_answers(
      {
          {R"(12)", R"(12\ \mathrm{cm^2})"},
          {R"(12)", R"(12 \text{ cm^2})"},
          {R"(9.8)", R"(9.8\ \mathrm{m\,s^{-2}})"},
          {R"(12)", R"(12 \, \mathrm{kg \cdot m^{2}})"},
          {R"(5)", R"(5\,\Omega)"},
          {R"(100)", R"(100\,N)"},
          {R"(1.6\times10^{-19})", R"(1.6 \times 10^{-19} \mathrm{C})"},
      },
      1.0);
  check_answers({{R"(5)", R"(5\mathrm{x^2})"}, {R"(100 N)", R"(99)"}, {R"(100)", R"(100N)"}}, 0.0);
}

TEST_CASE("math: numbers in other spellings") {
  check_answers(
      {
          {R"(0.5)", R"(0{,}5)"},
          {R"(3.14)", R"(3{,}14)"},
          {R"(1234)", R"(1{,}234)"},
          {R"(\frac13)", R"(0.333\ldots)"},
          {R"(\frac16)", R"(0.1666...)"},
          {R"(\frac{41}{333})", R"(0.123123\dots)"},
          {R"(35000)", R"(3.5 x 10^4)"},
          {R"(5)", R"(5\\)"},
          {R"(5)", R"(\textcolor{red}{5})"},
          {R"(5)", R"(\large 5)"},
          {R"(21)", R"((210)_3)"},
          {R"(11)", R"(1011_{\text{two}})"},
          {R"(1+i\sqrt3)", R"(2\operatorname{cis}(\pi/3))"},
          {R"(1+i\sqrt3)", R"(2\operatorname{cis} 60^\circ)"},
          {R"(\min(a,b))", R"(\min\{b,a\})"},
          {R"(6)", R"(\text{gcd}(12,18))"},
          {R"(\sin x)", R"(\text{sin } x)"},
          {R"(1:30)", R"(1{:}30)"},
          {R"(\frac{a+b}{c+d})", R"({a+b \over c+d})"},
          {R"(\binom{n}{2})", R"({n \choose 2})"},
          {R"(3:4:5)", R"(6:8:10)"},
      },
      1.0);
  check_answers(
      {
          {R"(0.333)", R"(0.333\ldots)"},
          {R"(1.41)", R"(1.4142\ldots)"},
          {R"(3:4:5)", R"(6:8:11)"},
          {R"(3:4:5)", R"(3:5:4)"},
          {R"(0:1:2)", R"(0:1:3)"},
          {R"(21)", R"((211)_3)"},
      },
      0.0);
}

TEST_CASE("math: sets in other spellings") {
  check_answers(
      {
          {R"((0,1))", R"(]0,1[)"},
          {R"([0,1) \cup (2,3])", R"([0,1[ \cup ]2,3])"},
          {R"(x \ne 2 \text{ and } x \ne -2)", R"(x\ne\pm2)"},
          {R"((-\infty,-2)\cup(-2,2)\cup(2,\infty))", R"(x\ne\pm2)"},
          {R"((-\infty,0)\cup(0,\infty))", R"(\mathbb{R}-\{0\})"},
          {R"((1,2)\cup(3,4))", R"((1,2) U (3,4))"},
          {R"((2,\infty))", R"(2<x<\infty)"},
          {R"(\mathbb{Z}^+)", R"(\mathbb{Z}^{+})"},
      },
      1.0);
  check_answers(
      {
          {R"([0,1])", R"(]0,1[)"},
          {R"((-\infty,2)\cup(2,\infty))", R"(x\ne\pm2)"},
          {R"(\mathbb{Z}^+)", R"(\mathbb{Z})"},
          {R"((1,2)\cup(3,4))", R"((1,2) U (3,5))"},
      },
      0.0);
}

TEST_CASE(
    "math: other ways to write a combination, a derivative, a root, a system, a unit vector and a "
    "base") {
  check_same({
      {R"(\binom{10}{3})", R"(C(10,3))"},
      {R"(\binom{10}{3})", R"({}^{10}C_3)"},
      {R"(\binom{10}{3})", R"({}_{10}C_{3})"},
      {R"({}^{14}C)", R"({}^{14}C)"},
      {R"(\frac{n!}{k!(n-k)!})", R"(C(n,k))"},
      {R"(f(1.5))", R"(f(3/2))"},
      {R"(\frac32)", R"(6/2\frac12)"},
      {R"(y'')", R"(y^{\prime\prime})"},
      {R"(y')", R"(y^\prime)"},
      {R"(\sqrt[3]2)", R"(∛2)"},
      {R"(x=1, y=2)", R"(\left\{\begin{array}{l} x=1\\y=2\end{array}\right.)"},
      {R"(17)", R"(N = 17 \checkmark)"},
      {R"(2\hat i-3\hat j)", R"(2\mathbf i-3\mathbf{j})"},
      {R"(4210 \text{ (base 7)})", R"(4210_7)"},
      {R"(4210 \text{ in base 7})", R"(1477)"},
  });
  check_other({
      {R"(C(3,10))", R"(0)"},
      {R"(y'')", R"(y')"},
      {R"(2\hat i-3\hat j)", R"(2\hat i+3\hat j)"},
      {R"(4210 \text{ (base 7)})", R"(4210)"},
  });
  check_answers({{R"(\frac{14}3)", R"(f(-2)+f(-1)+f(0)=\frac{14}3)"}}, 1.0);
}

TEST_CASE(
    "math: an equation of letters and their powers, or of what has no value here, states its "
    "number") {
  check_answers(
      {
          {R"(25)", R"(x^2+y^2=25)"},
          {R"(12)", R"(x-y=12)"},
          {R"(\frac34)", R"(P(X>3)=\frac34)"},
          {R"(\frac34)", R"(P(X \ge 3 \mid X > 1) = \frac34)"},
          {R"(5)", R"((f\circ g)(2)=5)"},
          {R"(\frac34)", R"(\sum_{n=1}^\infty a_n = \frac34)"},
          {R"(4)", R"(\left.\frac{dy}{dx}\right|_{x=1}=4)"},
          {R"(4)", R"(f'(x)\Big|_{x=1}=4)"},
          {R"(10)", R"(x+5=15 \implies x=10)"},
          {R"(10)", R"(2x = 20 \Rightarrow x = 10)"},
          {R"(3)", R"(\sqrt{xy}=3)"},
          {R"(3)", R"(\frac1a+\frac1b=3)"},
          {R"(\frac14)", R"(\sin^2 A=\frac14)"},
          {R"(3)", R"(|A \cap B|=3)"},
          {R"(5)", R"(5\text{ only})"},
          {R"((1,2))", R"((1,2)\text{ only})"},
          {R"(80)", R"(180-(2x+2y)=180-100=80)"},
          {R"(2)", R"(\tan A = \frac{\sin A}{\cos A} = \frac{2\cos A}{\cos A} = 2)"},
          {R"(1)", R"(t(g(16)) = t(4) = 3-g(4) = 3-\sqrt{4} = 1)"},
          {R"(-50)", R"((1-2)+(3-4)+ \dots +(99-100) = 50(-1) = -50)"},
          {R"(850)", R"(\frac{1}{2r} + \dots = 13 \cdot 130 - 840 = 850)"},
      },
      1.0);
  check_answers(
      {
          {R"(25)", R"(x^2+y^2=24)"},
          {R"(9)", R"(x^2=9)"},
          {R"(12)", R"(3x+2y=12)"},
          {R"(1)", R"(\frac{x^2}{4}+y^2=1)"},
          {R"(3)", R"(\log_2 x=3)"},
          {R"(3)", R"(\sqrt{x}=3)"},
          {R"(10)", R"(x+5=15 \implies x=11)"},
          {R"(10)", R"(1=2 \implies x=10)"},
          {R"(x=10)", R"(x=10 \implies y=3)"},
          {R"(q)", R"(p \implies q)"},
          {R"(3)", R"(\frac2x=3)"},
          {R"(3)", R"(\frac1x=3)"},
          {R"(3)", R"(-x=3)"},
          {R"(80)", R"(180-(2x+2y)=180-100=81)"},
          {R"(80)", R"(180-(2x+2y)=80=81)"},
          {R"(5)", R"((f\circ g)(2)=4)"},
          {R"(4)", R"(x=y+4)"},
          {R"(5)", R"(|x|_{5})"},
          {R"(0)", R"(x^2+x=0)"},
      },
      0.0);
}

TEST_CASE("math: bars beside each other and in each other") {
  check_same({
      {R"(|a||b|)", R"(|ab|)"},
      {R"(|x||y|+1)", R"(1+|x|\,|y|)"},
      {R"(||x|-1|)", R"(|1-|x||)"},
      {R"(|1-|x||)", R"(\left|1-\left|x\right|\right|)"},
      {R"(||v||)", R"(\|v\|)"},
      {R"(||\vec{v}||=5)", R"(5)"},
      {R"(||-3|-1|)", R"(2)"},
      {R"(\{x||x|<3\})", R"((-3,3))"},
      {R"(|A \cap B|)", R"(|B \cap A|)"},
      {R"(2||x|-3|)", R"(|2|x|-6|)"},
      {R"(|2|x)", R"(2x)"},
  });
  check_other({{R"(||x|-1|)", R"(|x|-1)"},
               {R"(|a||b|)", R"(ab)"},
               {R"(|A \cap B|)", R"(|A \cup B|)"},
               {R"(||v||)", R"(v)"}});
}

TEST_CASE("math: what other software writes") {
  // forms of sympy/parsing/tests/test_latex.py, and as SymPy prints them
  check_same({
      {R"(f(x))", R"(f{\left(x \right)})"},
      {R"(f(x, y))", R"(f{\left(x,y \right)})"},
      {R"(F(x)+1)", R"(F{\left(x \right)} + 1)"},
      {R"(y''_1)", R"(y_{1}'')"},
      {R"(f'_1(x))", R"(f_{1}'{\left(x \right)})"},
      {R"(\sum^{3}_{k=1} c)", R"(3c)"},
      {R"(\sum^3_{k=1} k)", R"(6)"},
      {R"(\prod^n_{k=1} k)", R"(n!)"},
      {R"(a \thinspace b)", R"(ab)"},
      {R"(a \negmedspace b)", R"(ab)"},
      {R"(0.(3))", R"(\frac13)"},
      {R"(2.(45))", R"(\frac{27}{11})"},
      {R"(3.2 × 10⁻⁵)", R"(0.000032)"},
      {R"(x¹⁰)", R"(x^{10})"},
      {R"(⌊x⌋)", R"(\lfloor x\rfloor)"},
      {R"(⌈2.1⌉)", R"(3)"},
      {R"(∠ABC = 60°)", R"(60)"},
      {R"(25¢)", R"(25)"},
      {R"(24)", R"("24")"},
      {R"(2, 4)", R"(2\ \&\ 4)"},
      {R"(24 \pmod{25})", R"(\equiv 24 \pmod{25})"},
      {R"(24 \pmod{25})", R"(\equiv 24 \mod 25)"},
      {R"(x=24)", R"(\implies x = 24)"},
      {R"(\operatorname{arctg} 1)", R"(\frac\pi4)"},
      {R"(\tg x)", R"(\tan x)"},
      {R"(1{3\over4})", R"(\frac74)"},
      {R"(\text{Answer: } -48)", R"(-48)"},
      {R"(\text{The answer is } -x+1)", R"(1-x)"},
      {R"(\{1,2\}\cup\{3\})", R"(\{1,2,3\})"},
      {R"(\{1,2,3\}\setminus\{3\})", R"(\{1,2\})"},
  });
  check_other({
      {R"(y''_1)", R"(y_1')"},
      {R"(\sum^3_{k=1} k)", R"(10)"},
      {R"(0.5(3))", R"(\frac{8}{15})"},
      {R"(x¹⁰)", R"(x^{-10})"},
      {R"(\text{Answer: } -48)", R"(48)"},
      {R"(\text{cats } - 48)", R"(-48)"},
      {R"(\{1,2\}\cup\{3\})", R"(\{1,2\})"},
      {R"(\{1,2\}\cup\{3\})", R"((1,3))"},
  });
}
