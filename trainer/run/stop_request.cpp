#include "trainer/run/stop_request.h"

#include <array>

namespace aha {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGUSR1};
volatile std::sig_atomic_t caught = 0;  // NOLINT: a handler can reach nothing else

void on_signal(int number) {
  if (caught != 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
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
