#include "trainer/core/json.h"

#include <string>

#include "tests/support/catch.h"
#include "trainer/core/error.h"

using namespace aha;

TEST_CASE("parse_json: an error says where and what", "[core]") {
  CHECK_THROWS_WITH(
      parse_json("{\"a\": }", "rows.jsonl:3"),
      aha_test::contains("rows.jsonl:3: not valid JSON: parse error at line 1, column 7"));
}

TEST_CASE("parse_json: nesting that could overflow the stack is refused", "[core]") {
  CHECK_THROWS_AS(parse_json(std::string(100000, '['), "x"), UserError);
  CHECK_NOTHROW(parse_json("\"" + std::string(1000, '[') + "\"", "x"));
}

TEST_CASE("dump_line: invalid UTF-8 is replaced, not thrown at", "[core]") {
  const Json value{{"text", "a\xff b"}};
  CHECK(dump_line(value) == "{\"text\":\"a\xef\xbf\xbd b\"}");
}

TEST_CASE("parse_json: a message is a line of bounded length, whatever was read", "[core]") {
  try {
    parse_json("\"" + std::string(100000, 'x'), "f");
    FAIL("an unfinished text was taken");
  } catch (const UserError& error) {
    CHECK(std::string(error.what()).size() < 400);
  }
}

TEST_CASE("dump_line: numbers read back to the same bits", "[core]") {
  for (const double value : {0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, -0.0})
    CHECK(parse_json(dump_line(OrderedJson(value)), "f").get<double>() == value);
}
