// What words and signs beside a number in running text make of it.
#include "tests/rewards/math_support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("math prose: what words make of a number is not the number") {
  for (const std::string said : {"the square root of 12",
                                 "the cube root of 12",
                                 "the square of 12",
                                 "the reciprocal of 12",
                                 "the negative of 12",
                                 "the opposite of 12",
                                 "log of 12",
                                 "a third of 12",
                                 "10% of 12",
                                 "1/2 of 12",
                                 "3 of 12",
                                 "three times 12",
                                 "at least 12",
                                 "at most 12",
                                 "up to 12",
                                 "just under 12",
                                 "over 12",
                                 "none of 12",
                                 "the sine of 12",
                                 "the number of divisors of 12",
                                 "one twelfth of 12",
                                 "(not) 12",
                                 "unlikely to be 12",
                                 "such as 12",
                                 "hex 12",
                                 "12 and a half",
                                 "12 and three quarters",
                                 "12 out of 25",
                                 "12 of 13",
                                 "12 over 5",
                                 "12 over $x$",
                                 "12 divided by 5",
                                 "12 multiplied by 3",
                                 "12 added to 5",
                                 "12 subtracted from 20",
                                 "12 less 5",
                                 "12 to the fifth",
                                 "12 inverted",
                                 "12 times pi",
                                 "12 times 5",
                                 "12 to the power of 3",
                                 "12 raised to the 3rd",
                                 "12 choose 3",
                                 "12 per cent",
                                 "12 per 2",
                                 "12 dozen",
                                 "12 tenths",
                                 "12 halves",
                                 "12 to 15",
                                 "12~14",
                                 "12 in 25",
                                 "12 in base 5",
                                 "12 (base 3)",
                                 "12 in binary",
                                 "12_{\\text{three}}",
                                 "12 modulo 5",
                                 "12 mod 5",
                                 "12 point 5",
                                 "12 remainder 3",
                                 "12 with a remainder of 3",
                                 "12 R3",
                                 "12 R 3",
                                 "12 hours 30 minutes",
                                 "12 feet 3 inches",
                                 "12 fewer than 20",
                                 "12 less than x",
                                 "12 short of 20",
                                 "12 below zero",
                                 "12 or more",
                                 "12 or less",
                                 "12 at most",
                                 "12 if n is even",
                                 "12 unless x = 0",
                                 "12 if x > 0 and 13 otherwise",
                                 "12 for boys and 13 for girls",
                                 "12, etc",
                                 "12 when n is even and 13 when n is odd",
                                 "12₅",
                                 "∛12",
                                 "12‰",
                                 "12≤",
                                 "¬12",
                                 "!12",
                                 "12→13",
                                 "12⊕13",
                                 "12…",
                                 "12...",
                                 "– 12"}) {
    for (const std::string& text :
         {"The answer is " + said + ".", "So in the end we get " + said + ".",
          "<answer>it is " + said + "</answer>", "Final answer: " + said}) {
      INFO(text);
      CHECK(completed("12", text) == 0.0);
    }
  }
  for (const std::string gold : {"13", "15", "25", "30", "5"}) {
    INFO(gold);
    for (const std::string text :
         {"The answer is 12 if x > 0 and 13 otherwise.",
          "The answer is 12 for boys and 13 for girls.", "The answer is 12 to 15.",
          "The answer is 12 out of 25.", "The answer is 12 hours 30 minutes.",
          "So we get 12 out of 25", "It takes 12 hours and 30 minutes", "So we get 12 over 5"})
      CHECK(completed(gold, text) == 0.0);
  }
}

TEST_CASE("math prose: ordinary words beside a number change nothing") {
  for (const std::string said :
       {"12 apples.", "12 dollars per hour.", "12 of them.", "12 to the nearest whole number.",
        "12 out of the box.", "12 times a week.", "12 over the weekend.", "12 in total.",
        "12 or twelve.", "a total of 12.", "equal to 12.", "12 if all of them are sold.",
        "12 for each of the 3 boys.", "12 hours in the morning.", "12 in 5 minutes.", "12∎",
        "12 more than her.", "∴12", "12 → done"}) {
    INFO(said);
    CHECK(completed("12", "The answer is " + said) == 1.0);
  }
  for (const std::string text : {"The numbers add up to 12", "She has at least 5 + 7 = 12",
                                 "They make 24/2 = 12 dozen", "Over 50: 40 - 28 = 12 judges",
                                 "So 24 - 12 = 12 if all are sold", "a distance of 12 miles"}) {
    INFO(text);
    CHECK(completed("12", text) == 1.0);
  }
}
