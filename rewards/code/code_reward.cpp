#include "rewards/code/code_reward.h"

#include <spdlog/spdlog.h>

#include <array>
#include <mutex>

#include "rewards/code/code_runner.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

/// What may hold the answer; nothing where thinking has not ended.
std::optional<std::string_view> after_thought(std::string_view text) {
  constexpr std::string_view kEnd = "</think>";
  if (const auto end = text.rfind(kEnd); end != std::string_view::npos)
    return text.substr(end + kEnd.size());
  if (text.find("<think>") != std::string_view::npos) return std::nullopt;
  return text;
}

class CodeReward final : public Reward {
 public:
  explicit CodeReward(const RewardOptions& options)
      : language_(language_of(options)),
        runner_(options, language_),
        tests_field_(options.text("tests_field")),
        max_tests_(static_cast<std::size_t>(options.whole("max_tests", 0))) {
    const std::array<std::string, 2> credits = {"all", "partial"};
    partial_ = options.choice("credit", credits) == "partial";
  }

  bool is_verifier() const override { return true; }
  bool waits() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    auto problem = code_tests(row, tests_field_).problem;
    return problem.empty() ? std::nullopt : std::optional(std::move(problem));
  }

  RewardPart score(const Attempt& attempt) const override {
    auto [tests, problem] = code_tests(attempt.row, tests_field_);
    if (!problem.empty()) return {std::nullopt, "", problem};
    const auto text = after_thought(attempt.completion);
    if (!text) return {0.0, "", "the thinking has not ended"};
    auto code = last_code_block(*text, language_);
    if (!code && attempt.bare) code = CodeBlock{*text, language_.value_or(Language::Python)};
    if (!code) return {0.0, "", attempt.truncated ? "truncated" : "no block of code"};
    if (auto missing = runner_.missing(code->language)) return {std::nullopt, "", *missing};
    std::call_once(told_, [this] { spdlog::info("reward 'code': {}", runner_.isolation()); });
    if (max_tests_ > 0 && tests.size() > max_tests_) tests.resize(max_tests_);
    auto part = run(*code, tests);
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

  RewardPart run(const CodeBlock& code, const std::vector<CodeTest>& tests) const {
    RewardPart part{0.0, "", "right", 0};
    std::size_t passed = 0;
    for (const auto& test : tests) {
      const auto outcome = runner_.run(code, test);
      ++part.steps;
      if (!outcome.passed) return {std::nullopt, "", outcome.reason, part.steps};
      if (*outcome.passed) {
        ++passed;
        continue;
      }
      if (passed + 1 == static_cast<std::size_t>(part.steps))
        part.reason = fmt::format("test {} of {}: {}", part.steps, tests.size(), outcome.reason);
      if (!partial_) return part;
    }
    part.score = static_cast<double>(passed) / static_cast<double>(tests.size());
    if (passed > 0 && passed < tests.size())
      part.reason = fmt::format("{} of {} tests; {}", passed, tests.size(), part.reason);
    return part;
  }

  std::optional<Language> language_;
  CodeRunner runner_;
  std::string tests_field_;
  std::size_t max_tests_;
  bool partial_ = false;
  mutable std::once_flag told_;
};

}  // namespace

std::unique_ptr<Reward> make_code_reward(const RewardOptions& options) {
  return std::make_unique<CodeReward>(options);
}

}  // namespace aha
