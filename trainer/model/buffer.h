#pragma once
#include "trainer/core/tensor.h"

namespace aha {

/// Memory for activations and caches that only grows: contents are undefined after `reserve` grew
/// it. One allocation on the tensor's device, reused from step to step.
class Buffer {
 public:
  /// At least `floats` f32; zero-filled when new memory was taken.
  float* reserve(std::int64_t floats);
  float* data() const { return data_; }
  std::int64_t bytes() const { return capacity_ * 4; }

 private:
  Tensor tensor_;
  float* data_ = nullptr;
  std::int64_t capacity_ = 0;
};

}  // namespace aha
