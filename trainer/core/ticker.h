#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace aha {

/// A thread that calls a function every so many seconds, from the first interval's end until this is destroyed.
class Ticker {
 public:
  /// `tick` must not throw.
  Ticker(double interval_s, std::function<void()> tick);
  /// Waits for a call that is under way.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run(double interval_s);

  std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace aha
