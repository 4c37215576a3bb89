#include "rewards/sandbox/running.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} * 1024;
constexpr std::size_t kErrorBytes = 4096;
constexpr int kPollMs = 5;  // where the end of a child cannot be polled for

/// Sharing memory spares copying the page tables of a process of many gigabytes. Sanitizers do not
/// know a second thread of control on another stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kShare = 0;
#else
constexpr int kShare = CLONE_VM | CLONE_VFORK;
#endif

[[noreturn]] void fail_to_start(const char* what) {
  fail("a program cannot be run: {}: {}", what, std::strerror(errno));
}

struct Entry {
  const ChildPlan* plan;
  ChildFailure* failure;
};

int enter(void* argument) {
  const auto& entry = *static_cast<Entry*>(argument);
  _exit(become_program(*entry.plan, *entry.failure));
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

bool set_nonblocking(int file) {
  return fcntl(file, F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

OwnedFile::OwnedFile(int file) : file_(file) {
  if (file_ < 0 || file_ > 2) return;
  file_ = fcntl(file, F_DUPFD_CLOEXEC, 3);
  ::close(file);
}

OwnedFile& OwnedFile::operator=(OwnedFile&& other) noexcept {
  close();
  file_ = std::exchange(other.file_, -1);
  return *this;
}

void OwnedFile::close() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

std::pair<OwnedFile, OwnedFile> new_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail_to_start("pipe");
  return {OwnedFile(ends[0]), OwnedFile(ends[1])};
}

OwnedFile sealed_file(std::string_view text) {
  OwnedFile file(memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) fail_to_start("input");
  for (auto left = text; !left.empty();) {
    const auto count = write(file.get(), left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail_to_start("input");
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0 ||
      fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    fail_to_start("input");
  return file;
}

ChildStack::ChildStack()
    : bytes_(
          mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
  if (bytes_ == MAP_FAILED) fail_to_start("stack");
}

ChildStack::~ChildStack() {
  munmap(bytes_, kStackBytes);
}

void* ChildStack::top() const {
  return static_cast<char*>(bytes_) + kStackBytes;
}

pid_t start_child(const ChildPlan& plan, const ChildStack& stack) {
  auto& failure = stack.failure();
  failure = {nullptr, 0};
  Entry entry{&plan, &failure};
  // no handler of ours may run in the child
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid =
      clone(enter, stack.top(), kShare | namespace_flags(plan.layers) | SIGCHLD, &entry);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    errno = error;
    fail_to_start("clone");
  }
  if (kShare == 0 || failure.step == nullptr) return pid;
  waitpid(pid, nullptr, 0);
  errno = failure.error;
  fail_to_start(failure.step);
}

RunningProgram::RunningProgram(pid_t pid, const SandboxLimits& limits, OwnedFile output,
                               OwnedFile errors)
    : pid_(pid),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() +
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                    std::chrono::duration<double>(limits.wall_s))),
      watch_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      output_(std::move(output)),
      errors_(std::move(errors)) {
  if (output_.get() >= 0) set_nonblocking(output_.get());
  if (errors_.get() >= 0) set_nonblocking(errors_.get());
}

RunningProgram::RunningProgram(RunningProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      limits_(other.limits_),
      deadline_(other.deadline_),
      watch_(std::move(other.watch_)),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)),
      result_(std::move(other.result_)) {}

void RunningProgram::read_output() {
  std::array<char, 65536> bytes;
  const auto most = static_cast<std::size_t>(limits_.output_bytes);
  while (output_.get() >= 0) {
    const auto count = read(output_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return output_.close();
    const auto size = std::min(static_cast<std::size_t>(count), most - result_.output.size());
    result_.output.append(bytes.data(), size);
    if (size < static_cast<std::size_t>(count)) {
      output_.close();
      kill_as(SandboxEnd::OutputLimit);
    }
  }
}

void RunningProgram::read_errors() {
  std::array<char, 65536> bytes;
  // of an endless one a part is read at a time, so that its limits are looked at in between
  for (int reads = 0; errors_.get() >= 0 && reads < 16; ++reads) {
    const auto count = read(errors_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return errors_.close();
    error_bytes_ += count;
    if (error_bytes_ > limits_.output_bytes) kill_as(SandboxEnd::OutputLimit);
    result_.errors.append(bytes.data(), static_cast<std::size_t>(count));
    if (result_.errors.size() > kErrorBytes)
      result_.errors.erase(0, result_.errors.size() - kErrorBytes);
  }
}

void RunningProgram::kill_as(SandboxEnd end) {
  if (result_.end == SandboxEnd::Exited) result_.end = end;
  kill_group();
}

void RunningProgram::kill_group() const {
  if (ended()) return;
  kill(pid_, SIGKILL);
  kill(-pid_, SIGKILL);
}

void RunningProgram::reap() {
  kill_group();  // its group is ours as long as it is not waited for
  int status = 0;
  struct rusage used {};
  while (wait4(pid_, &status, 0, &used) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  watch_.close();
  read_output();
  read_errors();
  if (result_.end != SandboxEnd::Exited) return;
  if (WIFEXITED(status)) {
    result_.code = WEXITSTATUS(status);
    return;
  }
  result_.code = WTERMSIG(status);
  // The kernel counts towards the limit by ticks and reports by the clock; the two differ a little.
  const double seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  const bool out_of_time =
      result_.code == SIGXCPU ||
      (result_.code == SIGKILL && seconds >= 0.75 * static_cast<double>(limits_.cpu_s));
  result_.end = out_of_time ? SandboxEnd::CpuLimit : SandboxEnd::Signalled;
}

void RunningProgram::look() {
  if (ended()) return;
  read_output();
  read_errors();
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      info.si_pid != 0)
    return reap();
  if (std::chrono::steady_clock::now() >= deadline_) kill_as(SandboxEnd::WallLimit);
}

void RunningProgram::stop() {
  if (ended()) return;
  result_.stopped = true;
  kill_as(SandboxEnd::Signalled);
  reap();
}

void RunningProgram::look_at(std::span<RunningProgram> all) {
  std::vector<pollfd> files;
  auto until = std::chrono::steady_clock::time_point::max();
  bool blind = false;
  for (const auto& one : all) {
    if (one.ended()) continue;
    for (const auto* file : {&one.watch_, &one.output_, &one.errors_})
      if (file->get() >= 0) files.push_back({file->get(), POLLIN, 0});
    until = std::min(until, one.deadline_);
    blind = blind || one.watch_.get() < 0 || one.result_.end != SandboxEnd::Exited;
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                        until - std::chrono::steady_clock::now())
                        .count();
  const auto most = blind ? kPollMs : 60000;
  const auto wait = std::clamp<std::int64_t>(left + 1, 0, most);
  poll(files.data(), files.size(), static_cast<int>(wait));
  for (auto& one : all)
    one.look();
}

}  // namespace aha
