// Chains of operations: a norm or SwiGLU that writes the rows of the product after it in the weight's type, the ways back
// through those, and what stands between the product of q, k and v and attention, as one launch.
#include "trainer/kernels/cuda/attention.h"
#include "trainer/kernels/cuda/finish.h"
#include "trainer/kernels/cuda/operands.h"

namespace aha::cuda {
namespace {

/// A block is R rows, whose heads its warps take in turn.
template <int R>
__global__ void finish_rows(FinishQkv p, int rotary) {
  const int H = static_cast<int>(p.H);
  const int Hk = static_cast<int>(p.kv.Hk);
  const Index first = R * block_x();
  const int count = p.rows.M - first < R ? static_cast<int>(p.rows.M - first) : R;
  const int D = static_cast<int>(p.kv.D);
  const int width = (H + 2 * Hk) * D;
  for (int h = warp(); h < H + 2 * Hk; h += threads() / kWarp) {
    float* x = p.qkv + first * width + h * D;
    KvPlace places[R] = {};
    if (h >= H) {
      AHA_UNROLL
      for (int r = 0; r < R; ++r)
        places[r] = place_of(p, first + (r < count ? r : 0), (h - H) % Hk, h >= H + Hk);
    }
    finish_heads<R>(p, first, count, h, rotary, [&](int r, int d, float value) {
      x[r * width + d] = value;
      if (h >= H) put_kv_element(p.kv, places[r].first + d * places[r].step, value);
    });
  }
}

/// From the rows of dY as an operand.
void back_through_norm(const Exec& exec, const NormLinearBackward& p, const Operand& dy) {
  const Operand x = new_operand(Scratch::Left, p.dw.M, p.dw.K, dy.type);
  norm_rows(p.norm, x);
  multiply_dw(p.dw, dy, x);
  multiply_dx(p.dx, dy);
  rms_norm_backward(exec, p.back);
}

}  // namespace

void norm_linear(const Exec& exec, const RmsNorm& norm, const Linear& p) {
  if (p.M == 0) return;
  if (p.w.type == FloatType::F32) {
    rms_norm(exec, norm);
    return linear(exec, p);
  }
  const Operand x = new_operand(Scratch::Right, p.M, p.K, p.w.type);
  norm_rows(norm, x);
  multiply(p, x);
}

void swiglu_linear(const Exec& exec, const Swiglu& gate, const Linear& p) {
  if (p.M == 0) return;
  if (p.w.type == FloatType::F32) {
    swiglu(exec, gate);
    return linear(exec, p);
  }
  const Operand x = new_operand(Scratch::Right, p.M, p.K, p.w.type);
  swiglu_rows(gate, x);
  multiply(p, x);
}

void norm_linear_backward(const Exec& exec, const NormLinearBackward& p) {
  if (p.dx.M == 0) return;
  if (p.dw.type == FloatType::F32) {
    rms_norm(exec, p.norm);
    linear_backward(exec, p.dx, p.dw);
    return rms_norm_backward(exec, p.back);
  }
  back_through_norm(exec, p, operand(p.dx.dy, p.dx.ldy, p.dx.M, p.dx.N, p.dw.type, Scratch::Right));
}

void mlp_backward(const Exec& exec, const MlpBackward& p) {
  const Index M = p.gate.M;
  const Index F = p.gate.F;
  const FloatType type = p.down_dw.type;
  if (M == 0) return;
  if (type == FloatType::F32) {
    linear_dx(exec, p.down_dx);
    swiglu_backward(exec, p.gate);
    linear_dw(exec, p.down_dw);
    return norm_linear_backward(exec, p.up);
  }
  const Operand dy = operand(p.down_dx.dy, p.down_dx.ldy, M, p.down_dx.N, type, Scratch::Outer);
  const Operand wide = new_operand(Scratch::Left, M, F, type);
  const Operand dgate_up = new_operand(Scratch::Right, M, 2 * F, type);
  multiply_dx(p.down_dx, dy);
  swiglu_backward_rows(p.gate, dgate_up, wide);
  multiply_dw(p.down_dw, dy, wide);
  back_through_norm(exec, p.up, dgate_up);
}

void finish_qkv(const Exec&, const FinishQkv& p) {
  constexpr int kTogether = 4;  // rows: more to wait for at once, where there are enough for all
  const bool many = p.rows.M >= 2048;
  const Index most = many ? 6 : 9;  // warps of which a multiprocessor has room for several blocks
  const Index heads = p.H + 2 * p.kv.Hk;
  const auto warps = static_cast<int>(heads < most ? heads : most);
  launch({many ? ceil_div(p.rows.M, kTogether) : p.rows.M, 1, warps * kWarp},
         many ? finish_rows<kTogether> : finish_rows<1>, p, rotary_of(p));
}

void attend_linear(const Exec& exec, const FinishQkv& finish, const Attention& p,
                   const Linear& out) {
  if (out.M == 0) return;
  if (out.w.type != FloatType::BF16 || !on_tensor_cores(p.kv) || p.together) {
    finish_qkv(exec, finish);
    attention(exec, p);
    return linear(exec, out);
  }
  const Operand x = new_operand(Scratch::Right, out.M, out.K, out.w.type);
  attend_finished_rows(finish, p, static_cast<Bf16*>(x.data), x.ld);
  multiply(out, x);
}

}  // namespace aha::cuda
