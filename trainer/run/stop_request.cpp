#include "trainer/run/stop_request.h"

#include <array>
#include <cstdint>
#include <ctime>

namespace aha {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGUSR1};
// NOLINTBEGIN: a handler can reach nothing else
volatile std::sig_atomic_t caught = 0;
volatile std::int64_t caught_at_ms = 0;
// NOLINTEND
constexpr std::int64_t kSameStopMs = 1000;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void on_signal(int number) {
  if (caught != 0 && now_ms() - caught_at_ms > kSameStopMs) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  if (caught != 0) return;
  caught_at_ms = now_ms();
  caught = number;
}

}  // namespace

StopRequest::StopRequest() {
  caught = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    sigaction(kSignals[i], &action, &before_[i]);
}

StopRequest::~StopRequest() {
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    sigaction(kSignals[i], &before_[i], nullptr);
  caught = 0;
}

int StopRequest::signal() {
  return caught;
}

}  // namespace aha
