#pragma once
// What the benchmarks of kernels measure with.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <vector>

#include "trainer/core/clock.h"
#include "trainer/kernels/ops.h"

namespace aha_bench {

using aha::Index;
using Floats = std::vector<float>;

inline std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

inline bool processor_time = false;  // NOLINT: set once by main; of the calling thread

inline double now() {
  timespec t{};
  clock_gettime(processor_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

inline double seconds_of(const std::function<void()>& body) {
  const double start = now();
  body();
  return now() - start;
}

/// Least time of a call, over about a tenth of a second of calls.
inline double best_seconds(const std::function<void()>& body) {
  body();
  double best = 1e9;
  const auto until = aha::Clock::now() + std::chrono::milliseconds(150);
  do
    best = std::min(best, seconds_of(body));
  while (aha::Clock::now() < until);
  return best;
}

inline Floats random_floats(Index n) {
  static std::mt19937 engine(1);
  std::normal_distribution<float> normal(0.0F, 0.3F);
  Floats out(at(n));
  for (auto& x : out)
    x = normal(engine);
  return out;
}

}  // namespace aha_bench
