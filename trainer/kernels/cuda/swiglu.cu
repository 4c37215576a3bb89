// SwiGLU and the way back through it, four columns a thread.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/groups.h"

namespace aha::cuda {
namespace {

/// y [M, ld] = silu(gate) * up, rounded to y's type.
template <int N, class Element>
__global__ void swiglu_groups(Swiglu p, Element* y, Index ld) {
  const Index column = group_column<N>();
  if (column >= p.F) return;
  const float* gate = p.gate_up + block_x() * 2 * p.F + column;
  Group<float, N> g = group_at<N>(gate);
  const Group<float, N> up = group_at<N>(gate + p.F);
  for (int i = 0; i < N; ++i)
    g.x[i] = g.x[i] * sigmoid(g.x[i]) * up.x[i];
  put_group(g, y + block_x() * ld + column);
}

/// A thread reads all that it needs before it writes: the results may stand where the inputs did.
template <int N>
__global__ void swiglu_backward_groups(SwigluBackward p) {
  const Index column = group_column<N>();
  if (column >= p.F) return;
  const Index at = block_x() * 2 * p.F + column;
  const Index here = block_x() * p.F + column;
  Group<float, N> gate = group_at<N>(p.gate_up + at);
  Group<float, N> up = group_at<N>(p.gate_up + at + p.F);
  Group<float, N> y = group_at<N>(p.dy + here);
  for (int i = 0; i < N; ++i) {
    const float g = gate.x[i];
    const float d = y.x[i];
    const float s = sigmoid(g);
    const float silu = g * s;
    y.x[i] = silu * up.x[i];
    gate.x[i] = d * up.x[i] * (s * fmaf(g, 1.0F - s, 1.0F));
    up.x[i] = d * silu;
  }
  put_group(gate, p.dgate_up + at);
  put_group(up, p.dgate_up + at + p.F);
  if (p.y != nullptr) put_group(y, p.y + here);
}

}  // namespace

void swiglu_rows(const Swiglu& p, FloatType type, void* y, Index ld) {
  with_groups<4>(are_groups<4>(p.F, {{p.gate_up, 2 * p.F}, {y, ld}}), [&](auto group) {
    constexpr int N = group;
    with_elements(type, y, [&](auto* elements) {
      using Element = std::remove_pointer_t<decltype(elements)>;
      launch(over_groups<N>(p.M, p.F), swiglu_groups<N, Element>, p, elements, ld);
    });
  });
}

void swiglu(const Exec&, const Swiglu& p) {
  swiglu_rows(p, FloatType::F32, p.y, p.F);
}

void swiglu_backward(const Exec&, const SwigluBackward& p) {
  const bool fours =
      are_groups<4>(p.F, {{p.gate_up, 2 * p.F}, {p.dy, p.F}, {p.dgate_up, 2 * p.F}, {p.y, p.F}});
  with_groups<4>(fours, [&](auto group) {
    constexpr int N = group;
    launch(over_groups<N>(p.M, p.F), swiglu_backward_groups<N>, p);
  });
}

}  // namespace aha::cuda
