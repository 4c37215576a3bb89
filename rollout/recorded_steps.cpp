#include "rollout/recorded_steps.h"

namespace aha {

void RecordedSteps::record(Index bucket) {
  if (!recordings_.empty() && bucket > recordings_.rbegin()->first) forget();
  step_(bucket);
  device_->begin_recording();
  step_(bucket);
  recordings_[bucket] = device_->end_recording();
}

void RecordedSteps::forget() {
  for (const auto& [bucket, recording] : recordings_)
    device_->forget(recording);
  recordings_.clear();
}

}  // namespace aha
