#include "trainer/model/buffer.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace aha {

float* Buffer::reserve(std::int64_t floats) {
  if (floats > capacity_) {
    tensor_ = Tensor();  // free the old memory before the new is taken
    tensor_ = at::empty({floats}, at::kFloat);
    data_ = tensor_.data_ptr<float>();
    std::fill_n(data_, floats,
                0.0F);  // not at::zeros, which starts a team of OpenMP threads that spin
    capacity_ = floats;
  }
  return data_;
}

}  // namespace aha
