#include "trainer/kernels/buffer.h"

namespace aha {

float* Buffer::reserve(std::int64_t floats, const Memory& memory) {
  if (floats > capacity_) {
    data_.reset();  // free the old memory before the new is taken
    capacity_ = 0;
    data_ = {static_cast<float*>(memory.allocate(4 * floats)), ReleaseFloats{&memory}};
    capacity_ = floats;
  }
  return data_.get();
}

}  // namespace aha
