// Matrix products. A weight of 16 bits is multiplied by activations rounded to its type, with sums in f32.
#include "trainer/kernels/cuda/operands.h"

namespace aha::cuda {

Operand operand(const float* x, Index ld, Index M, Index columns, FloatType type, Scratch use) {
  if (type == FloatType::F32) return {const_cast<float*>(x), ld, type};
  const Operand rounded = new_operand(use, M, columns, type);
  narrow_rows(x, ld, M, columns, type, rounded.data);
  return rounded;
}

// what is row-major is the transpose of a column-major matrix: y^T = W x^T, and so on

void multiply(const Linear& p, const Operand& x) {
  product({p.w.rows, p.K, true, x.data, x.ld, false, p.y, p.ldy, p.N, p.M, p.K, p.w.type,
           p.accumulate, p.y_type});
}

void multiply_dx(const LinearDx& p, const Operand& dy) {
  product({p.w.rows, p.K, false, dy.data, dy.ld, false, p.dx, p.ldx, p.K, p.M, p.N, p.w.type,
           p.accumulate, p.dx_type});
}

void multiply_dw(const LinearDw& p, const Operand& dy, const Operand& x) {
  product({x.data, x.ld, false, dy.data, dy.ld, true, p.dw, p.K, p.K, p.N, p.M, p.type, true});
}

void linear(const Exec&, const Linear& p) {
  if (p.M == 0) return;
  multiply(p, operand(p.x, p.ldx, p.M, p.K, p.w.type, Scratch::Right));
}

void linear_dx(const Exec&, const LinearDx& p) {
  if (p.M == 0) return;
  multiply_dx(p, operand(p.dy, p.ldy, p.M, p.N, p.w.type, Scratch::Right));
}

void linear_dw(const Exec&, const LinearDw& p) {
  if (p.M == 0) return;
  multiply_dw(p, operand(p.dy, p.ldy, p.M, p.N, p.type, Scratch::Right),
              operand(p.x, p.ldx, p.M, p.K, p.type, Scratch::Left));
}

void linear_backward(const Exec&, const LinearDx& dx, const LinearDw& dw) {
  if (dx.M == 0) return;
  const Operand dy = operand(dx.dy, dx.ldy, dx.M, dx.N, dx.w.type, Scratch::Right);
  multiply_dw(dw, dy, operand(dw.x, dw.ldx, dw.M, dw.K, dw.type, Scratch::Left));
  multiply_dx(dx, dy);
}

}  // namespace aha::cuda
