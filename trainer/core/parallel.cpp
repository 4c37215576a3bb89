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

constexpr auto kSpin = std::chrono::microseconds(20);

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

struct ThreadPool::Shared {
  std::atomic<std::uint32_t> generation{0};  ///< counts loops; workers wait for it to move
  std::atomic<std::uint32_t> working{0};     ///< workers that have not left the current loop
  std::atomic<std::int64_t> next{0};
  std::int64_t pieces = 0;
  const std::function<void(std::int64_t)>* body = nullptr;
  std::mutex error_mutex;
  std::exception_ptr error;
  std::int64_t error_piece = 0;
  std::atomic<bool> busy{false};
  bool stop = false;
  std::vector<std::thread> workers;

  void take_pieces() {
    inside_piece = true;
    for (auto piece = next.fetch_add(1); piece < pieces; piece = next.fetch_add(1)) {
      try {
        (*body)(piece);
      } catch (...) {
        note_error(piece);
      }
    }
    inside_piece = false;
  }

  /// Pieces are handed out in order, so the lowest piece that throws is always run: it is the one
  /// that a single thread would stop at, and what is not handed out yet need not run.
  void note_error(std::int64_t piece) {
    const std::lock_guard lock(error_mutex);
    if (error && error_piece < piece) return;
    error = std::current_exception();
    error_piece = piece;
    next.store(pieces);
  }

  void stop_workers() {
    stop = true;
    generation.fetch_add(1);
    generation.notify_all();
    for (auto& worker : workers)
      worker.join();
  }

  void work() {
    std::uint32_t seen = 0;
    for (;;) {
      spin_then_wait(generation, seen, [&] { return generation.load() != seen; });
      seen = generation.load();
      if (stop) return;
      take_pieces();
      if (working.fetch_sub(1) == 1) working.notify_all();
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
  s.pieces = pieces;
  s.body = &body;
  s.next.store(0);
  s.working.store(static_cast<std::uint32_t>(threads_ - 1));
  s.generation.fetch_add(1);
  s.generation.notify_all();
  s.take_pieces();
  for (auto left = s.working.load(); left != 0; left = s.working.load())
    spin_then_wait(s.working, left, [&] { return s.working.load() != left; });
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
