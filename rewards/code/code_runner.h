#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rewards/code/code_block.h"
#include "rewards/code/code_tests.h"
#include "rewards/code/compile_cache.h"
#include "rewards/code/output.h"
#include "rewards/options.h"
#include "rewards/sandbox/sandbox.h"

namespace aha {

/// Runs programs on tests in a sandbox. May be used by several threads.
class CodeRunner {
 public:
  /// Options time_limit_s, memory_mb, python, compiler, compare, allow_no_isolation. UserError where there
  /// is no isolation, or nothing that works to run programs of the language `only`.
  CodeRunner(const RewardOptions& options, std::optional<Language> only);

  struct Outcome {
    std::optional<bool> passed;  ///< nothing: the test could not be run
    std::string reason;
    bool costly = false;  ///< it came to a time limit or does not compile: other tests may, too
  };

  /// Runs the tests in their order, until `more`, given the outcome of each, is false. What an answer
  /// prints, and what assertions in Python find, is decided here and not in its process; assertions in
  /// C++ are compiled with the answer, which can pass them without solving them.
  void run(const CodeBlock& code, const std::vector<CodeTest>& tests,
           const std::function<bool(const Outcome&)>& more) const;

  /// Whether a program that writes nothing passes it.
  bool passes_silence(const CodeTest& test) const {
    return test.assertion.empty() && same_output("", test.output, compare_);
  }
  /// Why programs of this language cannot be run; the first call runs one.
  std::optional<std::string> missing(Language language) const;
  /// Seconds by the clock that a test may take, of time_limit_s of processor time.
  static double wall_limit_s(std::int64_t time_limit_s) {
    return 4 * static_cast<double>(time_limit_s) + 10;
  }
  std::string isolation() const { return sandbox_->isolation(); }
  std::int64_t compiled() const { return cache_->compiled(); }

 private:
  class Work;
  std::optional<std::string> tried(Language language) const;
  Outcome outcome_of(Work& work, const CodeTest& test) const;
  Outcome run_python(Work& work, const CodeTest& test) const;
  Outcome judge_python(Work& work, const CodeTest& test) const;
  Outcome run_cpp(const CodeBlock& code, const CodeTest& test) const;
  /// Why it failed. What was killed again, too, has failed: else a program that can bring that about, were it by the
  /// machine's memory, would decide whether it is judged.
  std::string reason_of(const SandboxResult& result) const;
  Outcome compared(const SandboxResult& result, const std::string& wanted, Compare compare) const;
  CompileCache::Program compile(const std::string& source) const;
  SandboxLimits limits() const;

  Compare compare_;
  std::int64_t time_limit_s_;
  std::int64_t memory_bytes_;
  std::optional<std::filesystem::path> python_;
  std::optional<std::filesystem::path> compiler_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<CompileCache> cache_;
  struct Trial {
    std::once_flag once;
    std::optional<std::string> problem;
  };
  mutable Trial python_trial_;
  mutable Trial cpp_trial_;
  mutable std::atomic<std::uint64_t> killed_ = 0;
};

}  // namespace aha
