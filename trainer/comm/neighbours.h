#pragma once
#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aha {

/// Ranks of one machine that read each other's memory (process_vm_readv): what one needs of another is copied
/// once, by who needs it, where a socket copies it into the kernel and out of it; and a collective of a few bytes takes
/// microseconds, as no other thread is woken for it.
///
/// The system allows that between processes of one user in one PID namespace; Yama (ptrace_scope 1) only to whom a
/// process names, which here are its parent's descendants: the launcher's ranks. All ranks read or none does, so that
/// every rank waits for the same things.
///
/// Calls are numbered alike on all ranks. For each a rank posts a place in its memory, takes what it needs of the others',
/// and says that it is done; whoever waits looks, and sleeps between looks the longer it waits.
class Neighbours {
 public:
  struct Extent {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
  };

  /// Lets the others read. Waiting longer than `timeout_s` is an error.
  Neighbours(int rank, double timeout_s);

  /// Where this rank is, and where it posts.
  std::string introduction() const;
  /// Whether all ranks can be read from here; their introductions in rank order.
  bool reach(const std::vector<std::string>& introductions);

  /// Takes back what was let: not all can be read.
  void withdraw() const;

  /// For the others: their `await` of this call gives it. The one kCalls before it is over on all ranks.
  void post(std::int64_t call, const void* place, std::size_t bytes);
  /// This rank has what it needs of the others for this call, which it posted.
  void finish(std::int64_t call);
  /// What a rank posted, when it has.
  Extent await(int rank, std::int64_t call) const;
  /// Returns when all ranks have finished the call.
  void await_finished(std::int64_t call) const;
  /// Before what was posted for the call goes with this rank: waits a moment for who may still take it.
  void let_finish(std::int64_t call) const;
  /// Copies what lies at `address` of a rank. All of these: std::runtime_error when it is not there, or the process is
  /// not, or does not come in time.
  void read(int rank, std::uint64_t address, void* to, std::size_t bytes) const;

  /// A rank is never so far ahead of another.
  static constexpr std::int64_t kCalls = 1024;

 private:
  /// What a rank says of a call; whatever it says is there before the number is.
  struct Slot {
    std::atomic<std::int64_t> posted{-1};
    std::atomic<std::int64_t> finished{-1};
    Extent extent;
  };
  struct Other {
    pid_t process = 0;
    std::uint64_t slots = 0;  ///< where they are in its memory
  };
  std::uint64_t slot_of(int rank, std::int64_t call) const;
  std::int64_t look(int rank, std::uint64_t address) const;
  template <class Ready>
  void wait_for(int rank, std::uint64_t address, double limit_s, const Ready& ready) const;
  void await_finished(std::int64_t call, double limit_s) const;

  int rank_ = 0;
  double timeout_s_ = 0;
  bool reached_ = false;                  ///< all could be read: who cannot for a moment will be
  std::array<std::uint64_t, 2> probe_{};  ///< what a rank finds at its address, and nowhere else
  Slot* slots_;  ///< [kCalls], never released: others may look until the process ends
  std::vector<Other> others_;
};

}  // namespace aha
