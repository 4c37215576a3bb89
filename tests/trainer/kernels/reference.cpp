#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "tests/trainer/kernels/reference.h"

namespace aha_test::reference {
namespace {

using at::Tensor;

Tensor f64(const Floats& x, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(x.data()), shape, at::kFloat).to(at::kDouble).clone();
}
Tensor variable(const Floats& x, at::IntArrayRef shape) {
  return f64(x, shape).requires_grad_();
}
Tensor integers(const Ints& x) {
  return at::from_blob(const_cast<std::int64_t*>(x.data()), {static_cast<Index>(x.size())},
                       at::kLong)
      .clone();
}
Doubles values(const Tensor& t) {
  const Tensor flat = t.detach().contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

}  // namespace

std::uint16_t rounded(float x, aha::FloatType type) {
  return type == aha::FloatType::BF16 ? c10::BFloat16(x).x : c10::Half(x).x;
}

float widened(std::uint16_t x, aha::FloatType type) {
  return type == aha::FloatType::BF16
             ? static_cast<float>(c10::BFloat16(x, c10::BFloat16::from_bits()))
             : static_cast<float>(c10::Half(x, c10::Half::from_bits()));
}

Doubles linear(const Floats& x, const Floats& w, Index M, Index N, Index K) {
  return values(at::matmul(f64(x, {M, K}), f64(w, {N, K}).t()));
}
Doubles linear_dx(const Floats& dy, const Floats& w, Index M, Index N, Index K) {
  return values(at::matmul(f64(dy, {M, N}), f64(w, {N, K})));
}
Doubles linear_dw(const Floats& dy, const Floats& x, Index M, Index N, Index K) {
  return values(at::matmul(f64(dy, {M, N}).t(), f64(x, {M, K})));
}

Norm rms_norm(const Floats& x_in, const Floats& w_in, const Floats& dy, Index M, double eps) {
  const auto C = static_cast<Index>(w_in.size());
  const Tensor x = variable(x_in, {M, C});
  const Tensor w = variable(w_in, {C});
  const Tensor y = x * (x.pow(2).mean(-1, true) + eps).rsqrt() * w;
  y.backward(f64(dy, {M, C}));
  return {values(y), values(x.grad()), values(w.grad())};
}

Gated swiglu(const Floats& gate_up, const Floats& dy, Index M) {
  const Index F = static_cast<Index>(gate_up.size()) / (2 * M);
  const Tensor x = variable(gate_up, {M, 2 * F});
  const Tensor y = at::silu(x.narrow(1, 0, F)) * x.narrow(1, F, F);
  y.backward(f64(dy, {M, F}));
  return {values(y), values(x.grad())};
}

Doubles rope(const Floats& x_in, const std::vector<std::int32_t>& positions, const Floats& cos_in,
             const Floats& sin_in, Index D) {
  const auto M = static_cast<Index>(positions.size());
  const Index heads = static_cast<Index>(x_in.size()) / (M * D);
  const Index rows = static_cast<Index>(cos_in.size()) / (D / 2);
  const Tensor index = integers(Ints(positions.begin(), positions.end()));
  const auto table = [&](const Floats& t) {
    const Tensor half = f64(t, {rows, D / 2}).index_select(0, index);
    return at::cat({half, half}, -1).unsqueeze(1);
  };
  const Tensor x = f64(x_in, {M, heads, D});
  const Tensor turned = at::cat({-x.narrow(2, D / 2, D / 2), x.narrow(2, 0, D / 2)}, -1);
  return values(x * table(cos_in) + turned * table(sin_in));
}

Attended attention(const AttentionInput& in) {
  const Tensor q = variable(in.q, {in.M, in.H, in.D});
  const Tensor k = variable(in.k, {in.T, in.Hk, in.D});
  const Tensor v = variable(in.v, {in.T, in.Hk, in.D});
  const auto heads = [&](const Tensor& t) {
    return t.repeat_interleave(in.H / in.Hk, 1).permute({1, 0, 2});
  };
  const Tensor scores = at::matmul(q.permute({1, 0, 2}), heads(k).transpose(1, 2)) /
                        std::sqrt(static_cast<double>(in.D));  // [H, M, T]
  const Tensor position = at::arange(in.T - in.M, in.T).unsqueeze(1);
  const Tensor hidden = at::arange(in.T).unsqueeze(0) > position;
  const Tensor masked = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  const Tensor out = at::matmul(at::softmax(masked, -1), heads(v)).permute({1, 0, 2});
  out.backward(f64(in.dout, {in.M, in.H, in.D}));
  return {values(out), values(at::logsumexp(masked, -1).t()), values(q.grad()), values(k.grad()),
          values(v.grad())};
}

Head head(const HeadInput& in) {
  const Tensor h = variable(in.h, {in.M, in.C});
  const Tensor w = variable(in.w, {in.V, in.C});
  const Tensor z = at::matmul(h, w.t());
  const Tensor log_p = at::log_softmax(z * in.inv_temperature, -1);
  const Tensor logprobs = log_p.gather(1, integers(in.targets).unsqueeze(1)).squeeze(1);
  const Tensor entropies = -(log_p.exp() * log_p).sum(-1);
  ((logprobs * f64(in.d_logprob, {in.M})).sum() + (entropies * f64(in.d_entropy, {in.M})).sum())
      .backward();
  return {values(z), values(logprobs), values(entropies), values(h.grad()), values(w.grad())};
}

}  // namespace aha_test::reference
