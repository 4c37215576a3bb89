#include "rollout/recorded_steps.h"

namespace aha {

void RecordedSteps::record(Index bucket) {
  if (!recordings_.empty() && bucket > recordings_.rbegin()->first) forget();
  try {
    device_->prepare_recording();
    step_(bucket);
    device_->begin_recording();
    step_(bucket);
    recordings_[bucket] = device_->end_recording();
  } catch (...) {
    device_->drop_recording();
    throw;
  }
}

void RecordedSteps::forget() {
  for (const auto& [bucket, recording] : recordings_)
    device_->forget(recording);
  recordings_.clear();
}

}  // namespace aha
