#include "rewards/registry.h"

#include <spdlog/spdlog.h>

#include <array>
#include <mutex>

#include "rewards/code/askable.h"
#include "rewards/code/code_runner.h"
#include "rewards/code/unfailing.h"
#include "rewards/row_doubt.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

class CodeReward final : public Reward, public DoubtsRows {
 public:
  explicit CodeReward(const RewardOptions& options)
      : language_(language_of(options)),
        runner_(options, language_),
        tests_(options.text("tests_field"),
               static_cast<std::size_t>(options.whole("max_tests", 0))) {
    const std::array<std::string, 2> credits = {"all", "partial"};
    partial_ = options.choice("credit", credits) == "partial";
    cpp_assertions_ = options.flag("cpp_assertions");
  }

  bool is_verifier() const override { return true; }
  bool waits() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto tests = tests_.of(row);
    if (!tests->problem.empty()) return tests->problem;
    if (language_ == Language::Cpp && !may_run(*tests, Language::Cpp)) return kNotInCpp;
    for (std::size_t i = 0; language_ != Language::Cpp && i < tests->tests.size(); ++i)
      if (const auto why = unaskable(tests->tests[i].assertion))
        return fmt::format("test {} cannot be asked here: {}", i + 1, *why);
    return std::nullopt;
  }

  std::optional<std::string> row_doubt(const Json& row) const override {
    const auto tests = tests_.of(row);
    if (auto silent = passed_by_silence(tests->tests)) return silent;
    if (language_ == Language::Cpp || cpp_assertions_)
      return std::nullopt;  // not Python, or it may be
    std::optional<std::string> first;
    for (std::size_t i = 0; i < tests->tests.size(); ++i) {
      const auto& test = tests->tests[i].assertion;
      const auto why = test.empty() ? std::nullopt : unfailing(test);
      if (!why) return std::nullopt;
      if (!first)
        first = fmt::format(
            "no answer fails its tests: test {} {}; such as assert f(3) == 7 would be right", i + 1,
            *why);
    }
    return first;
  }

  RewardPart score(const Attempt& attempt) const override {
    const auto tests = tests_.of(attempt.row);
    if (!tests->problem.empty()) return {std::nullopt, "", tests->problem};
    const auto text = after_ended_thought(attempt.completion);
    if (!text) return {0.0, "", "the thinking has not ended"};
    auto code = last_code_block(*text, language_);
    if (!code && attempt.bare)
      code = CodeBlock{std::string(*text), language_.value_or(Language::Python)};
    if (!code) return {0.0, "", attempt.truncated ? "truncated" : "no block of code"};
    if (!may_run(*tests, code->language)) {
      if (language_) return {std::nullopt, "", kNotInCpp};
      return {0.0, clipped(code->text),
              kNotInCpp};  // a policy that picks the language picks the judge
    }
    if (auto missing = runner_.missing(code->language)) return {std::nullopt, "", *missing};
    static std::once_flag told;  // of all that rows' options make: they share the machine
    std::call_once(told, [this] { spdlog::info("reward 'code': {}", runner_.isolation()); });
    auto part = run(*code, tests->tests);
    part.extracted = clipped(code->text);
    return part;
  }

  std::vector<std::string> explanation(const Attempt& attempt) const override {
    const auto part = score(attempt);
    return {"isolation: " + runner_.isolation(), "code: " + part.extracted,
            fmt::format("{} tests run", part.steps), part.reason};
  }

 private:
  static std::optional<Language> language_of(const RewardOptions& options) {
    const std::array<std::string, 3> known = {"auto", "python", "cpp"};
    const auto& name = options.choice("language", known);
    return name == "auto" ? std::nullopt : aha::language_of(name);
  }

  static constexpr const char* kNotInCpp =
      "the tests are assertions, which an answer in C++ can pass without solving them (option "
      "cpp_assertions: true runs them all the same)";

  /// A program that writes nothing is paid for where that is what all tests expect, or, for partial credit, some.
  std::optional<std::string> passed_by_silence(const std::vector<CodeTest>& tests) const {
    std::size_t passed = 0;
    std::size_t first = 0;
    for (std::size_t i = 0; i < tests.size(); ++i)
      if (runner_.passes_silence(tests[i]) && passed++ == 0) first = i + 1;
    if (passed == 0 || (passed < tests.size() && !partial_)) return std::nullopt;
    return fmt::format(
        "a program that writes nothing passes {} of its {} tests: test {} expects no output",
        passed, tests.size(), first);
  }

  bool may_run(const CodeTests& tests, Language language) const {
    return language != Language::Cpp || cpp_assertions_ || tests.tests.front().assertion.empty();
  }

  RewardPart run(const CodeBlock& code, const std::vector<CodeTest>& tests) const {
    RewardPart part{0.0, "", "right", 0};
    std::int64_t passed = 0;
    runner_.run(code, tests, [&](const CodeRunner::Outcome& outcome) {
      ++part.steps;
      if (!outcome.passed) {
        part.score = std::nullopt;
        part.reason = outcome.reason;
        return false;
      }
      if (*outcome.passed) return ++passed > 0;
      if (passed + 1 == part.steps)
        part.reason = fmt::format("test {} of {}: {}", part.steps, tests.size(), outcome.reason);
      return partial_ && !outcome.costly;
    });
    const auto count = static_cast<std::int64_t>(tests.size());
    if (!part.score || (!partial_ && passed < count)) return part;
    part.score = static_cast<double>(passed) / static_cast<double>(count);
    if (passed > 0 && passed < count)
      part.reason = fmt::format("{} of {} tests; {}", passed, count, part.reason);
    return part;
  }

  std::optional<Language> language_;
  CodeRunner runner_;
  CodeTestsOfRows tests_;
  bool partial_ = false;
  bool cpp_assertions_ = false;
};

}  // namespace

/// Programs that pass tests: 1 if the last fenced block of code passes all tests of the row
/// (code_tests.h has the forms), else 0; with `credit: partial` the share of those passed. `extracted`
/// is the code, `steps` the tests that were run. The first test that fails is the last one; with partial
/// credit the first that comes to a time limit or does not compile, and those behind it have failed, too.
///
/// Only what follows </think> counts; a thought or a block that has not ended has no answer. An attempt
/// that is `bare` is the code itself where it holds no block. Outputs are compared here and
/// assertions in Python run in a process of their own, so the program never sees what is expected
/// (python_driver.h says what is left to it: the methods of its own objects). In C++ assertions are
/// compiled with the answer and share its process: a C++ answer can pass them without solving them.
///
/// Options: `language` (auto: the block's tag says; python; cpp), `tests_field`, `credit`, `compare`,
/// `max_tests` (0: all; else the first ones), `time_limit_s` and `memory_mb` of a test, `python` and
/// `compiler` (names or paths of programs), `allow_no_isolation`.
///
/// A row without tests, or whose tests cannot be run here, cannot be judged. Otherwise the score is a
/// function of the answer, except where processor time decides: a program near its limit may pass on
/// one machine and not on another. It then fails with the reason "time limit".
RewardInfo code_reward() {
  return {
      "code",
      "the last block of code passes the row's tests, in a sandbox",
      {{"language", "auto", "auto: as the block is tagged; python; cpp"},
       {"tests_field", "tests", "the row's field with the tests; rewards/README.md has the forms"},
       {"credit", "all", "all: 1 for all tests, else 0; partial: the share of those passed"},
       {"compare", "lines", "lines: white space at ends does not count; words; exact"},
       {"max_tests", "0", "the first tests alone; 0: all"},
       {"time_limit_s", "10", "processor time of a test; by the clock 10 s and four times this"},
       {"memory_mb", "1024", "address space of a test"},
       {"python", "python3", "a program, by name or path", false},
       {"compiler", "g++", "a program, by name or path", false},
       {"cpp_assertions", "false",
        "true: run assertions in C++, which an answer can pass without solving them", false},
       {"allow_no_isolation", "false", "true: run programs even where nothing can hold them",
        false}},
      made<CodeReward>};
}

}  // namespace aha
