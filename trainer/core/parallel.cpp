#include "trainer/core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Set while this thread runs a piece: a loop inside a piece stays on its thread.
thread_local bool inside_piece = false;  // NOLINT(readability-identifier-naming)

/// Longer than what one thread does alone between the loops of a decode step: a sleeper wakes in 50 us.
constexpr auto kSpin = std::chrono::microseconds(200);

/// Tells the core that this is a spin loop.
inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `ready`, spinning for kSpin, then sleeping on `value`'s futex.
template <class Ready>
void spin_then_wait(std::atomic<std::uint32_t>& value, std::uint32_t seen, const Ready& ready) {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  while (std::chrono::steady_clock::now() < until) {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return;
      relax();
    }
  }
  while (!ready())
    value.wait(seen, std::memory_order_acquire);
}

}  // namespace

/// A loop's state in one word, so that a piece is claimed for the loop that runs now or not at all: a
/// worker that wakes late finds the next loop or nothing, and nobody waits for it.
struct Claim {
  static constexpr int kBits = 20;  ///< of `pieces` and of `next`
  static constexpr std::uint64_t kMost = (1U << kBits) - 1;

  std::uint64_t loop;    ///< counts loops, modulo 2^24
  std::uint64_t pieces;  ///< <= kMost
  std::uint64_t next;    ///< first piece that nobody has taken

  static Claim of(std::uint64_t word) {
    return {word >> (2 * kBits), (word >> kBits) & kMost, word & kMost};
  }
  std::uint64_t word() const { return loop << (2 * kBits) | pieces << kBits | next; }
};

struct ThreadPool::Shared {
  std::atomic<std::uint64_t> claim{0};
  std::atomic<std::uint32_t> generation{0};  ///< moves with each loop; idle workers sleep on it
  std::atomic<std::uint32_t> finished{0};    ///< claimed pieces that are done
  // Set before the loop is published and unchanged until all of its pieces are done.
  std::int64_t total = 0;
  std::int64_t stride = 1;  ///< calls of the body in a piece
  const std::function<void(std::int64_t)>* body = nullptr;

  std::mutex error_mutex;
  std::exception_ptr error;
  std::atomic<std::int64_t> error_call{0};  ///< calls from here on need not run
  std::atomic<bool> busy{false};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;

  void publish(std::int64_t calls, const std::function<void(std::int64_t)>& f) {
    const auto most = static_cast<std::int64_t>(Claim::kMost);
    total = calls;
    stride = (calls + most - 1) / most;
    body = &f;
    error_call.store(calls);
    finished.store(0);
    const auto pieces = static_cast<std::uint64_t>((calls + stride - 1) / stride);
    const std::uint64_t loop = (Claim::of(claim.load()).loop + 1) & 0xFFFFFF;
    claim.store(Claim{loop, pieces, 0}.word());
    generation.fetch_add(1);
    generation.notify_all();
  }

  /// Claims one piece and runs it; false when none is left.
  bool take_piece() {
    std::uint64_t word = claim.load();
    Claim c = Claim::of(word);
    while (c.next < c.pieces) {
      if (!claim.compare_exchange_weak(word, Claim{c.loop, c.pieces, c.next + 1}.word())) {
        c = Claim::of(word);
        continue;
      }
      run_piece(static_cast<std::int64_t>(c.next));
      if (finished.fetch_add(1) + 1 == c.pieces) finished.notify_all();
      return true;
    }
    return false;
  }

  void run_piece(std::int64_t piece) {
    inside_piece = true;
    const std::int64_t end = std::min(total, (piece + 1) * stride);
    for (std::int64_t call = piece * stride; call < end && call < error_call.load(); ++call) {
      try {
        (*body)(call);
      } catch (...) {
        note_error(call);
      }
    }
    inside_piece = false;
  }

  /// Pieces are claimed in order, so the lowest call that throws is always run: it is the one that a
  /// single thread would stop at.
  void note_error(std::int64_t call) {
    const std::lock_guard lock(error_mutex);
    if (call >= error_call.load()) return;
    error = std::current_exception();
    error_call.store(call);
  }

  void wait_for(std::uint32_t pieces) {
    for (auto done = finished.load(); done != pieces; done = finished.load())
      spin_then_wait(finished, done, [&] { return finished.load() != done; });
  }

  void stop_workers() {
    stop.store(true);
    generation.fetch_add(1);
    generation.notify_all();
    for (auto& worker : workers)
      worker.join();
  }

  void work() {
    for (;;) {
      const std::uint32_t seen = generation.load();
      if (stop.load()) return;
      while (take_piece()) {
      }
      spin_then_wait(generation, seen, [&] { return generation.load() != seen; });
    }
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads), shared_(std::make_unique<Shared>()) {
  check(threads >= 1, "a thread pool has at least one thread");
  try {
    for (int i = 1; i < threads; ++i)
      shared_->workers.emplace_back([s = shared_.get()] { s->work(); });
  } catch (const std::system_error& error) {
    shared_->stop_workers();  // a thread that is not joined would end the program
    fail("{} threads cannot be started: {}; set train.threads lower", threads, error.what());
  }
}

ThreadPool::~ThreadPool() {
  shared_->stop_workers();
}

void ThreadPool::run(std::int64_t pieces, const std::function<void(std::int64_t)>& body) {
  if (threads_ == 1 || pieces <= 1 || inside_piece) {
    for (std::int64_t piece = 0; piece < pieces; ++piece)
      body(piece);
    return;
  }
  auto& s = *shared_;
  check(!s.busy.exchange(true), "a thread pool runs one loop at a time");
  s.publish(pieces, body);
  const auto claimable = static_cast<std::uint32_t>(Claim::of(s.claim.load()).pieces);
  while (s.take_piece()) {
  }
  s.wait_for(claimable);
  const auto error = std::exchange(s.error, nullptr);
  s.busy.store(false);
  if (error) std::rethrow_exception(error);
}

void Exec::run(std::int64_t pieces, const std::function<void(std::int64_t)>& body) const {
  if (pool != nullptr) return pool->run(pieces, body);
  for (std::int64_t piece = 0; piece < pieces; ++piece)
    body(piece);
}

void Exec::run(std::int64_t pieces, void (*body)(void*, std::int64_t), void* context) const {
  if (pool != nullptr) return pool->run(pieces, [=](std::int64_t piece) { body(context, piece); });
  for (std::int64_t piece = 0; piece < pieces; ++piece)
    body(context, piece);
}

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // refused where the machine has more processors than the set has bits
  int cores = sched_getaffinity(0, sizeof set, &set) == 0
                  ? CPU_COUNT(&set)
                  : static_cast<int>(std::thread::hardware_concurrency());
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (quota_file >> quota >> period && period > 0)
    cores = std::min(cores, static_cast<int>(std::ceil(quota / period)));
  return std::max(1, cores);
}

}  // namespace aha
