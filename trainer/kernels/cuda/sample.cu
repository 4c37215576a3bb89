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

void head_sample(const Exec&, const HeadSample& p) {
  with_logits(p, [](HeadSample& chunk, Index first, const float* z) {
    if (chunk.uniforms != nullptr) chunk.uniforms += first;
    chunk.ids += first;
    chunk.logprobs += first;
    chunk.entropies += first;
    launch({chunk.M, 1, draw_threads(chunk.M), draw_bytes(chunk.V)}, sample_rows, z, chunk);
  });
}

}  // namespace aha::cuda
