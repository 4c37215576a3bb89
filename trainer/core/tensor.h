#pragma once
// The one header that brings LibTorch's tensor in. Sources that need an operator include
// <ATen/ops/NAME.h> themselves; nothing includes torch/torch.h.
#include <ATen/core/Tensor.h>

namespace aha {

using Tensor = at::Tensor;

}  // namespace aha
