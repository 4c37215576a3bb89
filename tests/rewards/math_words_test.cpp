// The reward `math`: words beside a formula.
#include "tests/rewards/math_support.h"
#include "tests/support/catch.h"

using namespace aha_test;  // NOLINT

TEST_CASE("math: units and labels beside a number do not count") {
  check_same({
      {R"(5)", R"(5 \text{ cm})"},
      {R"(5)", R"(5 \text{ miles per hour})"},
      {R"(5)", R"(5 \text{ square feet})"},
      {R"(5)", R"(5 \text{ even numbers})"},
      {R"(5)", R"(5 \text{ watts of power})"},
      {R"(5)", R"(\$5 \text{ gross profit})"},
      {R"(5)", R"(5 \text{ boys and girls})"},
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
          {R"(12)", R"(12 in hexadecimal)"},
          {R"(12)", R"(12 tens)"},
          {R"(12)", R"(12 gross)"},
          {R"(12)", R"(12 score)"},
          {R"(12)", R"(12^{th} power)"},
          {R"(12)", R"(12 root)"},
          {R"(12)", R"(12 less)"},
          {R"(12)", R"(12 false)"},
          {R"(1,2,3)", R"(1, 2, 3 \text{ and more})"},
          {R"(1,2,3)", R"(1, 2, 3 \text{ among others})"},
          {R"(1,2,3)", R"(1, 2, 3 \text{ and so on})"},
          {R"(1,2,3)", R"(1, 2, 3 \text{ excluded})"},
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

TEST_CASE("math: phrases that have a sign are what it says") {
  check_same({
      {R"(\mathbb R)", R"(\text{all real numbers})"},
      {R"((-\infty,\infty))", R"(the set of all real numbers)"},
      {R"(\mathbb R)", R"(\mathbf R)"},
      {R"(\emptyset)", R"(\text{no solution})"},
      {R"(\text{no solution})", R"(There are no solutions.)"},
      {R"(\text{no solution})", R"(None)"},
      {R"(\text{DNE})", R"(does not exist)"},
      {R"(-\infty)", R"(-\text{infinity})"},
      {R"(12:5)", R"(12 to 5)"},
      {R"(12:5)", R"(12 \text{ to } 5)"},
  });
  check_other({
      {R"(\mathbb R)", R"(\text{no real numbers})"},
      {R"(\text{no solution})", R"(one solution)"},
      {R"(\text{no solution})", R"(0)"},
      {R"(5)", R"(\text{DNE})"},
      {R"(12:5)", R"(5 to 12)"},
  });
}

TEST_CASE("math: among names \"and\" is not \"or\", and a remainder is no divisor") {
  check_same({
      {R"(\text{A and C})", R"(A, C)"},
      {R"(x=1 \text{ or } x=2)", R"(x=1 \text{ and } x=2)"},
      {R"(11\text{ R }3)", R"(11 remainder 3)"},
      {R"(11 r 3)", R"(11 \text{ with a remainder of } 3)"},
  });
  check_other({
      {R"(\text{A and C})", R"(A or C)"},
      {R"(\text{Alice and Bob})", R"(Alice or Bob)"},
      {R"(11\text{ R }3)", R"(3 R 11)"},
      {R"(11\text{ R }3)", R"(33)"},
      {R"(11\text{ R }3)", R"(11)"},
  });
}

TEST_CASE("math: the half of the day counts beside another one, however it is written") {
  check_same({
      {R"(2:00 PM)", R"(2 p.m.)"},
      {R"(8:00 am)", R"(8 a.m.)"},
      {R"(8:00 am)", R"(8:00)"},
      {R"(3:30 \text{ p.m.})", R"(3:30 PM)"},
      {R"(3:30 \text{ p.m.})", R"(\text{3:30 PM})"},
      {R"(3:30 \text{ p.m.})", R"(3:30~\text{pm})"},
      {R"(\text{10:45 a.m.})", R"(10:45)"},
      {R"(10:45 A.M.)", R"(10:45 AM)"},
  });
  check_other({
      {R"(2:00 PM)", R"(2:00 AM)"},
      {R"(12:00 p.m.)", R"(12:00 AM)"},
      {R"(8:00 am)", R"(8:00 p.m.)"},
      {R"(8:00 am)", R"(4:00 am)"},
      {R"(2:00)", R"(4:00)"},
      {R"(1:20 PM)", R"(2:40 PM)"},
      {R"(10:45 a.m.)", R"(10:46)"},
  });
}

TEST_CASE("math: a quantity of several units is its numbers with them") {
  check_same({
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5 feet 6 inches)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5 ft 6 in)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5 feet and 6 inches)"},
      {R"(2 \text{ hours } 30 \text{ minutes})", R"(2 \text{ hrs. and } 30 \text{ min.})"},
      {R"(1 hour, 2 minutes, 3 seconds)", R"(1 hr 2 min 3 sec)"},
      {R"(5, 6)", R"(5 \text{ feet and } 6 \text{ feet})"},
      {R"(12)", R"(12\frac{\text{km}}{\text{h}})"},
      {R"(12)", R"(12\,\mu\text{m})"},
      {R"(12)", R"(USD 12)"},
      {R"(12)", R"(Rs. 12)"},
      {R"(12)", R"(₹12)"},
  });
  check_other({
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(6)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5, 6)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"((5,6))"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5 < x < 6)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(6 feet 5 inches)"},
      {R"(5 \text{ feet } 6 \text{ inches})", R"(5 yards 6 inches)"},
      {R"(2 \text{ hours } 30 \text{ minutes})", R"(2 hours 45 minutes)"},
  });
}

TEST_CASE("math: an answer that is mathematics is not compared as words") {
  check_same({
      {R"(\text{2.5 cm})", R"(2.5 cm)"},
      {R"(€2.50)", R"(2.5)"},
      {R"(−1.5)", R"(-1.5)"},
      {R"(\text{Friday})", R"(friday.)"},
      {R"(\text{Yes})", R"(YES)"},
      {R"(\text{No})", R"(no)"},
      {R"(\text{Bob})", R"(BOB)"},
      {R"(Red)", R"(red)"},
      {R"(Alice and Bob)", R"(\text{alice and bob})"},
      {R"(No solution)", R"(no solution)"},
      {R"(\text{an ellipse})", R"(Ellipse)"},
  });
  check_other({
      {R"(2.5 cm)", R"(25 cm)"},
      {R"(\text{2.5 cm})", R"(25 cm)"},
      {R"(15 hours)", R"(1.5 hours)"},
      {R"(12.50 dollars)", R"(1250 dollars)"},
      {R"(€2.50)", R"(€250)"},
      {R"(1.5 million)", R"(15 million)"},
      {R"(22.5°)", R"(225°)"},
      {R"(−1.5)", R"(−15)"},
      {R"(1.5π)", R"(15π)"},
      {R"(x ≤ 2.5)", R"(x ≤ 25)"},
      {R"((−∞, 1.5))", R"((−∞, 15))"},
      {R"(2.5 and 3.5)", R"(25 and 35)"},
      {R"(f(1.5))", R"(f(15))"},
      {R"(p - q)", R"(P - Q)"},
      {R"(2x)", R"(2X)"},
      {R"(ab)", R"(AB)"},
      {R"(mgh)", R"(mGh)"},
      {R"(mgh)", R"(MGH)"},
      {R"((a,b))", R"((A,B))"},
      {R"(f'(x))", R"(F'(x))"},
      {R"(n odd)", R"(N odd)"},
      {R"(version 2.5 is best, I believe it)", R"(version 25 is best, I believe it)"},
      {R"(plan p)", R"(plan P)"},
      {R"(Bob)", R"(Rob)"},
  });
}
