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

template <class Element>
struct alignas(4 * sizeof(Element)) Fours {
  Element x[4];
};

/// Logits -> their derivative in the type of the products that follow; `to` may be the logits themselves. What the forward
/// pass gave says their sum: log sum exp s = s[target] - logprob.
template <class Element>
__global__ void derivative_rows(const float* logits, HeadLogprobBackward p, Element* to) {
  const Index row = block_x();
  const Index width = logits_width(p.V);
  const float* z = logits + row * width;
  const float d_logprob = p.d_logprob[row];
  const float d_entropy = p.d_entropy == nullptr ? 0.0F : p.d_entropy[row];
  const float entropy = p.d_entropy == nullptr ? 0.0F : p.entropies[row];
  const Index target = p.targets[row];
  const float log_sum = z[target] * p.inv_temperature - p.logprobs[row];
  __syncthreads();  // where the derivatives take the logits' place
  const auto derivative = [&](float logit, Index i) {
    const float logprob = logit * p.inv_temperature - log_sum;
    const float slope = fmaf(d_entropy, logprob + entropy, d_logprob);
    const float own = i == target ? d_logprob : 0.0F;
    return (own - exp_of(logprob) * slope) * p.inv_temperature;
  };
  for (Index i = thread(); i < p.V / 4; i += threads()) {
    const FourLogits four = reinterpret_cast<const FourLogits*>(z)[i];
    Fours<Element> result;
    AHA_UNROLL
    for (int k = 0; k < 4; ++k)
      round_to(derivative(four.z[k], 4 * i + k), result.x[k]);
    reinterpret_cast<Fours<Element>*>(to + row * width)[i] = result;
  }
  for (Index i = p.V / 4 * 4 + thread(); i < p.V; i += threads())
    round_to(derivative(z[i], i), to[row * width + i]);
}

/// dh and dw += of a chunk from its logits: rows of `type`, [M, V] with `width` between.
template <class Element>
void add_gradients(const HeadLogprobBackward& p, const float* logits, Element* to) {
  const Index width = logits_width(p.V);
  launch({p.M, 1, kRowThreads}, derivative_rows<Element>, logits, p, to);
  product({p.w.rows, p.C, false, to, width, false, p.dh, p.C, p.C, p.M, p.V, p.w.type, false});
  const void* h = p.h;
  Index ld = p.C;
  if (p.w.type != FloatType::F32) {
    ld = padded(p.C);
    void* rounded = scratch(Scratch::Left, p.M * ld * bytes_of(p.w.type));
    narrow_rows(p.h, p.C, p.M, p.C, p.w.type, rounded);
    h = rounded;
  }
  product({h, ld, false, to, width, true, p.dw, p.C, p.C, p.V, p.M, p.w.type, true});
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
    chunk.logprobs += first;
    if (p.d_entropy != nullptr) chunk.d_entropy += first;
    if (p.d_entropy != nullptr) chunk.entropies += first;
    chunk.dh += first * p.C;
    auto* z = scratch_of<float>(Scratch::Logits, chunk.M * width);
    linear(exec, {chunk.h, p.C, p.w, z, width, chunk.M, p.V, p.C});
    if (p.w.type == FloatType::F32)
      add_gradients(chunk, z, z);
    else if (p.w.type == FloatType::BF16)
      add_gradients(chunk, z, scratch_of<Bf16>(Scratch::Right, chunk.M * width));
    else
      add_gradients(chunk, z, scratch_of<Half>(Scratch::Right, chunk.M * width));
  }
}

}  // namespace aha::cuda
