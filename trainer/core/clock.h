#pragma once
#include <chrono>

namespace aha {

/// For how long things take; never enters a result.
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace aha
