#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {

void norm_linear(const Exec& exec, const RmsNorm& norm, const Linear& p) {
  rms_norm(exec, norm);
  linear(exec, p);
}

void swiglu_linear(const Exec& exec, const Swiglu& gate, const Linear& p) {
  swiglu(exec, gate);
  linear(exec, p);
}

void finish_qkv(const Exec& exec, const FinishQkv& p) {
  const Index M = p.rows.M;
  const Index Hk = p.kv.Hk;
  const Index D = p.kv.D;
  if (p.bias != nullptr) add_bias(exec, p.bias, M, (p.H + 2 * Hk) * D, p.qkv);
  if (p.norm != nullptr) head_norm(exec, {p.qkv, p.norm, p.raw, p.inv_rms, M, p.H, Hk, D, p.eps});
  rope(exec, {p.qkv, p.rows.positions, p.cos, p.sin, M, p.H, Hk, D, false, p.rotary});
  kv_write(exec, p.qkv, p.H, p.rows, p.kv);
}

void attend_linear(const Exec& exec, const FinishQkv& finish, const Attention& p,
                   const Linear& out) {
  finish_qkv(exec, finish);
  attention(exec, p);
  linear(exec, out);
}

void linear_backward(const Exec& exec, const LinearDx& dx, const LinearDw& dw) {
  linear_dw(exec, dw);
  linear_dx(exec, dx);
}

void norm_linear_backward(const Exec& exec, const NormLinearBackward& p) {
  rms_norm(exec, p.norm);
  linear_backward(exec, p.dx, p.dw);
  rms_norm_backward(exec, p.back);
}

void mlp_backward(const Exec& exec, const MlpBackward& p) {
  linear_dx(exec, p.down_dx);
  swiglu_backward(exec, p.gate);
  linear_dw(exec, p.down_dw);
  norm_linear_backward(exec, p.up);
}

}  // namespace aha::AHA_ISA
