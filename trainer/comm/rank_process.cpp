#include "trainer/comm/rank_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "trainer/comm/listener.h"
#include "trainer/core/error.h"
#include "trainer/core/exec_array.h"

namespace aha {
namespace {

constexpr int kNotStarted = 127;  // as a shell has it

std::string reason() {
  return std::strerror(errno);
}

/// What a rank sees of the environment: ours, with torchrun's variables.
std::vector<std::string> rank_environment(const RankStart& start, int rank) {
  const auto count = std::to_string(start.ranks);
  const auto number = std::to_string(rank);
  const std::vector<std::pair<std::string, std::string>> ours = {
      {"RANK", number},
      {"WORLD_SIZE", count},
      {"LOCAL_RANK", number},
      {"LOCAL_WORLD_SIZE", count},
      {"MASTER_ADDR", "127.0.0.1"},
      {"MASTER_PORT", std::to_string(start.port)},
      {"AHA_LISTENER", rank == 0 && start.listener >= 0 ? std::to_string(start.listener) : ""},
      {"TORCHELASTIC_RUN_ID", fmt::format("nproc_{}_{}", getpid(), start.port)}};
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    if (std::none_of(ours.begin(), ours.end(), [&](const auto& one) { return one.first == name; }))
      all.emplace_back(text);
  }
  for (const auto& [name, value] : ours)
    all.push_back(fmt::format("{}={}", name, value));
  return all;
}

/// Handlers are the parent's code; what was ignored stays ignored, as after exec.
void forget_handlers() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
      signal(number, SIG_DFL);
  }
}

/// Between fork and exec. A process group of its own: Ctrl-C reaches the ranks once, through the parent.
void prepare_child(pid_t parent, const sigset_t& signal_mask, int out, int err) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kNotStarted);  // the parent died before the line above
  forget_handlers();
  signal(SIGTTOU, SIG_IGN);  // a terminal may refuse what background groups write; rank 0 is one
  sigprocmask(SIG_SETMASK, &signal_mask, nullptr);
  dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  if (out < 0) return;
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
}

}  // namespace

RankProcess start_rank(const RankStart& start, int rank) {
  std::array<int, 2> out = {-1, -1};
  std::array<int, 2> err = {-1, -1};
  if (rank > 0 && (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0))
    fail("--nproc: rank {} cannot be started: {}", rank, reason());
  auto command = start.command;
  auto environment = rank_environment(start, rank);
  const auto argv = pointers_to(command);
  const auto envp = pointers_to(environment);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) fail("--nproc: rank {} cannot be started: {}", rank, reason());
  if (pid == 0) {
    prepare_child(parent, start.signal_mask, out[1], err[1]);
    if (rank == 0) keep_on_exec(start.listener);
    execve(argv[0], argv.data(), envp.data());
    _exit(kNotStarted);
  }
  setpgid(pid, pid);  // here too: a signal may have to be passed on before the child has done it
  ::close(out[1]);
  ::close(err[1]);
  return {pid, out[0], err[0]};
}

bool RankEnd::failed() const {
  return signal != 0 || (code != 0 && code != kExitStopped);
}

std::string RankEnd::text() const {
  return signal == 0 ? fmt::format("exit code {}", code)
                     : fmt::format("ended by signal {} ({})", signal, strsignal(signal));
}

std::optional<RankEnd> end_of(int rank, pid_t pid) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0)
    return std::nullopt;
  kill_rank(pid);  // its group is ours as long as it is not waited for
  return info.si_code == CLD_EXITED ? RankEnd{rank, info.si_status, 0}
                                    : RankEnd{rank, 0, info.si_status};
}

void kill_rank(pid_t pid) {
  kill(-pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace aha
