#include "rewards/code/code_reward.h"

#include <spdlog/spdlog.h>

#include <array>
#include <mutex>

#include "rewards/code/askable.h"
#include "rewards/code/code_runner.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

class CodeReward final : public Reward {
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

  RewardPart score(const Attempt& attempt) const override {
    const auto tests = tests_.of(attempt.row);
    if (!tests->problem.empty()) return {std::nullopt, "", tests->problem};
    const auto text = after_ended_thought(attempt.completion);
    if (!text) return {0.0, "", "the thinking has not ended"};
    auto code = last_code_block(*text, language_);
    if (!code && attempt.bare) code = CodeBlock{*text, language_.value_or(Language::Python)};
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

std::unique_ptr<Reward> make_code_reward(const RewardOptions& options) {
  return std::make_unique<CodeReward>(options);
}

}  // namespace aha
