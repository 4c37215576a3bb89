#include "trainer/comm/device_link.h"

#include <unistd.h>

#include <utility>

#include "trainer/core/clock.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr double kAwakeS = 1e-4;      ///< most waits are short: until then the thread stays awake
constexpr unsigned kNapUs = 50;       ///< between two questions after that
constexpr double kLookEveryS = 0.25;  ///< for ranks that are gone

}  // namespace

DeviceLink::DeviceLink(const DeviceNetwork& network, Options options)
    : network_(&network), options_(std::move(options)) {}

void DeviceLink::until(const std::function<bool()>& done) try {
  const auto start = Clock::now();
  double looked_s = 0;
  while (!done()) {
    const double waited_s = seconds_since(start);
    if (waited_s >= options_.timeout_s)
      throw std::runtime_error(fmt::format("no end within {:g} s", options_.timeout_s));
    if (waited_s - looked_s >= kLookEveryS) {
      looked_s = waited_s;
      if (const auto why = options_.lost(); !why.empty()) throw std::runtime_error(why);
    }
    if (waited_s >= kAwakeS) ::usleep(kNapUs);
  }
} catch (...) {
  network_->abandon();
  throw;
}

void DeviceLink::join(const DeviceNetworkId& id, int rank, int ranks) {
  network_->join(&id, rank, ranks);
  until(network_->ready);
}

std::int64_t DeviceLink::begin(const DeviceGroup& group) {
  until(network_->ready);
  std::int64_t number = 0;
  until([&] {
    number = network_->begin(&group);
    return true;
  });
  return number;
}

void DeviceLink::wait(std::int64_t number) {
  until([&] { return network_->done(number); });
}

void DeviceLink::abandon() {
  network_->abandon();
}

}  // namespace aha
