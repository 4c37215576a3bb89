#include "rewards/code/code_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <random>
#include <utility>
#include <vector>

#include "rewards/code/installation.h"
#include "rewards/code/program_folder.h"
#include "rewards/code/python_driver.h"
#include "rewards/programs.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCompiled = 64;
constexpr std::int64_t kCompileSeconds = 30;
constexpr std::int64_t kCompilerBytes = std::int64_t{2} << 30;

std::string random_word() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}", device(), device(), device());
}

/// Whether code defines or calls a function of exactly this name.
bool names_function(std::string_view code, std::string_view name) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (auto at = code.find(name); at != std::string_view::npos; at = code.find(name, at + 1))
    if ((at == 0 || !is_part(code[at - 1])) && code.substr(at + name.size()).starts_with('('))
      return true;
  return false;
}

/// The answer, and after it tests, and after their end a word written that is read from the input: a
/// program that merely ends has not passed. One that reads and writes the word itself has, and so has one whose
/// types are equal to everything: hence option cpp_assertions.
std::string with_assertion(std::string_view code, const std::string& assertion) {
  // a renamed main without a return is undefined where it is optimized
  const auto tests =
      names_function(assertion, "main")
          ? fmt::format("#pragma GCC optimize(\"O0\")\n{}\n#pragma GCC reset_options\n", assertion)
          : fmt::format("int main() {{\n{}\nreturn 0;\n}}\n", assertion);
  return fmt::format(
      "{}\n#undef NDEBUG\n#include <cassert>\n#include <cstdio>\n#define main aha_tests\n{}\n"
      "#undef main\nint main() {{\n  aha_tests();\n  char word[64];\n"
      "  if (std::scanf(\"%63s\", word) == 1) std::printf(\"\\n%s\\n\", word);\n}}\n",
      code, tests);
}

bool killed(const SandboxResult& result) {
  return result.killed();
}

bool killed(const Sandbox::Pair& pair) {
  return pair.judge.killed() || pair.judged.killed();
}

/// What something outside has killed says nothing of the answer, and is run once more.
template <class Run>
auto undisturbed(const Run& run) {
  auto result = run();
  if (killed(result)) result = run();
  return result;
}

constexpr const char* kKilled = "it was killed, twice";

}  // namespace

CodeRunner::CodeRunner(const RewardOptions& options, std::optional<Language> only)
    : time_limit_s_(options.whole("time_limit_s", 1)),
      memory_bytes_(options.whole("memory_mb", 16) << 20),
      cache_(std::make_unique<CompileCache>(kMostCompiled)) {
  const std::array<std::string, 3> ways = {"lines", "words", "exact"};
  const auto& way = options.choice("compare", ways);
  compare_ = way == "lines" ? Compare::Lines : way == "words" ? Compare::Words : Compare::Exact;
  const auto& python = options.text("python");
  const auto& compiler = options.text("compiler");
  if ((python_ = program_path(python))) python_ = within_installation(interpreter_of(*python_));
  compiler_ = program_path(compiler);
  if (!python_ && (only == Language::Python || !compiler_))
    required_program(options.reward(), python);
  if (!compiler_ && only == Language::Cpp) required_program(options.reward(), compiler);
  SandboxOptions box;
  for (const auto& program : {python_, compiler_}) {
    if (!program) continue;
    for (auto& path : paths_of_program(*program))
      box.paths.push_back(std::move(path));
  }
  std::sort(box.paths.begin(), box.paths.end());  // a folder before what lies beneath it
  box.allow_no_isolation = options.flag("allow_no_isolation");
  try {
    sandbox_ = std::make_unique<Sandbox>(std::move(box));
  } catch (const UserError& error) {
    fail("reward '{}': {}", options.reward(), error.what());
  }
  if (!only) return;
  if (const auto problem = missing(*only)) fail("reward '{}': {}", options.reward(), *problem);
}

std::optional<std::string> CodeRunner::missing(Language language) const {
  Trial& trial = language == Language::Python ? python_trial_ : cpp_trial_;
  std::call_once(trial.once, [&] { trial.problem = tried(language); });
  return trial.problem;
}

/// A program that works everywhere must work here: what fails for a reason of ours is no wrong answer.
std::optional<std::string> CodeRunner::tried(Language language) const {
  const bool is_python = language == Language::Python;
  const auto& path = is_python ? python_ : compiler_;
  if (!path)
    return is_python ? "no Python here (option python)" : "no C++ compiler here (option compiler)";
  const CodeBlock code{
      is_python ? "print(6 * 7)" : "#include <cstdio>\nint main() { std::puts(\"42\"); }",
      language};
  Outcome outcome;
  run(code, {{"", "42\n", ""}}, [&outcome](const Outcome& only) {
    outcome = only;
    return false;
  });
  if (outcome.passed == true) return std::nullopt;
  return fmt::format("{} does not work in the sandbox: {} (option {})", path->string(),
                     outcome.reason, is_python ? "python" : "compiler");
}

SandboxLimits CodeRunner::limits() const {
  SandboxLimits limits;
  limits.cpu_s = time_limit_s_;
  limits.wall_s = wall_limit_s(time_limit_s_);
  limits.memory_bytes = memory_bytes_;
  return limits;
}

/// An answer and the folders that its tests share, made when the first of them needs them.
class CodeRunner::Work {
 public:
  Work(const Sandbox& sandbox, const CodeBlock& code) : sandbox_(sandbox), code_(code) {}

  const CodeBlock& code() const { return code_; }

  const ProgramFolder& program() {
    if (!program_) program_.emplace(sandbox_).add("main.py", code_.text);
    return *program_;
  }
  const ProgramFolder& judge() {
    if (judge_) return *judge_;
    add_driver(judge_.emplace(sandbox_), "judge.py", kPythonJudge);
    judge_->add("aha_asking.py", kPythonAsking);
    judge_->add("aha_stand_ins.py", kPythonStandIns);
    return *judge_;
  }
  const ProgramFolder& judged() {
    if (judged_) return *judged_;
    add_driver(judged_.emplace(sandbox_), "judged.py", kPythonJudged);
    judged_->add("answer.py", code_.text);
    return *judged_;
  }

 private:
  static void add_driver(const ProgramFolder& folder, const char* name, const char* driver) {
    folder.add("aha_wire.py", kPythonWire);
    folder.add(name, driver);
  }

  const Sandbox& sandbox_;
  const CodeBlock& code_;
  std::optional<ProgramFolder> program_;
  std::optional<ProgramFolder> judge_;
  std::optional<ProgramFolder> judged_;
};

void CodeRunner::run(const CodeBlock& code, const std::vector<CodeTest>& tests,
                     const std::function<bool(const Outcome&)>& more) const {
  Work work(*sandbox_, code);
  for (const auto& test : tests)
    if (!more(outcome_of(work, test))) return;
}

CodeRunner::Outcome CodeRunner::outcome_of(Work& work, const CodeTest& test) const {
  try {
    if (work.code().language == Language::Cpp) return run_cpp(work.code(), test);
    return test.assertion.empty() ? run_python(work, test) : judge_python(work, test);
  } catch (const UserError& error) {
    return {std::nullopt, error.what()};
  }
}

std::string CodeRunner::reason_of(const SandboxResult& result) const {
  if (!result.killed()) return result.reason();
  const auto count = ++killed_;
  if (std::has_single_bit(count))
    spdlog::warn(
        "reward 'code': a program was killed twice, by want of memory or by its own doing, and has "
        "failed its test ({} so far)",
        count);
  return kKilled;
}

CodeRunner::Outcome CodeRunner::compared(const SandboxResult& result, const std::string& wanted,
                                         Compare compare) const {
  if (!result.succeeded()) return {false, reason_of(result), result.out_of_time()};
  if (same_output(result.output, wanted, compare)) return {true, ""};
  return {false, fmt::format("wrote '{}', wanted '{}'", clipped(without_end(result.output)),
                             clipped(without_end(wanted)))};
}

CodeRunner::Outcome CodeRunner::run_python(Work& work, const CodeTest& test) const {
  SandboxTask task{{python_->string(), "-s", "main.py"}, work.program().path()};
  task.input = test.input;
  task.limits = limits();
  const auto result = undisturbed([&] { return sandbox_->run(task); });
  return compared(result, test.output, compare_);
}

CodeRunner::Outcome CodeRunner::judge_python(Work& work, const CodeTest& test) const {
  work.judge().add("tests.py", test.assertion);
  SandboxTask asks{{python_->string(), "-s", "judge.py"}, work.judge().path()};
  SandboxTask answers{{python_->string(), "-s", "judged.py"}, work.judged().path()};
  asks.limits = answers.limits = limits();
  const auto pair = undisturbed([&] { return sandbox_->run_pair(asks, answers); });
  if (pair.judge.end == SandboxEnd::Exited && pair.judge.code == kPassed) return {true, ""};
  if (pair.judge.succeeded()) return {false, "the tests ended before their end"};
  if (pair.judge.end == SandboxEnd::Exited && pair.judge.code == kCannotAsk)
    return {std::nullopt,
            fmt::format("the test cannot be asked here: {}", clipped(trimmed(pair.judge.errors)))};
  // an answer that failed is the reason for what the judge says of it
  const auto& cause = pair.judged.succeeded() || pair.judged.stopped ? pair.judge : pair.judged;
  return {false, reason_of(cause), pair.judge.out_of_time() || pair.judged.out_of_time()};
}

CompileCache::Program CodeRunner::compile(const std::string& source) const {
  CompileCache::Program program;
  try {
    program.folder = sandbox_->new_folder();
    ProgramFolder::write_program(program.folder / "main.cpp", source);
    SandboxTask task{{compiler_->string(), "-O2", "-std=gnu++20", "-w", "-pthread",
                      "-fmax-errors=1", "main.cpp", "-o", "main"},
                     program.folder,
                     SandboxRole::Compiler};
    task.limits.cpu_s = kCompileSeconds;
    task.limits.wall_s = 4 * kCompileSeconds;
    task.limits.memory_bytes = kCompilerBytes;
    const auto result = undisturbed([&] { return sandbox_->run(task); });
    if (result.killed()) fail("{}", kKilled);  // code that is merely read does not do that
    if (!result.succeeded()) {
      const auto at = result.errors.find("error:");
      const auto said = std::string_view(result.errors).substr(at == std::string::npos ? 0 : at);
      program.problem =
          fmt::format("does not compile: {}", clipped(said.substr(0, said.find('\n'))));
      if (result.end != SandboxEnd::Exited) program.problem = "compiler: " + result.reason();
      std::error_code ignored;
      fs::remove_all(std::exchange(program.folder, {}), ignored);
    }
  } catch (const UserError& error) {
    program.problem = error.what();
    program.lasting = false;
  }
  return program;
}

CodeRunner::Outcome CodeRunner::run_cpp(const CodeBlock& code, const CodeTest& test) const {
  const bool asserts = !test.assertion.empty();
  const auto source = asserts ? with_assertion(code.text, test.assertion) : code.text;
  const CompileCache::Held program(*cache_, source,
                                   [this](const std::string& text) { return compile(text); });
  if (!program->problem.empty())
    return {program->lasting ? std::optional(false) : std::nullopt, program->problem, true};
  const auto word = random_word();
  SandboxTask task{{"./main"}, program->folder};
  task.input = asserts ? std::string_view(word) : std::string_view(test.input);
  task.limits = limits();
  const auto result = undisturbed([&] { return sandbox_->run(task); });
  if (!asserts || !result.succeeded()) return compared(result, test.output, compare_);
  if (without_end(result.output).ends_with("\n" + word)) return {true, ""};
  return {false, "the tests did not come to their end"};
}

}  // namespace aha
