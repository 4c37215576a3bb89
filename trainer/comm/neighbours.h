#pragma once
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aha {

/// Ranks of one machine that read each other's memory (process_vm_readv): what one needs of another is copied
/// once, by who needs it, where a socket copies it into the kernel and out of it.
///
/// The system allows that between processes of one user in one PID namespace; Yama (ptrace_scope 1) only to whom a
/// process names, which here are its parent's descendants: the launcher's ranks. All ranks read or none does, so that
/// every rank waits for the same things.
class Neighbours {
 public:
  /// Lets the others read.
  Neighbours();

  /// Where this rank is, and a place in its memory to try.
  std::string introduction() const;
  /// Whether all ranks can be read from here; their introductions in rank order.
  bool reach(const std::vector<std::string>& introductions);
  /// Copies what lies at `address` of a rank. std::runtime_error when it is not there, or the process is not.
  void read(int rank, std::uint64_t address, void* to, std::size_t bytes) const;

 private:
  std::array<std::uint64_t, 2> probe_{};  ///< what a rank finds at its address, and nowhere else
  std::vector<pid_t> processes_;
};

}  // namespace aha
