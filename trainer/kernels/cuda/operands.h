#pragma once
// Rows as operands of products, in the type of a weight: rounded from f32, or written so by what computes them.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/gpu.h"

namespace aha::cuda {

/// Rows in a type, `ld` numbers apart.
struct Operand {
  void* data;
  Index ld;
  FloatType type;
};

/// Scratch memory for rows [M, columns].
inline Operand new_operand(Scratch use, Index M, Index columns, FloatType type) {
  return {scratch(use, M * padded(columns) * bytes_of(type)), padded(columns), type};
}

/// Rows [M, columns] of f32, rounded; those themselves where the type is f32.
Operand operand(const float* x, Index ld, Index M, Index columns, FloatType type, Scratch use);

/// The products with an operand in the place of x or dy.
void multiply(const Linear& p, const Operand& x);
void multiply_dx(const LinearDx& p, const Operand& dy);
void multiply_dw(const LinearDw& p, const Operand& dy, const Operand& x);

/// The operations whose result is an operand, in the place of y and of dgate_up.
void norm_rows(const RmsNorm& p, const Operand& y);
void swiglu_rows(const Swiglu& p, const Operand& y);
void swiglu_backward_rows(const SwigluBackward& p, const Operand& dgate_up, const Operand& y);

}  // namespace aha::cuda
