#include "trainer/core/json_text.h"

#include <array>

#include "tests/support/catch.h"

using namespace aha;

TEST_CASE("parse_row: a number that would be rounded is a text of what is written", "[core]") {
  // IEEE 754: 2^53 + 1 is the first whole number that a double lacks; doubles end near 1.8e308 and 4.9e-324
  struct Number {
    const char* written;
    bool kept;
  };
  const auto number = GENERATE(values<Number>({{"0", true},
                                               {"-0", true},
                                               {"-9223372036854775808", true},
                                               {"18446744073709551615", true},
                                               {"18446744073709551616", false},
                                               {"12345678901234567890123", false},
                                               {"1.10", true},
                                               {"0.1", true},
                                               {"1E3", true},
                                               {"1e+22", true},
                                               {"9007199254740993", true},
                                               {"9007199254740993.0", false},
                                               {"0.12345678901234567890", false},
                                               {"1e400", false},
                                               {"-1e-400", false}}));
  INFO(number.written);
  const auto row = parse_row(
      "{\"s\": \"1e400 \\\" 1e400\", \"a\": [" + std::string(number.written) + ", 1e400]}", "x");
  CHECK(row["s"] == "1e400 \" 1e400");
  CHECK(row["a"][1] == "1e400");
  CHECK(row["a"][0].is_string() != number.kept);
  if (!number.kept) CHECK(row["a"][0] == number.written);
}

TEST_CASE("parse_row: what is no JSON stays none", "[core]") {
  for (const char* text : {"{\"a\": 01e400}", "{\"a\": 1e400.}", "{\"a\": 1e}", "{\"a\": 1e400",
                           "{\"a\": -}", "\"1e400", "\\"})
    CHECK_THROWS_WITH(parse_row(text, "f:1"), aha_test::contains("f:1: not valid JSON"));
}

TEST_CASE("members_as_written: numbers, escapes and repeated names stay, white space goes",
          "[core]") {
  const std::array<std::string_view, 2> without = {"b", "\xC3\xA9"};
  CHECK(members_as_written(R"( { "a" : 1.10, "b": [1, {"c": 2}], "\u00e9": 1, "c":"x, \"b\": }",
        "a": [1e400, {"b" : -0}] } )",
                           without) == R"("a":1.10,"c":"x, \"b\": }","a":[1e400,{"b":-0}])");
  CHECK(members_as_written("{}", without).empty());
  CHECK(members_as_written(R"({"b": 1})", without).empty());
}
