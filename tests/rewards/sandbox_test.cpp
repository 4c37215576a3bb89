// Untrusted programs are held, whichever layers the machine grants.
#include "rewards/sandbox/sandbox.h"

#include <dirent.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT
namespace fs = std::filesystem;

namespace {

/// A sandbox and, compiled in it, the hostile program.
struct Ground {
  std::string name;
  std::unique_ptr<Sandbox> sandbox;
  fs::path folder;

  SandboxTask task(std::vector<std::string> arguments, SandboxLimits limits = {}) const {
    arguments.insert(arguments.begin(), "./hostile");
    return {std::move(arguments), folder, SandboxRole::Program, "", limits};
  }
  SandboxResult run(std::vector<std::string> arguments, SandboxLimits limits = {}) const {
    return sandbox->run(task(std::move(arguments), limits));
  }
};

Ground ground_of(const std::string& name, const SandboxOptions& options) {
  Ground ground{name, nullptr, {}};
  try {
    ground.sandbox = std::make_unique<Sandbox>(options);
  } catch (const UserError& error) {
    WARN(name << " skipped: " << error.what());
    return ground;
  }
  ground.folder = ground.sandbox->new_folder();
  fs::copy_file(fs::path(AHA_SOURCE_DIR) / "tests/rewards/hostile_program.cpp",
                ground.folder / "hostile.cpp");
  SandboxLimits limits;
  limits.cpu_s = 60;
  limits.wall_s = 240;
  const auto compiled = ground.sandbox->run(
      {{"/usr/bin/g++", "-O1", "-w", "-pthread", "hostile.cpp", "-o", "hostile"},
       ground.folder,
       SandboxRole::Compiler,
       "",
       limits});
  INFO(name << ": " << ground.sandbox->isolation() << ": " << compiled.errors);
  REQUIRE(compiled.succeeded());
  return ground;
}

/// All that this machine grants; and what is left where namespaces, or Landlock, are not granted.
const std::vector<Ground>& grounds() {
  static const std::vector<Ground> all = [] {
    std::vector<Ground> made;
    const auto add = [&made](const std::string& name, const SandboxOptions& options) {
      auto ground = ground_of(name, options);
      if (ground.sandbox) made.push_back(std::move(ground));
    };
    add("all layers", {});
    add("without namespaces", {.paths = {}, .namespaces = false});
    add("without Landlock", {.paths = {}, .landlock = false});
    return made;
  }();
  return all;
}

SandboxLimits quick() {
  SandboxLimits limits;
  limits.cpu_s = 1;
  limits.wall_s = 20;
  return limits;
}

/// Processes whose command line names the hostile program.
int hostile_processes() {
  int count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    std::ifstream line(entry.path() / "cmdline");
    std::string command;
    std::getline(line, command);
    count += command.starts_with("./hostile") ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("sandbox: a program reads its input and answers", "[sandbox]") {
  for (const auto& ground : grounds()) {
    INFO(ground.name << ": " << ground.sandbox->isolation());
    CHECK(ground.sandbox->isolated());
    auto task = ground.task({"echo"});
    const std::string long_text(300000, 'x');
    task.input = long_text;
    const auto echoed = ground.sandbox->run(task);
    CHECK(echoed.succeeded());
    CHECK(echoed.output == long_text);
    const auto three = ground.run({"exit"});
    CHECK(three.end == SandboxEnd::Exited);
    CHECK(three.code == 3);
    CHECK(three.reason() == "exit code 3");
    CHECK(ground.run({"crash"}).end == SandboxEnd::Signalled);
    // a file that is not there is our mistake, not the program's
    CHECK_THAT(error_of([&] {
                 ground.sandbox->run({{"./nothing"}, ground.folder});
               }),
               contains("a program cannot be run: executing: No such file"));
  }
}

TEST_CASE("sandbox: limits end what does not end", "[sandbox]") {
  for (const auto& ground : grounds()) {
    INFO(ground.name);
    const auto spun = ground.run({"spin"}, quick());
    CHECK(spun.end == SandboxEnd::CpuLimit);
    CHECK(spun.reason() == "time limit");
    auto limits = quick();
    limits.wall_s = 0.2;
    CHECK(ground.run({"sleep"}, limits).end == SandboxEnd::WallLimit);
    SandboxLimits small;
    small.memory_bytes = 256 << 20;
    limits = quick();
    limits.output_bytes = 100000;
    const auto endless = ground.run({"output"}, limits);
    CHECK(endless.end == SandboxEnd::OutputLimit);
    CHECK(endless.output.size() == 100000);
    const auto complains = ground.run({"complain"}, limits);
    CHECK(complains.end == SandboxEnd::OutputLimit);
    CHECK(complains.errors.size() <= 4096);
    CHECK(ground.run({"memory"}, small).output == "held\n");
    const auto threads = ground.run({"threads"}, small);
    CHECK(std::atoi(threads.output.c_str()) >= 1);
    CHECK(std::atoi(threads.output.c_str()) < 20000);  // by their number or by memory
  }
  CHECK(hostile_processes() == 0);
}

TEST_CASE("sandbox: no program has itself killed as others are", "[sandbox]") {
  for (const auto& ground : grounds()) {
    INFO(ground.name);
    CHECK(ground.run({"kill"}).output == "held\n");
    const auto other_kernel = ground.run({"other calls"});  // the filter's own end for it
    CHECK_FALSE(other_kernel.killed());
    CHECK_FALSE(ground.run({"deep"}, quick()).killed());
  }
}

TEST_CASE("sandbox: nothing reaches beyond it", "[sandbox]") {
  const TempFolder outside;
  const auto secret = (outside / "answers.jsonl").string();
  std::ofstream(secret) << "42";
  fs::permissions(outside.path(), fs::perms::all);
  fs::permissions(secret, fs::perms::all);
  for (const auto& ground : grounds()) {
    const auto held = [&](std::vector<std::string> arguments) {
      INFO(ground.name << ": " << arguments.front());
      const auto result = ground.run(std::move(arguments));
      CHECK(result.output == "held\n");
    };
    held({"fork"});
    held({"network"});
    held({"escape"});
    held({"signal", std::to_string(getpid())});
    held({"read", secret});
    held({"read", "/proc/self/environ"});
    held({"read", fmt::format("/proc/{}/environ", getpid())});
    held({"read", fmt::format("/proc/{}/cmdline", getppid())});
    held({"read", "/etc/passwd"});
    held({"write", secret});
    held({"write", (outside / "new").string()});
    held({"write", "new"});
    held({"write", "hostile"});
    held({"write", "/tmp/aha_sandbox_test_new"});
    CHECK(std::ifstream(secret).get() == '4');
    CHECK_FALSE(fs::exists(outside / "new"));
    CHECK_FALSE(fs::exists("/tmp/aha_sandbox_test_new"));
    CHECK_FALSE(fs::exists(ground.folder / "new"));
  }
  CHECK(hostile_processes() == 0);
}

TEST_CASE("sandbox: a program inherits nothing", "[sandbox]") {
  setenv("AHA_TEST_SECRET", "42", 1);
  const int file = ::dup(0);  // not closed on exec
  for (const auto& ground : grounds()) {
    INFO(ground.name);
    const auto result = ground.run({"inherited"});
    CHECK_THAT(result.output, contains("PATH=") && !contains("AHA_TEST_SECRET"));
    CHECK_THAT(result.output, contains("\n0 files, 2 arguments\n"));
  }
  ::close(file);
  unsetenv("AHA_TEST_SECRET");
}

TEST_CASE("sandbox: where nothing is granted, it refuses unless told", "[sandbox]") {
  const SandboxOptions nothing{.paths = {}, .namespaces = false, .landlock = false};
  CHECK_THAT(error_of([&] { Sandbox{nothing}; }),
             contains("untrusted programs cannot be isolated") && contains("allow_no_isolation"));
  auto told = nothing;
  told.allow_no_isolation = true;
  const Sandbox sandbox(told);
  CHECK_FALSE(sandbox.isolated());
  CHECK_THAT(sandbox.isolation(), contains("NO ISOLATION"));
  CHECK(sandbox.run({{"/bin/true"}, sandbox.new_folder()}).succeeded());
}

TEST_CASE("sandbox: two programs talk to each other alone", "[sandbox]") {
  for (const auto& ground : grounds()) {
    INFO(ground.name);
    // nobody speaks first: the one that is judged waits until the judge has ended
    const auto pair = ground.sandbox->run_pair(ground.task({"exit"}), ground.task({"echo"}));
    CHECK(pair.judge.code == 3);
    auto limits = quick();
    limits.wall_s = 0.2;
    const auto late =
        ground.sandbox->run_pair(ground.task({"echo"}), ground.task({"sleep"}, limits));
    CHECK(late.judged.end == SandboxEnd::WallLimit);
    CHECK(late.judge.succeeded());
  }
  CHECK(hostile_processes() == 0);
}

TEST_CASE("sandbox: a compiler writes no file beyond 16 MiB", "[sandbox]") {
  if (grounds().empty()) return;
  const auto& sandbox = *grounds().front().sandbox;
  const auto size_of = [&](const char* mebibytes) {
    const auto folder = sandbox.new_folder();
    std::ofstream(folder / "main.cpp")
        << "char held[" << mebibytes << " << 20] = {1};\nint main() { return held[1]; }\n";
    const auto result = sandbox.run(
        {{"/usr/bin/g++", "-w", "main.cpp", "-o", "main"}, folder, SandboxRole::Compiler});
    std::error_code none;
    const auto size = fs::file_size(folder / "main", none);
    return result.succeeded() && !none ? size : 0;
  };
  CHECK(size_of("8") > 8 << 20);
  CHECK(size_of("20") == 0);
}

TEST_CASE("sandbox: the folder of a process that was killed goes with the next start",
          "[sandbox]") {
  const TempFolder place;
  const auto made = [&] {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(place.path()))
      count += entry.path().filename() != "aha_code_not_ours" ? 1 : 0;
    return count;
  };
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  setenv("TMPDIR", place.path().c_str(), 1);
  fs::create_directory(place / "aha_code_not_ours");
  const auto killed = fork();
  if (killed == 0) {
    const SandboxHome home;
    std::ofstream(home.path() / "main.py") << "1";
    raise(SIGKILL);
  }
  waitpid(killed, nullptr, 0);
  CHECK(made() == 1);
  {
    const SandboxHome home;
    CHECK(made() == 1);
    const SandboxHome another;  // of one that lives
    CHECK(made() == 2);
    CHECK(fs::exists(home.path()));
  }
  CHECK(made() == 0);
  CHECK(fs::exists(place / "aha_code_not_ours"));
  if (before != nullptr)
    setenv("TMPDIR", kept.c_str(), 1);
  else
    unsetenv("TMPDIR");
}
