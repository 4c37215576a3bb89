#include "trainer/kernels/isa.h"
#include "trainer/kernels/truncate.h"

namespace aha::AHA_ISA {
namespace {

/// Elements that are summed in f32; block sums are added in double.
constexpr Index kSumBlock = 256;

/// z = h W^T of rows [row, row + rows), [rows, round_up(V, 16)]; columns past V are not written.
float* logits_of(const Exec& exec, const float* h, const Weight& w, Index rows, Index C, Index V) {
  const Index ld = round_up(V, 16);
  float* z = scratch(ScratchSlot::Logits, rows * ld);
  product(exec, {h, C, nullptr, z, ld, rows, V, C, Finish::Write}, w);
  return z;
}

struct RowSums {
  float top;   ///< largest scaled logit
  double sum;  ///< of exp(s - top)
  float log_sum;
  float entropy;
};

/// Softmax of one row of scaled logits s = z * inv_temperature. `weights` [round_up(V, 16)] and
/// `block_sums` [ceil(V / kSumBlock)] are written when not null: exp(s - top), zero past V, and sums.
RowSums row_sums(const float* z, Index V, float inv_temperature, float* weights,
                 double* block_sums) {
  const F16 scale = set1(inv_temperature);
  F16 top = set1(-kInfinity);
  for (Index i = 0; i < V; i += 16)
    top = max(top, keep_n(mul(load_n(z + i, V - i, 0.0F), scale), V - i, -kInfinity));
  RowSums r;
  r.top = hmax(top);
  r.sum = 0;
  double dot = 0;
  for (Index block = 0; block < V; block += kSumBlock) {
    F16 sum = zero();
    F16 products = zero();
    const Index end = min_index(V, block + kSumBlock);
    for (Index i = block; i < end; i += 16) {
      const F16 d = sub(mul(load_n(z + i, V - i, 0.0F), scale), set1(r.top));
      const F16 e = keep_n(exp(d), V - i, 0.0F);
      if (weights != nullptr) store(weights + i, e);
      sum = add(sum, e);
      products = fma(e, keep_n(d, V - i, 0.0F), products);
    }
    const double block_sum = static_cast<double>(hsum(sum));
    if (block_sums != nullptr) block_sums[block / kSumBlock] = block_sum;
    r.sum += block_sum;
    dot += static_cast<double>(hsum(products));
  }
  r.log_sum = log(static_cast<float>(r.sum));
  r.entropy = r.log_sum - static_cast<float>(dot / r.sum);
  return r;
}

float logprob_of(const RowSums& r, float z, float inv_temperature) {
  return (z * inv_temperature - r.top) - r.log_sum;
}

/// The first id whose cumulative weight passes uniform * sum.
Index draw(const float* weights, const double* block_sums, Index V, double target) {
  double before = 0;
  Index block = 0;
  const Index blocks = ceil_div(V, kSumBlock);
  while (block + 1 < blocks && before + block_sums[block] <= target)
    before += block_sums[block++];
  const Index end = min_index(V, (block + 1) * kSumBlock);
  Index last = 0;  // rounding may leave the target just above the block's own sum
  for (Index i = block * kSumBlock; i < end; ++i) {
    if (weights[i] > 0) last = i;
    before += static_cast<double>(weights[i]);
    if (before > target) return i;
  }
  return last;
}

Index largest(const float* z, Index V) {
  F16 top = set1(-kInfinity);
  for (Index i = 0; i < V; i += 16)
    top = max(top, load_n(z + i, V - i, -kInfinity));
  const float m = hmax(top);
  for (Index i = 0; i < V; ++i)
    if (z[i] == m) return i;
  return 0;
}

void sample_row(const HeadSample& p, Index row, const float* z) {
  const bool greedy = p.uniforms == nullptr;
  const Index padded = round_up(p.V, 16);
  const Index blocks = ceil_div(p.V, kSumBlock);
  float* weights = greedy ? nullptr : scratch(ScratchSlot::Row, padded + 2 * blocks + 2);
  // doubles behind the weights, which are a multiple of 16 floats
  auto* sums = greedy ? nullptr : reinterpret_cast<double*>(weights + padded);
  const RowSums r = row_sums(z, p.V, p.inv_temperature, weights, sums);
  Index id = 0;
  if (greedy) {
    id = largest(z, p.V);
  } else if (p.top_k > 0 || p.top_p < 1.0F || p.min_p > 0.0F) {
    id = truncated_draw(weights, p.V, p.uniforms[row], {p.top_k, p.top_p, p.min_p});
  } else {
    id = draw(weights, sums, p.V, p.uniforms[row] * r.sum);
  }
  p.ids[row] = id;
  p.logprobs[row] = logprob_of(r, z[id], p.inv_temperature);
  p.entropies[row] = r.entropy;
}

/// Logits of a row -> their derivative, in place, zero past V.
void derivative_row(const HeadLogprobBackward& p, Index row, float* z) {
  const RowSums r = row_sums(z, p.V, p.inv_temperature, nullptr, nullptr);
  const F16 scale = set1(p.inv_temperature);
  const F16 inverse = set1(static_cast<float>(1.0 / r.sum));
  const F16 d_logprob = set1(p.d_logprob[row]);
  const F16 d_entropy = set1(p.d_entropy == nullptr ? 0.0F : p.d_entropy[row]);
  const F16 shift = set1(r.entropy - r.log_sum);
  for (Index i = 0; i < p.V; i += 16) {
    const F16 d = sub(mul(load_n(z + i, p.V - i, 0.0F), scale), set1(r.top));
    const F16 probability = mul(exp(d), inverse);
    const F16 slope = fma(d_entropy, add(d, shift), d_logprob);
    store(z + i, keep_n(mul(neg(mul(probability, slope)), scale), p.V - i, 0.0F));
  }
  z[p.targets[row]] += p.inv_temperature * p.d_logprob[row];
}

Index row_grain(Index V) {
  return max_index(1, 8192 / V);
}

}  // namespace

void head_logprob(const Exec& exec, const HeadLogprob& p) {
  const Index most = head_chunk_rows(p.V);
  const Index ld = round_up(p.V, 16);
  for (Index first = 0; first < p.M; first += most) {
    const Index rows = min_index(most, p.M - first);
    const float* z = logits_of(exec, p.h + first * p.C, p.w, rows, p.C, p.V);
    run_ranges(exec, rows, row_grain(p.V), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const float* row = z + i * ld;
        const RowSums r = row_sums(row, p.V, p.inv_temperature, nullptr, nullptr);
        p.logprobs[first + i] = logprob_of(r, row[p.targets[first + i]], p.inv_temperature);
        if (p.entropies != nullptr) p.entropies[first + i] = r.entropy;
      }
    });
  }
}

void head_logprob_backward(const Exec& exec, const HeadLogprobBackward& p) {
  const Index most = head_chunk_rows(p.V);
  const Index ld = round_up(p.V, 16);
  for (Index first = 0; first < p.M; first += most) {
    const Index rows = min_index(most, p.M - first);
    const float* h = p.h + first * p.C;
    float* z = logits_of(exec, h, p.w, rows, p.C, p.V);
    run_ranges(exec, rows, row_grain(p.V), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        derivative_row(p, first + i, z + i * ld);
    });
    linear_dx(exec, {z, ld, p.w, p.dh + first * p.C, p.C, rows, p.V, p.C});
    linear_dw(exec, {z, ld, h, p.C, p.dw, rows, p.V, p.C});
  }
}

void head_sample(const Exec& exec, const HeadSample& p) {
  const Index most = head_chunk_rows(p.V);
  const Index ld = round_up(p.V, 16);
  for (Index first = 0; first < p.M; first += most) {
    const Index rows = min_index(most, p.M - first);
    const float* z = logits_of(exec, p.h + first * p.C, p.w, rows, p.C, p.V);
    run_ranges(exec, rows, row_grain(2 * p.V), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        sample_row(p, first + i, z + i * ld);
    });
  }
}

}  // namespace aha::AHA_ISA
