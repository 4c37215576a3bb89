#pragma once
// What ATen, in f64 and with its autograd, says of each operation.
#include "tests/trainer/kernels/support.h"

namespace aha_test::reference {

using Doubles = std::vector<double>;

Doubles linear(const Floats& x, const Floats& w, Index M, Index N, Index K);      ///< X W^T
Doubles linear_dx(const Floats& dy, const Floats& w, Index M, Index N, Index K);  ///< dY W
Doubles linear_dw(const Floats& dy, const Floats& x, Index M, Index N, Index K);  ///< dY^T X

/// A number in 16 bits, and back, as torch converts them.
std::uint16_t rounded(float x, aha::FloatType type);
float widened(std::uint16_t x, aha::FloatType type);

struct Norm {
  Doubles y, dx, dw;
};
Norm rms_norm(const Floats& x, const Floats& w, const Floats& dy, Index M, double eps);

struct Gated {
  Doubles y, dgate_up;
};
Gated swiglu(const Floats& gate_up, const Floats& dy, Index M);

/// x [M, heads, D] rotated by tables [positions, D / 2] as transformers' rotate_half does.
Doubles rope(const Floats& x, const std::vector<std::int32_t>& positions, const Floats& cos,
             const Floats& sin, Index D);

struct Attended {
  Doubles out, lse, dq, dk, dv;
};
/// q [M, H, D] of rows at the last M positions of a sequence of k, v [T, Hk, D]; causal.
struct AttentionInput {
  Floats q, k, v, dout;
  Index M, T, H, Hk, D;
};
Attended attention(const AttentionInput& in);

struct Head {
  Doubles logits, logprobs, entropies, dh, dw;
};
struct HeadInput {
  Floats h, w;
  Ints targets;
  Floats d_logprob, d_entropy;
  Index M, C, V;
  double inv_temperature;
};
Head head(const HeadInput& in);

}  // namespace aha_test::reference
