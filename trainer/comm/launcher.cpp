#include "trainer/comm/launcher.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <iostream>
#include <optional>

#include "trainer/comm/listener.h"
#include "trainer/comm/rank_output.h"
#include "trainer/comm/rank_process.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha {
namespace {

constexpr std::array kPassedOn = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

/// Signals come through a file while this lives; the mask is as before afterwards.
class SignalFile {
 public:
  SignalFile() {
    std::signal(SIGCHLD, SIG_DFL);  // ignored by whoever started us, children would vanish unseen
    sigset_t set;
    sigemptyset(&set);
    for (const int number : kPassedOn)
      sigaddset(&set, number);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, &before_);
    file_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (file_ < 0) fail("--nproc: signals cannot be received: {}", std::strerror(errno));
  }
  ~SignalFile() {
    ::close(file_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalFile(const SignalFile&) = delete;
  SignalFile& operator=(const SignalFile&) = delete;

  int file() const { return file_; }
  const sigset_t& mask_before() const { return before_; }

  /// The next signal that is there.
  std::optional<int> take() const {
    signalfd_siginfo info{};
    if (::read(file_, &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t before_{};
  int file_ = -1;
};

/// Rank 0 may have a progress bar on the same terminal, which its next line brings back.
std::string prefix_on(int file, int rank) {
  return fmt::format("{}[{}] ", isatty(file) == 1 ? "\r\x1b[K" : "", rank);
}

/// A crash is a bug of ours; what was killed from outside (memory, an operator) may go well again.
int code_of_signal(int signal) {
  constexpr std::array kCrashes = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS};
  return std::find(kCrashes.begin(), kCrashes.end(), signal) != kCrashes.end() ? kExitBug
                                                                               : kExitTryAgain;
}

/// The failure that explains the others: the first, unless it only lost a peer.
const RankEnd* telling(const std::vector<RankEnd>& ends) {
  const RankEnd* first = nullptr;
  for (const auto& end : ends) {
    if (!end.failed()) continue;
    const bool lost_peer = end.signal == 0 && end.code == kExitTryAgain;
    if (!lost_peer) return &end;
    if (first == nullptr) first = &end;
  }
  return first;
}

class Launch {
 public:
  explicit Launch(const LaunchPlan& plan) : plan_(plan) {}
  ~Launch() {
    for (const pid_t pid : pids_)
      if (pid > 0) kill_rank(pid);
  }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  int run() {
    for (int rank = 0; rank < plan_.ranks; ++rank)
      start(rank);
    while (alive() > 0) {
      wait_for_news();
      while (const auto number = signals_.take())
        on_signal(*number);
      for (auto& output : outputs_)
        output.pass_on();
      while (reap()) {
      }
      end_the_others();
    }
    for (auto& output : outputs_)
      output.pass_on();
    return verdict();
  }

 private:
  void start(int rank) {
    const auto process = start_rank(
        {plan_.command, plan_.ranks, listener_.port(), listener_.file(), signals_.mask_before()},
        rank);
    listener_.close();  // rank 0 has it, and with rank 0 it goes
    pids_.push_back(process.pid);
    if (process.out < 0) return;
    outputs_.emplace_back(process.out, std::cout, prefix_on(STDOUT_FILENO, rank));
    outputs_.emplace_back(process.err, std::cerr, prefix_on(STDERR_FILENO, rank));
  }

  std::ptrdiff_t alive() const {
    return std::count_if(pids_.begin(), pids_.end(), [](pid_t pid) { return pid > 0; });
  }

  void to_all(int number) const {
    for (const pid_t pid : pids_)
      if (pid > 0) kill(pid, number);
  }

  /// Until a signal, output or the end of the grace time.
  void wait_for_news() {
    std::vector<pollfd> files = {{signals_.file(), POLLIN, 0}};
    for (const auto& output : outputs_)
      files.push_back({output.file(), POLLIN, 0});  // poll passes over -1
    int timeout_ms = -1;
    if (told_ && !killed_) {
      const double left_s = std::max(0.0, plan_.grace_s - seconds_since(*told_));
      timeout_ms = static_cast<int>(std::ceil(std::min(left_s, 3600.0) * 1000));
    }
    ::poll(files.data(), files.size(), timeout_ms);
  }

  void on_signal(int number) {
    if (number == SIGCHLD) return;
    if (number == SIGTSTP) {
      to_all(SIGSTOP);
      raise(SIGSTOP);
      to_all(SIGCONT);
      return;
    }
    passed_on_.push_back(number);
    to_all(number);
  }

  /// Looks once at every rank. True when one had ended: another may have ended before it, behind us.
  bool reap() {
    bool any = false;
    for (std::size_t i = 0; i < pids_.size(); ++i) {
      if (pids_[i] <= 0) continue;
      const auto end = end_of(static_cast<int>(i), pids_[i]);
      if (!end) continue;
      any = true;
      pids_[i] = 0;
      if (!told_) ends_.push_back(*end);
    }
    return any;
  }

  void end_the_others() {
    const bool failed =
        std::any_of(ends_.begin(), ends_.end(), [](const RankEnd& end) { return end.failed(); });
    if (!failed) return;
    if (!told_) {
      told_ = Clock::now();
      say_failure();
      to_all(SIGTERM);
      to_all(SIGCONT);  // one that is stopped would not hear it
    } else if (!killed_ && seconds_since(*told_) >= plan_.grace_s) {
      killed_ = true;
      for (const pid_t pid : pids_)
        if (pid > 0) kill(-pid, SIGKILL);
    }
  }

  void say_failure() const {
    const RankEnd& end = *telling(ends_);
    const auto others = alive();
    spdlog::error("aha: rank {} of {} failed first: {}{}", end.rank, plan_.ranks, end.text(),
                  others > 0 ? fmt::format("; ending the other {}", others) : "");
  }

  int verdict() const {
    if (const auto* end = telling(ends_)) return code_of(*end);
    const bool stopped = std::any_of(ends_.begin(), ends_.end(),
                                     [](const RankEnd& end) { return end.code == kExitStopped; });
    return stopped ? kExitStopped : 0;
  }

  int code_of(const RankEnd& end) const {
    if (end.signal == 0) return end.code;
    const bool passed_on = std::count(passed_on_.begin(), passed_on_.end(), end.signal) > 0;
    return passed_on ? 128 + end.signal : code_of_signal(end.signal);
  }

  const LaunchPlan& plan_;
  SignalFile signals_;
  Listener listener_;
  std::vector<pid_t> pids_;  ///< by rank; 0: ended
  std::vector<RankOutput> outputs_;
  std::vector<int> passed_on_;
  std::vector<RankEnd> ends_;  ///< in order, before the others were told to end
  std::optional<Clock::time_point> told_;
  bool killed_ = false;
};

}  // namespace

int launch(const LaunchPlan& plan) {
  check(plan.ranks >= 1 && !plan.command.empty(), "a launch has ranks and a command");
  return Launch(plan).run();
}

std::vector<std::string> own_command_without(const std::string& option) {
  std::string bytes = read_file("/proc/self/cmdline");  // each argument ends with a NUL
  std::vector<std::string> command;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const auto end = std::min(bytes.find('\0', begin), bytes.size());
    command.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  check(!command.empty(), "a process has a name");
  command.front() = "/proc/self/exe";
  const auto found = std::find_if(command.begin(), command.end(), [&](const std::string& word) {
    return word == option || word.rfind(option + "=", 0) == 0;
  });
  if (found == command.end()) return command;
  const bool value_apart = *found == option && found + 1 != command.end();
  command.erase(found, found + (value_apart ? 2 : 1));
  return command;
}

}  // namespace aha
