#include "trainer/core/ticker.h"

#include <chrono>
#include <utility>

namespace aha {

Ticker::Ticker(double interval_s, std::function<void()> tick)
    : tick_(std::move(tick)), thread_([this, interval_s] { run(interval_s); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Ticker::run(double interval_s) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(interval_s),
                         [this] { return ending_; })) {
    lock.unlock();
    tick_();
    lock.lock();
  }
}

}  // namespace aha
