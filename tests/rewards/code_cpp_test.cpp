// Answers in C++, where there is a compiler and something that holds programs.
#include "tests/rewards/code_support.h"

using namespace aha_test;
using aha::Json;

TEST_CASE("code: assertions are not run in C++, where an answer passes them without solving them",
          "[code]") {
  const std::vector<std::string> hacks = {
      // reads the word that stands for the end of the tests, writes it and ends, before main
      "#include <cstdio>\n#include <unistd.h>\nstruct S {\n  S() {\n    char w[64];\n"
      "    if (scanf(\"%63s\", w) == 1) { printf(\"\\n%s\\n\", w); fflush(stdout); }\n"
      "    _exit(0);\n  }\n} s;\nint f(int) { return 0; }",
      // equal to everything
      "struct Any { template <class T> bool operator==(const T&) const { return true; } };\n"
      "Any f(int) { return {}; }"};
  const Json row = {{"tests", {"assert(f(3) == 6);"}}};
  const auto by = [&](const aha::Reward& reward, const std::string& code) {
    return Judged{.text = fenced("cpp", code), .row = row}.by(reward);
  };
  const auto cpp = reward_for("cpp");
  const auto any = reward_for("auto");
  const auto allowed = reward_for("cpp", {{"cpp_assertions", "true"}});
  if (!cpp || !any || !allowed) return;
  for (const auto& code : hacks) {
    CHECK(by(*allowed, code).score == 1.0);  // said so in rewards/README.md
    CHECK(by(*any, code).score == 0.0);      // the policy picks the language
    CHECK_FALSE(by(*cpp, code).score);
  }
  CHECK_THAT(cpp->gold_problem(row).value_or(""), contains("cpp_assertions: true"));
  CHECK_FALSE(allowed->gold_problem(row));
  CHECK_FALSE(any->gold_problem(row));
  CHECK_FALSE(cpp->gold_problem(kSum));
  CHECK_FALSE(aha::reward_info("code").takes_from_row("cpp_assertions"));
}

TEST_CASE("code: assertions in C++ may call what ends in main", "[code]") {
  const auto reward = reward_for("cpp", {{"cpp_assertions", "true"}});
  if (!reward) return;
  const auto by = [&](const std::string& code, const std::string& assertions) {
    const Json row = {{"tests", {assertions}}};
    return Judged{.text = fenced("cpp", code), .row = row}.by(*reward).score;
  };
  CHECK(by("int domain(int x) { return x; }", "assert(domain(1) == 1);") == 1.0);
  CHECK(by("int domain(int x) { return 2; }", "assert(domain(1) == 1);") == 0.0);
  CHECK(by("int f(int x) { return x; }", "int main() { assert(f(1) == 1); }") == 1.0);
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
