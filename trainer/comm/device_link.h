#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "trainer/core/device_network.h"

namespace aha {

/// This rank's device among the others': what DeviceNetwork begins is waited for here, with a deadline. Where something fails
/// the link ends what is under way, so that the device's memory can be given back, and the error goes on.
class DeviceLink {
 public:
  struct Options {
    double timeout_s = 600;  ///< of one wait
    /// Why to wait no longer; empty: nothing. Asked a few times a second.
    std::function<std::string()> lost;
  };

  DeviceLink(const DeviceNetwork& network, Options options);

  /// Waits for all.
  void join(const DeviceNetworkId& id, int rank, int ranks);
  /// Returns a number to wait for. Waits, if at all, for what was begun before to be in the device's hands.
  std::int64_t begin(const DeviceGroup& group);
  /// The group is complete when it returns.
  void wait(std::int64_t number);
  void abandon();

 private:
  /// Asks until `done` says so.
  void until(const std::function<bool()>& done);

  const DeviceNetwork* network_;
  Options options_;
};

}  // namespace aha
