// Chains of operations: a norm or SwiGLU that writes the rows of the product after it in the weight's type, the ways back
// through those, and what stands between the product of q, k and v and attention, as one launch.
#include "trainer/kernels/cuda/kv_store.h"
#include "trainer/kernels/cuda/operands.h"

namespace aha::cuda {
namespace {

/// A row's head of q, k or v with its bias added, and what of its norm a backward pass needs.
struct Head {
  float* x;
  const float* bias;
  const float* weight;  ///< of the norm; null: none
  float* raw;

  AHA_DEVICE float biased(int d) const { return x[d] + (bias == nullptr ? 0.0F : bias[d]); }
  AHA_DEVICE float normed(int d, float inv) const {
    const float value = biased(d);
    if (raw != nullptr) raw[d] = value;
    return weight == nullptr ? value : value * inv * weight[d];
  }
};

/// One over the root mean square of a head, in every lane.
AHA_DEVICE float inverse_rms(const Head& head, int D, float eps) {
  float squares = 0;
  for (int d = lane(); d < D; d += kWarp) {
    const float x = head.biased(d);
    squares = fmaf(x, x, squares);
  }
  return 1.0F / sqrtf(lanes_sum(squares) / static_cast<float>(D) + eps);
}

/// Head h of a row: q's heads, then k's, then v's. A lane has both dimensions of the pairs that it turns, and reads them
/// before it writes them.
AHA_DEVICE void finish_head(const FinishQkv& p, Index row, int h, int rotary) {
  const int H = static_cast<int>(p.H);
  const int Hk = static_cast<int>(p.kv.Hk);
  const int D = static_cast<int>(p.kv.D);
  const int position = p.rows.positions[row];
  const bool value = h >= H + Hk;
  const bool key = h >= H && !value;
  Head head{p.qkv + (row * (H + 2 * Hk) + h) * D, p.bias == nullptr ? nullptr : p.bias + h * D,
            nullptr, nullptr};
  float inv = 1;
  if (p.norm != nullptr && !value) {
    const Index kept = row * (H + Hk) + h;
    head.weight = p.norm + (key ? D : 0);
    if (p.raw != nullptr) head.raw = p.raw + kept * D;
    inv = inverse_rms(head, D, p.eps);
    if (p.inv_rms != nullptr && lane() == 0) p.inv_rms[kept] = inv;
  }
  Index stored = 0;  // where the first element goes
  int step = kKvBlock;
  if (h >= H) {
    stored = kv_head_at(p.kv, p.rows.tables[row][position / kKvBlock], value ? h - H - Hk : h - H);
    stored += value ? (kKvBlock + position % kKvBlock) * D : position % kKvBlock;
    if (value) step = 1;
  }
  const auto put = [&](int d, float x) {
    head.x[d] = x;
    if (h >= H) put_kv_element(p.kv, stored + d * step, x);
  };
  const int half = value ? 0 : rotary / 2;
  const float* cos = p.cos + position * (rotary / 2);
  const float* sin = p.sin + position * (rotary / 2);
  for (int i = lane(); i < half; i += kWarp) {
    const float a = head.normed(i, inv);
    const float b = head.normed(half + i, inv);
    put(i, fmaf(a, cos[i], -(b * sin[i])));
    put(half + i, fmaf(b, cos[i], a * sin[i]));
  }
  for (int d = 2 * half + lane(); d < D; d += kWarp)
    put(d, head.normed(d, inv));
}

/// A block is a row, a warp every so manieth of its heads.
__global__ void finish_rows(FinishQkv p, int rotary) {
  const int heads = static_cast<int>(p.H + 2 * p.kv.Hk);
  for (int h = warp(); h < heads; h += threads() / kWarp)
    finish_head(p, block_x(), h, rotary);
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
  constexpr Index kMostWarps = 18;
  const Index heads = p.H + 2 * p.kv.Hk;
  const auto warps = static_cast<int>(heads < kMostWarps ? heads : kMostWarps);
  const Index rotary = p.rotary == 0 ? p.kv.D : p.rotary;
  launch({p.rows.M, 1, warps * kWarp}, finish_rows, p, static_cast<int>(rotary));
}

}  // namespace aha::cuda
