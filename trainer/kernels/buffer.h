#pragma once
#include <memory>

#include "trainer/kernels/memory.h"

namespace aha {

/// Gives memory back to where it is from.
struct ReleaseFloats {
  const Memory* memory = nullptr;
  void operator()(float* data) const { memory->release(data); }
};

/// Memory for activations and caches that only grows: contents are undefined after `reserve` grew
/// it. One allocation in the memory of a table, reused from step to step.
class Buffer {
 public:
  /// At least `floats` f32, every time of the same memory; zero-filled when new memory was taken.
  float* reserve(std::int64_t floats, const Memory& memory = kHostMemory);
  float* data() const { return data_.get(); }
  std::int64_t bytes() const { return capacity_ * 4; }

 private:
  std::unique_ptr<float, ReleaseFloats> data_;
  std::int64_t capacity_ = 0;
};

}  // namespace aha
