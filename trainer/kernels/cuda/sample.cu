// The sampler of rows whose uniforms are given.
#include "trainer/kernels/cuda/draw.h"

namespace aha::cuda {
namespace {

__global__ void AHA_BLOCKS(2 * kRowThreads, 1) sample_rows(const float* logits, HeadSample p) {
  const Index row = block_x();
  const bool greedy = p.uniforms == nullptr;
  const Draw draw = drawn(logits + row * logits_width(p.V), p.V, p.inv_temperature,
                          {p.top_k, p.top_p, p.min_p}, greedy, greedy ? 0.0 : p.uniforms[row]);
  if (thread() != 0) return;
  p.ids[row] = draw.id;
  p.logprobs[row] = draw.logprob;
  p.entropies[row] = draw.entropy;
}

}  // namespace

void head_sample(const Exec& exec, const HeadSample& p) {
  const Index most = chunk_rows(p.V);
  const Index width = logits_width(p.V);
  for (Index first = 0; first < p.M; first += most) {
    HeadSample chunk = p;
    chunk.M = p.M - first < most ? p.M - first : most;
    chunk.h += first * p.C;
    if (p.uniforms != nullptr) chunk.uniforms += first;
    chunk.ids += first;
    chunk.logprobs += first;
    chunk.entropies += first;
    auto* z = scratch_of<float>(Scratch::Logits, chunk.M * width);
    linear(exec, {chunk.h, p.C, p.w, z, width, chunk.M, p.V, p.C});
    launch({chunk.M, 1, draw_threads(chunk.M), draw_bytes(p.V)}, sample_rows, z, chunk);
  }
}

}  // namespace aha::cuda
