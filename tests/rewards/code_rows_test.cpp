// The forms of rows with tests, and what can be said of tests by reading them.
#include "rewards/code/code_block.h"
#include "rewards/code/code_tests.h"
#include "rewards/code/unfailing.h"
#include "rewards/row_doubt.h"
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

TEST_CASE("code: a test that no answer fails is seen by its text", "[code]") {
  for (const char* test : {"print(f(3) == 7)", "f(3) == 7", "result = f(3)\nok = result == 7",
                           "def test_a():\n    return f(3) == 7", "print('assert f(3) == 7')",
                           "# assert f(3) == 7\nf(3)"})
    CHECK(aha::unfailing(test) == "asserts nothing");
  for (const char* test :
       {"assert (f(3) == 7, 'wrong')", "assert(f(3) == 7, 'wrong')\nprint(f(3))",
        "assert (f(3) == 7,\n        'wrong'), 'twice'", "assert (f(3) == 7,)  # really"})
    CHECK(aha::unfailing(test) == "asserts a tuple in line 1, which is always true");
  CHECK(aha::unfailing("x = f(1)\nassert (x, 2)\nassert (x, 3)") ==
        "asserts a tuple in line 2, which is always true");
  for (const char* test :
       {"assert f(3) == 7", "assert (f(3) == 7), 'wrong'", "assert (f(1), f(2)) == (1, 2)",
        "assert (f(1, 2) == [3, 4])", "assert (1, 2) \\\n  == f(1)", "assert (1, 2) in f(1)",
        "assert (f(3) == 7, 'wrong')\nassert f(3) == 7", "if f(3) != 7: raise ValueError",
        "import sys\nif f(3) != 7: sys.exit(1)", "np.testing.assert_allclose(f(3), 7)",
        "class T(unittest.TestCase):\n    def test_a(self): self.assertEqual(f(3), 7)", "assert ("})
    CHECK_FALSE(aha::unfailing(test));
}

TEST_CASE("code: a row is doubtful where none of its tests can fail", "[code]") {
  const auto doubt = [](const Json& tests, const std::map<std::string, std::string>& options = {}) {
    const auto reward = reward_for("auto", options);
    if (!reward) return std::string("skipped");
    const auto& doubts = dynamic_cast<const aha::DoubtsRows&>(*reward);
    return doubts.row_doubt({{"tests", tests}}).value_or("none");
  };
  const std::string nothing = doubt({"print(f(3))", "assert (f(3), 'x')"});
  if (nothing == "skipped") return;
  CHECK(
      nothing ==
      "no answer fails its tests: test 1 asserts nothing; such as assert f(3) == 7 would be right");
  CHECK(doubt({"print(f(3))", "assert f(3) == 7"}) == "none");
  CHECK(doubt(kSum["tests"]) == "none");
  const auto pairs = [](const char* first, const char* second) {
    return Json{{{"input", "1"}, {"output", first}}, {{"input", "2"}, {"output", second}}};
  };
  CHECK(doubt(pairs("", " \n")) ==
        "a program that writes nothing passes 2 of its 2 tests: test 1 expects no output");
  CHECK(doubt(pairs("", " \n"), {{"compare", "exact"}}) == "none");
  CHECK(doubt(pairs("3", "")) == "none");
  CHECK(doubt(pairs("3", ""), {{"credit", "partial"}}) ==
        "a program that writes nothing passes 1 of its 2 tests: test 2 expects no output");
  CHECK(doubt({"print(f(3))"}, {{"cpp_assertions", "true"}}) == "none");
  CHECK(doubt(Json::array()) == "none");  // a bad row
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

TEST_CASE("code: what tests need to be imported stands beside them", "[code]") {
  for (const char* field : {"test_list", "tests"}) {
    const Json row = {{"test_imports", {"import math", "import re"}},
                      {"test_setup_code", "k = 3"},
                      {field, {"assert f(k) == math.pi"}}};
    CHECK(aha::code_tests(row, "tests").tests.front().assertion ==
          "import math\nimport re\nk = 3\nassert f(k) == math.pi");
  }
  const Json none = {
      {"test_imports", Json::array()}, {"test_setup_code", ""}, {"tests", {"assert f(1)"}}};
  CHECK(aha::code_tests(none, "tests").tests.front().assertion == "assert f(1)");
}

TEST_CASE("code: functions are called with arguments where a row names one", "[code]") {
  const auto problem = [](const Json& row) { return aha::code_tests(row, "tests").problem; };
  const auto calls =
      Json::parse(R"({"fn_name": "add", "inputs": [["a", "b"]], "outputs": ["ab"]})");
  CHECK(problem(calls).empty());
  CHECK(problem({{"tests", calls}}).empty());
  CHECK_THAT(problem({{"fn_name", "a+b"}, {"inputs", {{1}}}, {"outputs", {1}}}),
             contains("no name"));
  CHECK_THAT(problem({{"fn_name", "add"}, {"inputs", {1}}, {"outputs", {1}}}),
             contains("input 1 is no list of arguments for add"));
  CHECK_THAT(problem({{"fn_name", "add"}, {"inputs", {{1}}}, {"outputs", Json::array()}}),
             contains("as many of each"));
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const std::string& input_output) {
    const Json row = {{"input_output", input_output}};
    return Judged{.text = fenced("python", code), .row = row}.by(*reward).score;
  };
  const std::string add = R"({"fn_name": "add", "inputs": [["ab", "c"], ["\\", "\"]"]],)"
                          R"( "outputs": ["abc", ["\\\"]"]]})";
  CHECK(by("def add(a, b): return a + b", add) == 1.0);
  CHECK(by("class Solution:\n    def add(self, a, b): return a + b", add) == 1.0);
  CHECK(by("def add(a, b): return b + a", add) == 0.0);
  CHECK(by("class A:\n    def __eq__(self, o): return True\ndef add(a, b): return A()", add) ==
        0.0);
  CHECK(by("print('abc')", add) == 0.0);
  CHECK_FALSE(reward->gold_problem({{"input_output", add}}));
  // tuples are lists, whole numbers may be keys, large ones are exact; a list of more than one thing is itself
  const std::string values =
      R"({"fn_name": "sum", "inputs": [[1], [2], [3], [4], [{"1": 2}]], "outputs": )"
      R"([[[1, [2]]], [{"7": 8}], 12345678901234567890123, [5, 6], 1]})";
  const std::string right =
      "def sum(x): return ((1, (2,)) if x == 1 else {7: 8} if x == 2 else "
      "12345678901234567890123 if x == 3 else ";
  CHECK(by(right + "(5, 6) if x == 4 else list(x)[0])", values) == 1.0);
  CHECK(by(right + "5 if x == 4 else 1)", values) == 0.0);
}

TEST_CASE("code: the block that counts is the last one in a language", "[code]") {
  using aha::Language;
  const auto block = [](const std::string& text, std::optional<Language> wanted = {}) {
    const auto found = aha::last_code_block(text, wanted);
    if (!found) return std::string("none");
    return (found->language == Language::Cpp ? "cpp " : "") + found->text;
  };
  for (const char* tag : {"python", "py", "Python3", "python3.10", "PYTHON title=\"a.py\"", "py,no",
                          "python{1}", "", " python "})
    CHECK(block("```" + std::string(tag) + "\nx\n```") == "x\n");
  for (const char* tag : {"cpp", "C++", "c++17", "cpp20", "cc", "cxx"})
    CHECK(block("```" + std::string(tag) + "\nx\n```") == "cpp x\n");
  for (const char* tag : {"java", "pythonic", "c", "3", "text"})
    CHECK(block("```" + std::string(tag) + "\nx\n```") == "none");
  CHECK(block("~~~python\nx\n~~~") == "x\n");
  CHECK(block("~~~python\n```\nx\n~~~~") == "```\nx\n");
  CHECK(block("```python\nx\n~~~") == "none");
  CHECK(block("<answer>```python\nx\n```</answer>") == "x\n");
  CHECK(block("<answer> ```python\nx\n``` </answer>\nso") == "x\n");
  CHECK(block("```python\nx\n```done") == "none");
  // what it writes, or how it is started, does not take its place
  CHECK(block("```python\nx\n```\nIt writes\n```\n7\n```\n```bash\npython a.py\n```") == "x\n");
  CHECK(block("```python\nx\n```\n```py\ny\n```\n```\nz\n```") == "y\n");
  CHECK(block("```\nx\n```\n```\ny\n```") == "y\n");
  CHECK(block("```python\nx\n```\n```\ny\n```", Language::Cpp) == "cpp y\n");
  // an item of a list
  CHECK(block("1. So:\n   ```python\n   if x:\n\n     y\n   ```") == "if x:\n\n  y\n");
  CHECK(block("  ```python\nif x:\n  y\n  ```") == "if x:\n  y\n");
  CHECK(block("  ```python\r\n  x\r\n  ```\r\n") == "x\r\n");
}
