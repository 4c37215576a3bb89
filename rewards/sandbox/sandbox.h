#pragma once
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/sandbox/child.h"
#include "rewards/sandbox/sandbox_home.h"
#include "rewards/sandbox/system_calls.h"

namespace aha {

struct SandboxLimits {
  std::int64_t cpu_s = 10;                            ///< processor time
  double wall_s = 40;                                 ///< for what sleeps, or waits for a processor
  std::int64_t memory_bytes = std::int64_t{1} << 30;  ///< address space
  std::int64_t output_bytes = std::int64_t{8} << 20;  ///< of standard output, and of errors
};

/// A program to run.
struct SandboxTask {
  std::vector<std::string> command;  ///< [0] is a path, absolute or within `folder`
  std::filesystem::path folder;      ///< what it works in; a Compiler may write there
  SandboxRole role = SandboxRole::Program;
  std::string_view input = {};  ///< standard input
  SandboxLimits limits = {};
};

enum class SandboxEnd { Exited, Signalled, CpuLimit, WallLimit, OutputLimit };

/// How it ended, and what it said.
struct SandboxResult {
  SandboxEnd end = SandboxEnd::Exited;
  int code = 0;          ///< exit code or signal
  bool stopped = false;  ///< it was not waited for any longer
  std::string output;
  std::string errors;  ///< the end of standard error

  bool succeeded() const { return end == SandboxEnd::Exited && code == 0; }
  /// By no limit that is known: the kernel short of memory, say. No call that the filter allows does it at once.
  bool killed() const { return end == SandboxEnd::Signalled && code == SIGKILL; }
  bool out_of_time() const { return end == SandboxEnd::CpuLimit || end == SandboxEnd::WallLimit; }
  /// "time limit", "output limit", "exit code 1: ZeroDivisionError: ...", "signal 11 (...)".
  std::string reason() const;
};

struct SandboxOptions {
  std::vector<std::string> paths;  ///< read-only besides the system's programs and libraries
  bool allow_no_isolation = false;
  bool namespaces = true;  ///< false: do without, as where the system forbids them
  bool landlock = true;
};

/// Runs untrusted programs. What each layer stops is in rewards/README.md; which ones a machine
/// grants is tried when a Sandbox is made.
///
/// Every program has a system-call filter, limits, no files of the parent, an environment of its own, a
/// session of its own, and sees the system's programs and libraries and its folder alone, all
/// read-only: by namespaces with a root of its own, by Landlock, or both. Where neither can be had,
/// or no filter, there is no isolation.
///
/// Processor time decides, in whole seconds and on every machine alike but for its speed. The
/// wall-clock limit is inherent: a program that sleeps uses no time. So a time limit is the one
/// outcome that may differ between two runs of a program that is otherwise deterministic.
///
/// May be used by several threads. As many programs run at once as this process has cores; others wait.
class Sandbox {
 public:
  /// UserError where no isolation is to be had, unless allowed.
  explicit Sandbox(SandboxOptions options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// UserError when the program cannot be started: that is never the program's fault.
  SandboxResult run(const SandboxTask& task) const;

  /// Two programs, the standard output of each the standard input of the other. Ends with `judge`.
  struct Pair {
    SandboxResult judge;
    SandboxResult judged;
  };
  Pair run_pair(const SandboxTask& judge, const SandboxTask& judged) const;

  /// A new empty folder for a program, gone with the Sandbox.
  std::filesystem::path new_folder() const;

  const Layers& layers() const { return layers_; }
  bool isolated() const { return layers_.filter && (layers_.namespaces || layers_.landlock); }
  /// "namespaces (...), Landlock, system-call filter, limits".
  std::string isolation() const;

 private:
  class Slots;
  void choose_layers();
  std::string tried(const Layers& layers);
  ChildPlan plan_of(const SandboxTask& task, std::size_t slot) const;

  SandboxOptions options_;
  SandboxHome home_;
  std::filesystem::path root_;  ///< empty, a place to mount on
  std::vector<VisiblePath> paths_;
  std::vector<std::string> parents_;
  std::vector<sock_filter> program_filter_;
  std::vector<sock_filter> compiler_filter_;
  Layers layers_;
  std::int64_t most_processes_ = 0;
  int dumpable_ = 1;
  std::unique_ptr<Slots> slots_;
};

}  // namespace aha
