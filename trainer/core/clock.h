#pragma once
#include <array>
#include <chrono>
#include <ctime>
#include <string>

namespace aha {

/// For how long things take; never enters a result.
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// "2026-11-26 04:51:07 UTC", for people: nothing is ever decided by it, clocks of hosts may differ.
inline std::string utc_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

}  // namespace aha
