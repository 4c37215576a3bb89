#pragma once
#include <functional>
#include <map>

#include "rollout/buckets.h"
#include "trainer/kernels/device_ops.h"

namespace aha {

/// Steps recorded once a bucket of rows, to be asked for in one call.
class RecordedSteps {
 public:
  /// `step(rows)` asks for a step of so many rows, always by the same calls. It may take memory the first time
  /// that it is called for so many rows or more, and not again for as many or fewer.
  RecordedSteps(const DeviceOps& device, std::function<void(Index rows)> step)
      : device_(&device), step_(std::move(step)) {}
  ~RecordedSteps() { forget(); }
  RecordedSteps(const RecordedSteps&) = delete;
  RecordedSteps& operator=(const RecordedSteps&) = delete;

  bool has(Index bucket) const { return recordings_.count(bucket) > 0; }
  /// Runs the step once, which takes what memory it needs, and records it. A bucket larger than all that were recorded
  /// may move what they work on: they are forgotten. Whoever begins with the largest records none twice.
  void record(Index bucket);
  /// A step of a bucket that was recorded.
  void launch(Index bucket) const { device_->launch(recordings_.at(bucket)); }
  /// For when the memory that steps work on moves.
  void forget();

 private:
  const DeviceOps* device_;
  std::function<void(Index rows)> step_;
  std::map<Index, Recording*> recordings_;
};

}  // namespace aha
