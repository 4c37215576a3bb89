#include "trainer/model/buffer.h"

#include <ATen/ops/zeros.h>

namespace aha {

float* Buffer::reserve(std::int64_t floats) {
  if (floats > capacity_) {
    tensor_ = Tensor();  // free the old memory before the new is taken
    tensor_ = at::zeros({floats}, at::kFloat);
    data_ = tensor_.data_ptr<float>();
    capacity_ = floats;
  }
  return data_;
}

}  // namespace aha
