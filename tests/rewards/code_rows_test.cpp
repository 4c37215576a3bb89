// The forms of rows with tests.
#include "rewards/code/code_tests.h"
#include "tests/rewards/code_support.h"

using namespace aha_test;
using aha::Json;

namespace {

const std::string kCheck = "def check(candidate):\n    assert candidate(3) == 6\n";

/// What HumanEval's tests call in the end; or why the row is a bad one.
std::string ending(const Json& row) {
  const auto found = aha::code_tests(row, "tests");
  if (!found.problem.empty()) return found.problem;
  const auto& test = found.tests.front().assertion;
  return test.substr(test.find_last_of('\n', test.size() - 2) + 1);
}

}  // namespace

TEST_CASE("code: HumanEval's check is called with the entry point, or the prompt's only function",
          "[code]") {
  const std::string prompt =
      "from typing import List\n\ndef f(x: int) -> int:\n    \"\"\" Twice x.\n"
      "def g(x): is no function here\n    \"\"\"\n    def inner(): pass\n";
  CHECK(ending({{"test", kCheck}, {"entry_point", "g"}, {"prompt", prompt}}) == "check(g)\n");
  CHECK(ending({{"test", kCheck}, {"prompt", prompt}}) == "check(f)\n");
  CHECK_THAT(ending({{"test", kCheck}}),
             contains("'entry_point'") && contains("'prompt' defines no functions"));
  CHECK_THAT(ending({{"test", kCheck}, {"prompt", prompt + "def g(x): return x\n"}}),
             contains("'prompt' defines 2 functions"));
  // calls of check, and names that only end so
  CHECK(ending({{"test", kCheck + "check(f)\n"}}) == "check(f)\n");
  for (const char* more : {"def metadata_check(x): pass\nmetadata_check(1)\n", "self.check(f)\n",
                           "# check(f)\n", "text = 'check(f)'\n"})
    CHECK_THAT(ending({{"test", kCheck + more}}), contains("the tests define check(...)"));
  CHECK(ending({{"test", "def  check (candidate):\n    pass\n"}, {"entry_point", "f"}}) ==
        "check(f)\n");
  const std::string other = "def metadata_check(x):\n    assert f(x)\nmetadata_check(1)\n";
  CHECK(ending({{"test", other}, {"entry_point", "f"}}) == "metadata_check(1)\n");
}

TEST_CASE("code: tests behind the first ones wanted are not looked at", "[code]") {
  Json row = {{"tests", {"assert f(1)", "assert f(2)", 3}}};
  CHECK_FALSE(aha::code_tests(row, "tests").problem.empty());
  CHECK(aha::code_tests(row, "tests", 2).tests.size() == 2);
  const Json pairs = {{"inputs", {"1", "2", nullptr}}, {"outputs", {"1", "2", "3"}}};
  CHECK(aha::code_tests(pairs, "tests", 2).tests.size() == 2);
  const aha::CodeTestsOfRows known("tests", 1);
  const auto tests = known.of(row);
  CHECK(tests->tests.size() == 1);
  CHECK(known.of(Json(row)) == tests);
  row["tests"][0] = "assert f(3)";
  CHECK(known.of(row)->tests.front().assertion == "assert f(3)");
}
