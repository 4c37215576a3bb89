#include "trainer/core/json.h"

#include "tests/support/catch.h"
#include "trainer/core/error.h"

using namespace aha;

TEST_CASE("parse_json: an error says where and what", "[core]") {
  CHECK_THROWS_WITH(parse_json("{\"a\": }", "rows.jsonl:3"),
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
