#include "rewards/code/code_runner.h"

#include <array>
#include <random>
#include <vector>

#include "rewards/code/python_driver.h"
#include "rewards/programs.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCompiled = 64;
constexpr std::int64_t kCompileSeconds = 30;
constexpr std::int64_t kCompilerBytes = std::int64_t{2} << 30;

/// A folder of the sandbox, gone at the end of the scope.
class ProgramFolder {
 public:
  explicit ProgramFolder(const Sandbox& sandbox) : path_(sandbox.new_folder()) {}
  ~ProgramFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ProgramFolder(const ProgramFolder&) = delete;
  ProgramFolder& operator=(const ProgramFolder&) = delete;

  const fs::path& path() const { return path_; }
  void add(const char* name, std::string_view text) const { write_program(path_ / name, text); }

  static void write_program(const fs::path& path, std::string_view text) {
    write_file_atomic(path, text);
    fs::permissions(path, fs::perms(0644));
  }

 private:
  fs::path path_;
};

/// What an interpreter outside the system's folders needs to see: where it stands and where it is from.
std::vector<std::string> folders_of(const std::optional<fs::path>& program) {
  if (!program) return {};
  std::error_code error;
  const auto real = fs::canonical(*program, error);
  std::vector<std::string> folders;
  for (const auto& path : {*program, error ? *program : real}) {
    const auto prefix = path.parent_path().parent_path();
    if (prefix != prefix.root_path()) folders.push_back(prefix.lexically_normal());
  }
  return folders;
}

std::string_view next_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

std::string_view without_end(std::string_view text) {
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

std::string_view next_word(std::string_view& text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && !is_space(text[size]))
    ++size;
  const auto word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

std::string random_word() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}", device(), device(), device());
}

/// The answer, and after it tests that must come to their end: then a word that is read from the
/// input is written, so leaving early is not passing.
std::string with_assertion(std::string_view code, const std::string& assertion) {
  const bool has_main = assertion.find("main(") != std::string::npos;
  return fmt::format(
      "{}\n#undef NDEBUG\n#include <cassert>\n#include <cstdio>\n#define main aha_tests\n{}\n"
      "#undef main\nint main() {{\n  aha_tests();\n  char word[64];\n"
      "  if (std::scanf(\"%63s\", word) == 1) std::printf(\"\\n%s\\n\", word);\n}}\n",
      code, has_main ? assertion : fmt::format("int main() {{\n{}\nreturn 0;\n}}\n", assertion));
}

}  // namespace

bool same_output(std::string_view output, std::string_view wanted, Compare compare) {
  if (compare == Compare::Exact) return output == wanted;
  output = without_end(output);
  wanted = without_end(wanted);
  if (compare == Compare::Words) {
    while (!output.empty() && !wanted.empty())
      if (next_word(output) != next_word(wanted)) return false;
    return output.empty() && wanted.empty();
  }
  while (!output.empty() && !wanted.empty())
    if (without_end(next_line(output)) != without_end(next_line(wanted))) return false;
  return output.empty() && wanted.empty();
}

CodeRunner::CodeRunner(const RewardOptions& options, std::optional<Language> only)
    : time_limit_s_(options.whole("time_limit_s", 1)),
      memory_bytes_(options.whole("memory_mb", 16) << 20),
      cache_(std::make_unique<CompileCache>(kMostCompiled)) {
  const std::array<std::string, 3> ways = {"lines", "words", "exact"};
  const auto& way = options.choice("compare", ways);
  compare_ = way == "lines" ? Compare::Lines : way == "words" ? Compare::Words : Compare::Exact;
  const auto& python = options.text("python");
  const auto& compiler = options.text("compiler");
  if ((python_ = program_path(python))) python_ = interpreter_of(*python_);
  compiler_ = program_path(compiler);
  if (!python_ && (only == Language::Python || !compiler_))
    required_program(options.reward(), python);
  if (!compiler_ && only == Language::Cpp) required_program(options.reward(), compiler);
  SandboxOptions box;
  for (const auto& program : {python_, compiler_})
    for (auto& folder : folders_of(program))
      box.paths.push_back(std::move(folder));
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
  const auto outcome = run(code, {"", "42\n", ""});
  if (outcome.passed == true) return std::nullopt;
  return fmt::format("{} does not work in the sandbox: {} (option {})", path->string(),
                     outcome.reason, is_python ? "python" : "compiler");
}

SandboxLimits CodeRunner::limits() const {
  SandboxLimits limits;
  limits.cpu_s = time_limit_s_;
  limits.wall_s = 4 * static_cast<double>(time_limit_s_) + 10;
  limits.memory_bytes = memory_bytes_;
  return limits;
}

CodeRunner::Outcome CodeRunner::run(const CodeBlock& code, const CodeTest& test) const {
  try {
    if (code.language == Language::Cpp) return run_cpp(code, test);
    return test.assertion.empty() ? run_python(code, test) : judge_python(code, test);
  } catch (const UserError& error) {
    return {std::nullopt, error.what()};
  }
}

CodeRunner::Outcome CodeRunner::compared(const SandboxResult& result, const std::string& wanted,
                                         Compare compare) const {
  if (!result.succeeded()) return {false, result.reason()};
  if (same_output(result.output, wanted, compare)) return {true, ""};
  return {false, fmt::format("wrote '{}', wanted '{}'", clipped(without_end(result.output)),
                             clipped(without_end(wanted)))};
}

CodeRunner::Outcome CodeRunner::run_python(const CodeBlock& code, const CodeTest& test) const {
  const ProgramFolder folder(*sandbox_);
  folder.add("main.py", code.text);
  SandboxTask task{{python_->string(), "-s", "main.py"}, folder.path()};
  task.input = test.input;
  task.limits = limits();
  return compared(sandbox_->run(task), test.output, compare_);
}

CodeRunner::Outcome CodeRunner::judge_python(const CodeBlock& code, const CodeTest& test) const {
  const ProgramFolder judge(*sandbox_);
  judge.add("judge.py", kPythonJudge);
  judge.add("tests.py", test.assertion);
  const ProgramFolder judged(*sandbox_);
  judged.add("judged.py", kPythonJudged);
  judged.add("answer.py", code.text);
  SandboxTask asks{{python_->string(), "-s", "judge.py"}, judge.path()};
  SandboxTask answers{{python_->string(), "-s", "judged.py"}, judged.path()};
  asks.limits = answers.limits = limits();
  const auto pair = sandbox_->run_pair(asks, answers);
  if (pair.judge.succeeded()) return {true, ""};
  // an answer that failed is the reason for what the judge says of it
  const auto& cause = pair.judged.succeeded() || pair.judged.stopped ? pair.judge : pair.judged;
  return {false, cause.reason()};
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
    const auto result = sandbox_->run(task);
    if (!result.succeeded()) {
      const auto at = result.errors.find("error:");
      const auto said = std::string_view(result.errors).substr(at == std::string::npos ? 0 : at);
      program.problem =
          fmt::format("does not compile: {}", clipped(said.substr(0, said.find('\n'))));
      if (result.end != SandboxEnd::Exited) program.problem = "compiler: " + result.reason();
    }
  } catch (const UserError& error) {
    program.problem = error.what();
    program.lasting = false;
  }
  return program;
}

CodeRunner::Outcome CodeRunner::run_cpp(const CodeBlock& code, const CodeTest& test) const {
  const bool asserts = !test.assertion.empty();
  const auto source = asserts ? with_assertion(code.text, test.assertion) : std::string(code.text);
  const CompileCache::Held program(*cache_, source,
                                   [this](const std::string& text) { return compile(text); });
  if (!program->problem.empty())
    return {program->lasting ? std::optional(false) : std::nullopt, program->problem};
  const auto word = random_word();
  SandboxTask task{{"./main"}, program->folder};
  task.input = asserts ? std::string_view(word) : std::string_view(test.input);
  task.limits = limits();
  auto result = sandbox_->run(task);
  if (!asserts || !result.succeeded()) return compared(result, test.output, compare_);
  if (without_end(result.output).ends_with("\n" + word)) return {true, ""};
  return {false, "the tests did not come to their end"};
}

}  // namespace aha
