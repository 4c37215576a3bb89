#pragma once
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace aha_test {

/// Holds a process where it enters a phase: a breakpoint at aha::Phase's constructor, whose arguments say which phase
/// it is. The main thread alone is held; heartbeats go on. For children of the calling thread, on x86-64.
class PhaseTrap {
 public:
  /// Why it cannot be used on `program` here; empty: it can.
  static std::string missing(const std::filesystem::path& program) {
#if defined(__x86_64__)
    const pid_t child = fork();
    if (child == 0)
      for (;;)
        pause();
    const bool seized = ptrace(PTRACE_SEIZE, child, nullptr, nullptr) == 0;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    if (!seized) return "ptrace is not allowed";
    return offset_in(program) ? "" : "nm finds no constructor of aha::Phase in the program";
#else
    return "breakpoints are set on x86-64 alone";
#endif
  }

  PhaseTrap(pid_t pid, const std::filesystem::path& program) : pid_(pid) {
    while (std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe") !=
           std::filesystem::canonical(program))
      std::this_thread::yield();
    require(ptrace(PTRACE_SEIZE, pid_, nullptr, PTRACE_O_EXITKILL) == 0, "ptrace is not allowed");
    require(ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr) == 0, "ptrace");
    require(stopped(), "the program has ended");
    entry_ = first_address() + offset_in(program).value();
  }

  /// Lets the process run until it is inside of `phase`, where it is held. False: it ended before.
  bool reach(const std::string& phase) {
    insert(entry_);
    while (run_to_breakpoint()) {
      auto at = registers();
      remove(entry_);
      if (phase == text_at(at.rcx, at.rdx)) {  // string_view's pointer and length
        leave_constructor(static_cast<std::uint64_t>(peek(at.rsp)));
        return true;
      }
      ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
      if (!stopped()) return false;
      insert(entry_);
    }
    return false;
  }

  /// Wherever its writable memory holds `bytes`, it holds `others` of the same length from now on. How often that was.
  int overwrite(const std::string& bytes, const std::string& others) {
    std::ifstream maps("/proc/" + std::to_string(pid_) + "/maps");
    std::fstream memory("/proc/" + std::to_string(pid_) + "/mem",
                        std::ios::in | std::ios::out | std::ios::binary);
    int count = 0;
    std::string part;
    for (std::string line; std::getline(maps, line);) {
      if (line.find(" rw") == std::string::npos) continue;
      const auto begin = std::stoull(line, nullptr, 16);
      part.resize(std::stoull(line.substr(line.find('-') + 1), nullptr, 16) - begin);
      memory.clear();
      memory.seekg(static_cast<std::streamoff>(begin));
      memory.read(part.data(), static_cast<std::streamsize>(part.size()));
      part.resize(static_cast<std::size_t>(memory.gcount()));
      memory.clear();
      for (auto at = part.find(bytes); at != std::string::npos; at = part.find(bytes, at + 1)) {
        memory.seekp(static_cast<std::streamoff>(begin + at));
        memory << others << std::flush;
        ++count;
      }
    }
    return count;
  }

  /// Lets the process go for good.
  void release() {
    ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
  }

 private:
#if defined(__x86_64__)
  user_regs_struct registers() const {
    user_regs_struct values{};
    ptrace(PTRACE_GETREGS, pid_, nullptr, &values);
    return values;
  }
  void set_next(std::uint64_t address) const {
    auto values = registers();
    values.rip = address;
    ptrace(PTRACE_SETREGS, pid_, nullptr, &values);
  }
  std::uint64_t next() const {
    return registers().rip;
  }
#else
  struct Registers {
    std::uint64_t rcx = 0, rdx = 0, rsp = 0;
  };
  Registers registers() const {
    return {};
  }
  void set_next(std::uint64_t) const {}
  std::uint64_t next() const {
    return 0;
  }
#endif

  static void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
  }

  /// True when the process has stopped, false when it has ended and waits to be waited for.
  bool stopped() {
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WSTOPPED | WNOWAIT);
    if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
      return false;
    waitpid(pid_, &status_, 0);
    return true;
  }

  /// Signals that come meanwhile are passed on.
  bool run_to_breakpoint() {
    int pass_on = 0;
    for (;;) {
      ptrace(PTRACE_CONT, pid_, nullptr, pass_on);
      if (!stopped()) return false;
      const bool event = status_ >> 16 != 0;
      pass_on = event ? 0 : WSTOPSIG(status_);
      if (pass_on == SIGTRAP && next() == place_ + 1) {
        set_next(place_);
        return true;
      }
    }
  }

  void leave_constructor(std::uint64_t caller) {
    insert(caller);
    require(run_to_breakpoint(), "the program ended between a phase's first instructions");
    remove(caller);
  }

  long peek(std::uint64_t address) const {
    return ptrace(PTRACE_PEEKDATA, pid_, address, nullptr);
  }

  void insert(std::uint64_t address) {
    place_ = address;
    before_ = peek(address);
    ptrace(PTRACE_POKEDATA, pid_, address, (before_ & ~0xFFL) | 0xCC);
  }
  void remove(std::uint64_t address) const {
    ptrace(PTRACE_POKEDATA, pid_, address, before_);
  }

  std::string text_at(std::uint64_t address, std::uint64_t length) const {
    std::string text;
    for (; text.size() < length; address += sizeof(long)) {
      const long word = peek(address);
      text.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    text.resize(length);
    return text;
  }

  std::uint64_t first_address() const {
    std::ifstream maps("/proc/" + std::to_string(pid_) + "/maps");
    std::string line;
    std::getline(maps, line);
    return std::stoull(line, nullptr, 16);
  }

  static std::optional<std::uint64_t> offset_in(const std::filesystem::path& program) {
    const std::string command =
        "nm '" + program.string() +
        "' 2>/dev/null | grep ' _ZN3aha5PhaseC1ERNS_12CommunicatorESt17basic_string_view'";
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 512> line{};
    const bool found = std::fgets(line.data(), line.size(), pipe) != nullptr;
    pclose(pipe);
    if (!found) return std::nullopt;
    return std::stoull(line.data(), nullptr, 16);
  }

  pid_t pid_;
  std::uint64_t entry_ = 0;
  std::uint64_t place_ = 0;  ///< of the breakpoint that is set
  long before_ = 0;          ///< what it stands over
  int status_ = 0;
};

}  // namespace aha_test
