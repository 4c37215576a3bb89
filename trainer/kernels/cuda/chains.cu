// Chains of small operations as one launch: a norm or SwiGLU that writes the rows of the product after it in the
// weight's type, and what stands between the product of q, k and v and attention.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/kv_store.h"

namespace aha::cuda {
namespace {

/// The product of rows that are in scratch memory in the weight's type.
void multiply(const Linear& p, const void* rows, Index ld) {
  product(
      {p.w.rows, p.K, true, rows, ld, false, p.y, p.ldy, p.N, p.M, p.K, p.w.type, p.accumulate});
}

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

}  // namespace

void norm_linear(const Exec& exec, const RmsNorm& norm, const Linear& p) {
  if (p.M == 0) return;
  if (p.w.type == FloatType::F32) {
    rms_norm(exec, norm);
    return linear(exec, p);
  }
  const Index ld = padded(norm.C);
  void* operand = scratch(Scratch::Right, norm.M * ld * bytes_of(p.w.type));
  norm_rows(norm, p.w.type, operand, ld);
  multiply(p, operand, ld);
}

void swiglu_linear(const Exec& exec, const Swiglu& gate, const Linear& p) {
  if (p.M == 0) return;
  if (p.w.type == FloatType::F32) {
    swiglu(exec, gate);
    return linear(exec, p);
  }
  const Index ld = padded(gate.F);
  void* operand = scratch(Scratch::Right, gate.M * ld * bytes_of(p.w.type));
  swiglu_rows(gate, p.w.type, operand, ld);
  multiply(p, operand, ld);
}

void finish_qkv(const Exec&, const FinishQkv& p) {
  constexpr Index kMostWarps = 18;
  const Index heads = p.H + 2 * p.kv.Hk;
  const auto warps = static_cast<int>(heads < kMostWarps ? heads : kMostWarps);
  const Index rotary = p.rotary == 0 ? p.kv.D : p.rotary;
  launch({p.rows.M, 1, warps * kWarp}, finish_rows, p, static_cast<int>(rotary));
}

}  // namespace aha::cuda
