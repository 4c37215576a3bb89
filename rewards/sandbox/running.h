#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "rewards/sandbox/sandbox.h"

namespace aha {

/// A file descriptor of ours, at least 3, closed on exec.
class OwnedFile {
 public:
  OwnedFile() = default;
  explicit OwnedFile(int file);
  ~OwnedFile() { close(); }
  OwnedFile(OwnedFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  OwnedFile& operator=(OwnedFile&& other) noexcept;
  OwnedFile(const OwnedFile&) = delete;
  OwnedFile& operator=(const OwnedFile&) = delete;

  int get() const { return file_; }
  void close();

 private:
  int file_ = -1;
};

/// Read end, write end. UserError when there are no more files to be had.
std::pair<OwnedFile, OwnedFile> new_pipe();

/// A file in memory that holds `text` and cannot be changed, to be read from its start.
OwnedFile sealed_file(std::string_view text);

/// A stack for a child, with room at its start for what both sides see. Mapped once, used again.
class ChildStack {
 public:
  ChildStack();
  ~ChildStack();
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  ChildFailure& failure() const { return *static_cast<ChildFailure*>(bytes_); }
  void* top() const;

 private:
  void* bytes_;
};

/// Starts what `plan` says, in clone's way; the child's id. UserError naming the step that failed.
pid_t start_child(const ChildPlan& plan, const ChildStack& stack);

/// A program under way, watched by its parent, who reads what it says and ends it at its limits.
class RunningProgram {
 public:
  RunningProgram(pid_t pid, const SandboxLimits& limits, OwnedFile output, OwnedFile errors);
  ~RunningProgram() { stop(); }
  RunningProgram(RunningProgram&& other) noexcept;
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  bool ended() const { return pid_ < 0; }
  /// Reads, notices limits and the end. Never waits.
  void look();
  /// Kills whatever is left of it, reads the rest and waits.
  void stop();
  SandboxResult take_result() { return std::move(result_); }

  /// Waits until one of them may have something to say, then looks at all.
  static void look_at(std::span<RunningProgram> all);

 private:
  void read_output();
  void read_errors();
  void kill_as(SandboxEnd end);
  void kill_group() const;
  void reap();

  pid_t pid_;
  SandboxLimits limits_;
  std::chrono::steady_clock::time_point deadline_;
  OwnedFile watch_;  ///< readable when it has ended; -1 on kernels without
  OwnedFile output_;
  OwnedFile errors_;
  std::int64_t error_bytes_ = 0;
  SandboxResult result_;
};

}  // namespace aha
