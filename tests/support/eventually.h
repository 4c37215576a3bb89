#pragma once
#include <chrono>
#include <thread>

namespace aha_test {

/// True once `holds()` is; false when 30 s have passed without.
template <class Condition>
bool eventually(const Condition& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace aha_test
