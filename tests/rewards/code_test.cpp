// Programs that pass tests. What is right and wrong is plain from the programs; the forms of rows are those
// of the published sets (APPS, MBPP, HumanEval). Where a machine has no Python, no compiler or no
// isolation, what needs it is skipped.
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha_test;
using aha::Json;

namespace {

std::string fenced(const std::string& language, const std::string& code) {
  return "Here it is.\n```" + language + "\n" + code + "\n```\n";
}

/// Nothing where programs of this language cannot be run here.
std::unique_ptr<aha::Reward> reward_for(const std::string& language) {
  try {
    return aha::make_reward("code", {{"language", language}, {"time_limit_s", "2"}});
  } catch (const aha::UserError& error) {
    WARN("skipped: " << error.what());
    return nullptr;
  }
}

const Json kSum = {
    {"tests", {{{"input", "1 2\n"}, {"output", "3\n"}}, {{"input", "5 6\n"}, {"output", "11\n"}}}}};

}  // namespace

TEST_CASE("code: Python is judged by what it writes", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const Json& row = kSum) {
    return Judged{.text = fenced("python", code), .row = row}.by(*reward);
  };
  CHECK(by("print(sum(map(int, input().split())))").score == 1.0);
  CHECK(by("print(3)").score == 0.0);
  CHECK(by("print(3)").reason == "test 2 of 2: wrote '3', wanted '11'");
  CHECK(by("raise ValueError('x')").score == 0.0);
  CHECK(by("import os; os._exit(0)").score == 0.0);
  CHECK(by("while True: pass").reason == "test 1 of 2: time limit");
  CHECK(by("import os; os.fork(); print(sum(map(int, input().split())))").score == 0.0);
  const Json apps = {{"input_output", R"({"inputs": ["1 2\n"], "outputs": ["3\n"]})"}};
  CHECK(by("print(sum(map(int, input().split())))", apps).score == 1.0);
}

TEST_CASE("code: assertions are decided where the answer does not see them", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const Json& row) {
    return Judged{.text = fenced("python", code), .row = row}.by(*reward).score;
  };
  const Json mbpp = {{"test_list", {"assert twice(2) == 4", "assert twice(-1) == -2"}}};
  CHECK(by("def twice(x):\n    return 2 * x", mbpp) == 1.0);
  CHECK(by("def twice(x):\n    return x * x", mbpp) == 0.0);
  CHECK(by("class A:\n    def __eq__(self, other): return True\ndef twice(x): return A()", mbpp) ==
        0.0);
  CHECK(by("import os\ndef twice(x): os._exit(0)", mbpp) == 0.0);
  const Json human_eval = {{"test", "def check(candidate):\n    assert candidate(3) == 9\n"},
                           {"entry_point", "square"}};
  CHECK(by("def square(x):\n    return x * x", human_eval) == 1.0);
  CHECK(by("def square(x):\n    return x + x", human_eval) == 0.0);
}

TEST_CASE("code: C++ is compiled once and judged by what it writes", "[code]") {
  const auto reward = reward_for("cpp");
  if (!reward) return;
  const auto by = [&](const std::string& code) {
    return Judged{.text = fenced("cpp", code), .row = kSum}.by(*reward);
  };
  CHECK(by("#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }")
            .score == 1.0);
  CHECK(by("int main() { return 0; }").score == 0.0);
  CHECK(by("int main() { return x; }").reason.starts_with("test 1 of 2: does not compile: "));
}

TEST_CASE("code: what is not an answer gets nothing, what cannot be judged is no zero", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto right = fenced("python", "print(sum(map(int, input().split())))");
  const auto by = [&](const std::string& text, const Json& row = kSum) {
    return Judged{.text = text, .row = row}.by(*reward);
  };
  CHECK(by("no code").reason == "no block of code");
  CHECK(by("<think>" + right).reason == "the thinking has not ended");
  CHECK(by("<think>" + right + "</think>").score == 0.0);
  CHECK(by("<think>hm</think>" + right).score == 1.0);
  CHECK(by(right + fenced("python", "print(3)")).score == 0.0);  // the last block counts
  CHECK_FALSE(by(right, Json::object()).score);
  CHECK(error_of([] {
          aha::make_reward("code", {{"python", "/nowhere/python"}, {"language", "python"}});
        }).find("'/nowhere/python' is not there") != std::string::npos);
}

TEST_CASE("code: an interpreter that fails by itself is an error, not a wrong answer", "[code]") {
  CHECK(error_of([] {
          aha::make_reward("code", {{"python", "/bin/false"}, {"language", "python"}});
        }).find("/bin/false does not work in the sandbox: exit code 1") != std::string::npos);
}
