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
#include <thread>
#include <vector>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Set while this thread runs a piece: a loop inside a piece stays on its thread.
thread_local bool inside_piece = false;  // NOLINT(readability-identifier-naming)

constexpr auto kSpin = std::chrono::microseconds(20);

/// Waits until `ready`, spinning for kSpin, then sleeping on `value`'s futex.
template <class Ready>
void spin_then_wait(std::atomic<std::uint32_t>& value, std::uint32_t seen, const Ready& ready) {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  while (std::chrono::steady_clock::now() < until) {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return;
      __builtin_ia32_pause();
    }
  }
  while (!ready()) value.wait(seen, std::memory_order_acquire);
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
  bool stop = false;
  std::vector<std::thread> workers;

  void take_pieces() {
    inside_piece = true;
    for (auto piece = next.fetch_add(1); piece < pieces; piece = next.fetch_add(1)) {
      try {
        (*body)(piece);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
    inside_piece = false;
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
  for (int i = 1; i < threads; ++i) shared_->workers.emplace_back([this] { shared_->work(); });
}

ThreadPool::~ThreadPool() {
  shared_->stop = true;
  shared_->generation.fetch_add(1);
  shared_->generation.notify_all();
  for (auto& worker : shared_->workers) worker.join();
}

void ThreadPool::run(std::int64_t pieces, const std::function<void(std::int64_t)>& body) {
  if (threads_ == 1 || pieces <= 1 || inside_piece) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) body(piece);
    return;
  }
  auto& s = *shared_;
  s.pieces = pieces;
  s.body = &body;
  s.next.store(0);
  s.error = nullptr;
  s.working.store(static_cast<std::uint32_t>(threads_ - 1));
  s.generation.fetch_add(1);
  s.generation.notify_all();
  s.take_pieces();
  for (auto left = s.working.load(); left != 0; left = s.working.load())
    spin_then_wait(s.working, left, [&] { return s.working.load() != left; });
  if (s.error) std::rethrow_exception(s.error);
}

void Exec::run(std::int64_t pieces, const std::function<void(std::int64_t)>& body) const {
  if (pool != nullptr) return pool->run(pieces, body);
  for (std::int64_t piece = 0; piece < pieces; ++piece) body(piece);
}

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (quota_file >> quota >> period && period > 0)
    cores = std::min(cores, static_cast<int>(std::ceil(quota / period)));
  return std::max(1, cores);
}

}  // namespace aha
