// Log-probability and entropy from hidden rows, and their gradient: logits in chunks of rows.
#include "trainer/kernels/cuda/operands.h"
#include "trainer/kernels/cuda/softmax.h"

namespace aha::cuda {
namespace {

/// By one thread of the row's block.
AHA_DEVICE void put_logprob(const RowSums& r, const float* z, const HeadLogprob& p) {
  if (thread() != 0) return;
  const Index row = block_x();
  p.logprobs[row] = logprob_of(r, z[p.targets[row]], p.inv_temperature);
  if (p.entropies != nullptr) p.entropies[row] = r.entropy;
}

/// What of rows of logits the backward pass begins with: see head_kept_floats.
template <class Element>
struct KeptLogits {
  Element* exponentials;
  float* scales;

  KeptLogits from_row(Index row, Index V) const {
    return {exponentials + row * logits_width(V), scales + row * ceil_div(V, kLogitBlock)};
  }
};

template <class Element>
KeptLogits<Element> kept_logits(float* kept, Index M, Index V) {
  return {reinterpret_cast<Element*>(kept), kept + M * logits_width(V) / 2};
}

__global__ void logprob_rows(const float* logits, HeadLogprob p) {
  const Index row = block_x();
  const float* z = logits + row * logits_width(p.V);
  const RowSums r = row_sums(z, p.V, p.inv_temperature, row_memory(p.V));
  put_logprob(r, z, p);
}

/// The same, and exponentials and scales are kept.
template <class Element>
__global__ void kept_logprob_rows(const float* logits, HeadLogprob p, KeptLogits<Element> kept) {
  const Index row = block_x();
  const Index width = logits_width(p.V);
  const float* z = logits + row * width;
  const RowMemory m = row_memory(p.V);
  const RowSums r =
      row_sums(z, p.V, p.inv_temperature, m, [&](Index at, const float(&e)[kLaneElements]) {
        AHA_UNROLL
        for (int i = 0; i < kLaneElements; i += 4) {
          if (at + lane_offset(i) >= p.V) continue;
          const Group<float, 4> four{{e[i], e[i + 1], e[i + 2], e[i + 3]}};
          put_group(four, kept.exponentials + row * width + at + lane_offset(i));
        }
      });
  const Index blocks = ceil_div(p.V, kLogitBlock);
  const auto inverse = static_cast<float>(1.0 / r.sum);
  for (Index block = thread(); block < blocks; block += threads())
    kept.scales[row * blocks + block] = m.tops[block] * inverse;
  put_logprob(r, z, p);
}

/// The derivative of a row's logits.
struct Derivative {
  AHA_DEVICE Derivative(const HeadLogprobBackward& p, Index row)
      : d_logprob(p.d_logprob[row]),
        d_entropy(p.d_entropy == nullptr ? 0.0F : p.d_entropy[row]),
        entropy(p.d_entropy == nullptr ? 0.0F : p.entropies[row]),
        inv_temperature(p.inv_temperature),
        target(p.targets[row]) {}

  AHA_DEVICE float operator()(float probability, float logprob, Index i) const {
    const float slope = fmaf(d_entropy, logprob + entropy, d_logprob);
    const float own = i == target ? d_logprob : 0.0F;
    return (own - probability * slope) * inv_temperature;
  }

  float d_logprob, d_entropy, entropy, inv_temperature;
  Index target;
};

/// Exponentials -> derivatives of logits, in their place.
template <class Element>
__global__ void kept_derivative_rows(HeadLogprobBackward p, KeptLogits<Element> kept) {
  const Index row = block_x();
  const Index blocks = ceil_div(p.V, kLogitBlock);
  const Derivative derivative(p, row);
  for (Index block = thread() / 16; block < blocks; block += threads() / 16) {
    const Index at = block * kLogitBlock + thread() % 16 * 4;
    using Four = Group<Element, 4>;
    auto* x = reinterpret_cast<Four*>(kept.exponentials + row * logits_width(p.V) + at);
    const float scale = kept.scales[row * blocks + block];
    Four fours[kLaneElements / 4];
    AHA_UNROLL
    for (int i = 0; i < kLaneElements / 4; ++i)
      if (at + lane_offset(4 * i) < p.V) fours[i] = x[16 * i];
    AHA_UNROLL
    for (int i = 0; i < kLaneElements / 4; ++i) {
      if (at + lane_offset(4 * i) >= p.V) continue;
      AHA_UNROLL
      for (int k = 0; k < 4; ++k) {
        const float probability = widened(fours[i].x[k]) * scale;
        const bool weighed = derivative.d_entropy != 0 && probability >= FLT_MIN;
        round_to(derivative(probability, weighed ? log_of(probability) : 0.0F,
                            at + lane_offset(4 * i + k)),
                 fours[i].x[k]);
      }
      x[16 * i] = fours[i];
    }
  }
}

/// Logits -> their derivative in the type of the products that follow; `to` may be the logits themselves. What the forward
/// pass gave says their sum: log sum exp s = s[target] - logprob.
template <class Element>
__global__ void derivative_rows(const float* logits, HeadLogprobBackward p, Element* to) {
  const Index row = block_x();
  const Index width = logits_width(p.V);
  const float* z = logits + row * width;
  const Derivative derivative(p, row);
  const float log_sum = z[derivative.target] * p.inv_temperature - p.logprobs[row];
  __syncthreads();  // where the derivatives take the logits' place
  const auto put = [&](float logit, Index i, Element& result) {
    const float logprob = logit * p.inv_temperature - log_sum;
    round_to(derivative(exp_of(logprob), logprob, i), result);
  };
  for (Index i = thread(); i < p.V / 4; i += threads()) {
    const Group<float, 4> four = group_at<4>(z + 4 * i);
    Group<Element, 4> result;
    AHA_UNROLL
    for (int k = 0; k < 4; ++k)
      put(four.x[k], 4 * i + k, result.x[k]);
    reinterpret_cast<Group<Element, 4>*>(to + row * width)[i] = result;
  }
  for (Index i = p.V / 4 * 4 + thread(); i < p.V; i += threads())
    put(z[i], i, to[row * width + i]);
}

/// dh and dw += from the derivatives dz of logits: rows of the weight's type, [M, V] with logits_width(V) between.
void multiply_gradients(const HeadLogprobBackward& p, const void* dz) {
  const Index width = logits_width(p.V);
  product({p.w.rows, p.C, false, dz, width, false, p.dh, p.C, p.C, p.M, p.V, p.w.type, false});
  const Operand h = operand(p.h, p.C, p.M, p.C, p.w.type, Scratch::Left);
  product({h.data, h.ld, false, dz, width, true, p.dw, p.C, p.C, p.V, p.M, p.w.type, true});
}

/// From the logits of a chunk; `to` may be those.
template <class Element>
void add_gradients(const HeadLogprobBackward& p, const float* logits, Element* to) {
  launch({p.M, 1, kRowThreads}, derivative_rows<Element>, logits, p, to);
  multiply_gradients(p, to);
}

template <class Element>
void add_kept_gradients(const HeadLogprobBackward& p) {
  const auto kept = kept_logits<Element>(p.kept, p.M, p.V);
  launch({p.M, 1, kRowThreads}, kept_derivative_rows<Element>, p, kept);
  multiply_gradients(p, kept.exponentials);
}

}  // namespace

void head_logprob(const Exec&, const HeadLogprob& p) {
  with_logits(p, [&](HeadLogprob& chunk, Index first, const float* z) {
    chunk.targets += first;
    chunk.logprobs += first;
    if (chunk.entropies != nullptr) chunk.entropies += first;
    const Grid grid{chunk.M, 1, kRowThreads, row_bytes(p.V)};
    const auto keep = [&](auto kept) {
      launch(grid, kept_logprob_rows<std::remove_pointer_t<decltype(kept.exponentials)>>, z, chunk,
             kept.from_row(first, p.V));
    };
    if (p.kept == nullptr)
      launch(grid, logprob_rows, z, chunk);
    else if (p.w.type == FloatType::BF16)
      keep(kept_logits<Bf16>(p.kept, p.M, p.V));
    else
      keep(kept_logits<Half>(p.kept, p.M, p.V));
  });
}

void head_logprob_backward(const Exec&, const HeadLogprobBackward& p) {
  if (p.M == 0) return;
  if (p.kept != nullptr && p.w.type == FloatType::BF16) return add_kept_gradients<Bf16>(p);
  if (p.kept != nullptr) return add_kept_gradients<Half>(p);
  with_logits(p, [](HeadLogprobBackward& chunk, Index first, float* z) {
    chunk.targets += first;
    chunk.d_logprob += first;
    chunk.logprobs += first;
    if (chunk.d_entropy != nullptr) {
      chunk.d_entropy += first;
      chunk.entropies += first;
    }
    chunk.dh += first * chunk.C;
    const Index numbers = chunk.M * logits_width(chunk.V);
    if (chunk.w.type == FloatType::F32)
      add_gradients(chunk, z, z);
    else if (chunk.w.type == FloatType::BF16)
      add_gradients(chunk, z, scratch_of<Bf16>(Scratch::Right, numbers));
    else
      add_gradients(chunk, z, scratch_of<Half>(Scratch::Right, numbers));
  });
}

}  // namespace aha::cuda
