// Log-probability and entropy from hidden rows, and their gradient: logits in chunks of rows.
#include "trainer/kernels/cuda/softmax.h"

namespace aha::cuda {
namespace {

__global__ void logprob_rows(const float* logits, HeadLogprob p) {
  const Index row = block_x();
  const float* z = logits + row * logits_width(p.V);
  const RowSums r = row_sums(z, p.V, p.inv_temperature, row_memory(p.V));
  if (thread() != 0) return;
  p.logprobs[row] = logprob_of(r, z[p.targets[row]], p.inv_temperature);
  if (p.entropies != nullptr) p.entropies[row] = r.entropy;
}

/// Logits -> their derivative, in place.
__global__ void derivative_rows(float* logits, HeadLogprobBackward p) {
  const Index row = block_x();
  float* z = logits + row * logits_width(p.V);
  const RowSums r = row_sums(z, p.V, p.inv_temperature, row_memory(p.V));
  const auto inverse = static_cast<float>(1.0 / r.sum);
  const float d_logprob = p.d_logprob[row];
  const float d_entropy = p.d_entropy == nullptr ? 0.0F : p.d_entropy[row];
  const float shift = r.entropy - r.log_sum;
  for (Index i = thread(); i < p.V; i += threads()) {
    const float d = z[i] * p.inv_temperature - r.top;
    const float slope = fmaf(d_entropy, d + shift, d_logprob);
    const float own = i == p.targets[row] ? p.inv_temperature * d_logprob : 0.0F;
    z[i] = own - exp_of(d) * inverse * slope * p.inv_temperature;
  }
}

}  // namespace

void head_logprob(const Exec& exec, const HeadLogprob& p) {
  const Index most = chunk_rows(p.V);
  const Index width = logits_width(p.V);
  for (Index first = 0; first < p.M; first += most) {
    HeadLogprob chunk = p;
    chunk.M = p.M - first < most ? p.M - first : most;
    chunk.h += first * p.C;
    chunk.targets += first;
    chunk.logprobs += first;
    if (p.entropies != nullptr) chunk.entropies += first;
    auto* z = scratch_of<float>(Scratch::Logits, chunk.M * width);
    linear(exec, {chunk.h, p.C, p.w, z, width, chunk.M, p.V, p.C});
    launch({chunk.M, 1, kRowThreads, row_bytes(p.V)}, logprob_rows, z, chunk);
  }
}

void head_logprob_backward(const Exec& exec, const HeadLogprobBackward& p) {
  const Index most = chunk_rows(p.V);
  const Index width = logits_width(p.V);
  for (Index first = 0; first < p.M; first += most) {
    HeadLogprobBackward chunk = p;
    chunk.M = p.M - first < most ? p.M - first : most;
    chunk.h += first * p.C;
    chunk.targets += first;
    chunk.d_logprob += first;
    if (p.d_entropy != nullptr) chunk.d_entropy += first;
    auto* z = scratch_of<float>(Scratch::Logits, chunk.M * width);
    linear(exec, {chunk.h, p.C, p.w, z, width, chunk.M, p.V, p.C});
    launch({chunk.M, 1, kRowThreads, row_bytes(p.V)}, derivative_rows, z, chunk);
    linear_dx(exec, {z, width, p.w, p.dh + first * p.C, p.C, chunk.M, p.V, p.C});
    linear_dw(exec, {z, width, chunk.h, p.C, p.dw, chunk.M, p.V, p.C, p.w.type});
  }
}

}  // namespace aha::cuda
