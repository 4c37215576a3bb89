#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/full_disk.h"
#include "tests/support/temp_folder.h"

namespace aha_test {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void spill(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// How a program ended and what it said.
struct Ended {
  int code = 0;  ///< exit code, or 128 + the signal
  std::string out;
  std::string err;
};

/// A program under way: build/aha with arguments, in a folder, with files for its streams.
class Program {
 public:
  struct Options {
    std::string input;  ///< standard input
    std::vector<std::pair<std::string, std::string>> environment;
    std::size_t largest_file = 0;  ///< bytes a file may have; 0: no limit
    std::string program;           ///< in place of build/aha
    std::function<void()> first;   ///< what the process does before it becomes the program
  };

  Program(std::vector<std::string> arguments, Options options) {
    const auto usual = std::string(AHA_BINARY_DIR) + "/aha";
    arguments.insert(arguments.begin(), options.program.empty() ? usual : options.program);
    spill(files_ / "in", options.input);
    std::vector<char*> argv;
    for (auto& a : arguments)
      argv.push_back(a.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    redirect("in", O_RDONLY, STDIN_FILENO);
    redirect("out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect("err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    for (const auto& [name, value] : options.environment)
      setenv(name.c_str(), value.c_str(), 1);
    if (options.largest_file > 0) aha_test::limit_files(options.largest_file);
    if (options.first) options.first();
    execv(argv[0], argv.data());
    _exit(127);
  }
  explicit Program(std::vector<std::string> arguments) : Program(std::move(arguments), Options{}) {}
  /// Nobody is left behind by a test that failed: what aha starts ends with it.
  ~Program() {
    if (waited_) return;
    signal(SIGKILL);
    wait();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) const {
    if (!waited_) kill(pid_, number);
  }
  pid_t pid() const { return pid_; }

  /// From now on its files may not grow beyond this: a disk that is full, or, raised, no longer is.
  void limit_files(rlim_t bytes) const { aha_test::limit_files(bytes, pid_); }

  /// What it has written to standard error so far.
  std::string said() const { return slurp(files_ / "err"); }

  /// True when `text` was said within the time; false when it ended or the time passed without.
  bool says(const std::string& text, std::chrono::milliseconds within) {
    const auto until = std::chrono::steady_clock::now() + within;
    while (std::chrono::steady_clock::now() < until) {
      if (said().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  /// True when there is nothing left to wait for.
  bool ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }

  Ended wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status)) {  // one that is traced
    }
    waited_ = true;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, slurp(files_ / "out"), slurp(files_ / "err")};
  }

 private:
  void redirect(const char* name, int flags, int to) const {
    const int file = open((files_ / name).c_str(), flags, 0600);
    dup2(file, to);
  }

  TempFolder files_;
  pid_t pid_ = -1;
  bool waited_ = false;
};

/// Runs build/aha to its end.
inline Ended run_aha(std::vector<std::string> arguments, std::string input = "") {
  Program::Options options;
  options.input = std::move(input);
  return Program(std::move(arguments), std::move(options)).wait();
}

}  // namespace aha_test
