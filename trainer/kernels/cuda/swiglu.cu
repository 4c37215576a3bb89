// SwiGLU and the way back through it, eight columns a thread. Gates and ups, and dy, are f32 or bf16.
#include "trainer/kernels/cuda/groups.h"
#include "trainer/kernels/cuda/operands.h"

namespace aha::cuda {
namespace {

/// y [M, ld] = silu(gate) * up, rounded to y's type.
template <int N, class Gate, class Element>
__global__ void swiglu_groups(Swiglu p, Element* y, Index ld) {
  const Index column = group_column<N>();
  if (column >= p.F) return;
  const auto* gate = static_cast<const Gate*>(p.gate_up) + block_x() * 2 * p.F + column;
  Group<float, N> g = group_at<N>(gate);
  const Group<float, N> up = group_at<N>(gate + p.F);
  for (int i = 0; i < N; ++i)
    g.x[i] = g.x[i] * sigmoid(g.x[i]) * up.x[i];
  put_group(g, y + block_x() * ld + column);
}

/// dgate_up [M, ld] and y [M, ldy], rounded to their type. A thread reads all that it needs before it writes: the results
/// may stand where the inputs did.
template <int N, class Gate, class Element>
__global__ void swiglu_backward_groups(SwigluBackward p, Element* dgate_up, Index ld, Element* y,
                                       Index ldy) {
  const Index column = group_column<N>();
  if (column >= p.F) return;
  const auto* from = static_cast<const Gate*>(p.gate_up) + block_x() * 2 * p.F + column;
  Group<float, N> gate = group_at<N>(from);
  Group<float, N> up = group_at<N>(from + p.F);
  Group<float, N> wide = group_at<N>(static_cast<const Gate*>(p.dy) + block_x() * p.F + column);
  for (int i = 0; i < N; ++i) {
    const float g = gate.x[i];
    const float d = wide.x[i];
    const float s = sigmoid(g);
    const float silu = g * s;
    wide.x[i] = silu * up.x[i];
    gate.x[i] = d * up.x[i] * (s * fmaf(g, 1.0F - s, 1.0F));
    up.x[i] = d * silu;
  }
  Element* to = dgate_up + block_x() * ld + column;
  put_group(gate, to);
  put_group(up, to + p.F);
  if (y != nullptr) put_group(wide, y + block_x() * ldy + column);
}

/// Calls body(columns of a group, a gate, an element of the result), on the host.
template <class Body>
void with_types(bool groups, FloatType gates, const Operand& to, const Body& body) {
  with_groups<8>(groups, [&](auto group) {
    with_elements(to.type, to.data, [&](auto* elements) {
      if (gates == FloatType::F32) return body(group, float{}, elements);
      body(group, Bf16{}, elements);
    });
  });
}

}  // namespace

void swiglu_rows(const Swiglu& p, const Operand& y) {
  const bool groups = are_groups<8>(p.F, {{p.gate_up, 2 * p.F}, {y.data, y.ld}});
  with_types(groups, p.type, y, [&](auto group, auto gate, auto* elements) {
    constexpr int N = group;
    using Element = std::remove_pointer_t<decltype(elements)>;
    launch(over_groups<N>(p.M, p.F), swiglu_groups<N, decltype(gate), Element>, p, elements, y.ld);
  });
}

void swiglu(const Exec&, const Swiglu& p) {
  swiglu_rows(p, {p.y, p.F, FloatType::F32});
}

void swiglu_backward_rows(const SwigluBackward& p, const Operand& dgate_up, const Operand& y) {
  const bool groups = are_groups<8>(
      p.F, {{p.gate_up, 2 * p.F}, {p.dy, p.F}, {dgate_up.data, dgate_up.ld}, {y.data, y.ld}});
  with_types(groups, p.type, dgate_up, [&](auto group, auto gate, auto* elements) {
    constexpr int N = group;
    using Element = std::remove_pointer_t<decltype(elements)>;
    launch(over_groups<N>(p.M, p.F), swiglu_backward_groups<N, decltype(gate), Element>, p,
           elements, dgate_up.ld, static_cast<Element*>(y.data), y.ld);
  });
}

void swiglu_backward(const Exec&, const SwigluBackward& p) {
  swiglu_backward_rows(p, {p.dgate_up, 2 * p.F, FloatType::F32}, {p.y, p.F, FloatType::F32});
}

}  // namespace aha::cuda
