#pragma once
#include <cstdint>
#include <functional>
#include <memory>

namespace aha {

/// A fixed team of threads for short parallel loops. The caller works too; workers spin for about
/// 20 microseconds after a loop and then sleep on a futex, so an idle team costs nothing and a busy
/// neighbour cannot stall it behind a spinning barrier.
///
/// Work is cut into numbered pieces by the caller; which thread runs a piece never enters a result,
/// so results do not depend on the number of threads as long as a piece's result does not depend on
/// other pieces. One loop at a time; a loop started inside a piece runs on the thread it is in.
class ThreadPool {
 public:
  /// `threads` >= 1, the caller included. UserError when the system refuses so many.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Calls body(piece) for piece in [0, pieces), and returns when all are done. When pieces throw, the
  /// exception of the lowest of them is rethrown here, after all that had begun ended: the same one
  /// for any number of threads. Pieces after it may not have run.
  void run(std::int64_t pieces, const std::function<void(std::int64_t)>& body);

 private:
  struct Shared;
  int threads_;
  std::unique_ptr<Shared> shared_;
};

/// How a kernel or a module may use the machine: with a team, or on the calling thread alone.
struct Exec {
  ThreadPool* pool = nullptr;  ///< null: the calling thread alone

  int threads() const { return pool == nullptr ? 1 : pool->threads(); }
  void run(std::int64_t pieces, const std::function<void(std::int64_t)>& body) const;
  /// The same with a plain function, for callers that must not compile library code.
  void run(std::int64_t pieces, void (*body)(void* context, std::int64_t piece),
           void* context) const;
};

/// Cores that this process may run on (affinity and cgroup quota respected), at least 1.
int available_cores();

}  // namespace aha
