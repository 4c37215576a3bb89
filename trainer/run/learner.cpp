#include "trainer/run/learner.h"

#include <algorithm>

namespace aha {
namespace {

RowBatch row_batch(const MicroBatch& micro) {
  return {micro.ids, micro.positions, micro.tables, micro.copies, micro.section_starts};
}

}  // namespace

Learner::Learner(const Decoder& decoder, Exec exec, std::int64_t vocabulary, double temperature)
    : decoder_(&decoder),
      exec_(exec),
      vocabulary_(vocabulary),
      inv_temperature_(static_cast<float>(1.0 / temperature)),
      activations_(decoder.config()),
      reference_cache_(decoder.config()) {}

const float* Learner::gather(const float* hidden, const MicroBatch& micro) {
  const Index C = decoder_->config().hidden_size;
  float* rows = head_rows_.reserve(micro.tokens() * C);
  for (Index t = 0; t < micro.tokens(); ++t)
    std::copy_n(hidden + micro.loss_rows[static_cast<std::size_t>(t)] * C, C, rows + t * C);
  return rows;
}

Learner::TokenValues Learner::forward(ParameterProvider& weights, const MicroBatch& micro) {
  const float* hidden =
      decoder_->forward(exec_, weights, row_batch(micro), micro.num_blocks, activations_);
  TokenValues values;
  values.logprobs.resize(micro.targets.size());
  values.entropies.resize(micro.targets.size());
  decoder_->ops().head_logprob(
      exec_, {gather(hidden, micro), weights.edges().packed_head, micro.targets.data(),
              values.logprobs.data(), values.entropies.data(), micro.tokens(),
              decoder_->config().hidden_size, vocabulary_, inv_temperature_});
  return values;
}

void Learner::backward(ParameterProvider& weights, const MicroBatch& micro,
                       std::span<const float> d_logprob, std::span<const float> d_entropy,
                       GradientSink& grads) {
  const Index C = decoder_->config().hidden_size;
  const EdgeWeights edges = weights.edges();
  float* dhead = dhead_rows_.reserve(micro.tokens() * C);
  decoder_->ops().head_logprob_backward(
      exec_, {head_rows_.data(), edges.packed_head, edges.head, micro.targets.data(),
              d_logprob.data(), d_entropy.empty() ? nullptr : d_entropy.data(), dhead,
              grads.edges().head, micro.tokens(), C, vocabulary_, inv_temperature_});
  float* dhidden = dhidden_.reserve(micro.rows() * C);
  std::fill_n(dhidden, micro.rows() * C, 0.0F);
  // one prompt row predicts the first token of every completion of its group: add in token order
  for (Index t = 0; t < micro.tokens(); ++t) {
    float* row = dhidden + micro.loss_rows[static_cast<std::size_t>(t)] * C;
    const float* from = dhead + t * C;
    for (Index c = 0; c < C; ++c)
      row[c] += from[c];
  }
  decoder_->backward(exec_, weights, row_batch(micro), dhidden, activations_, grads);
}

std::vector<float> Learner::logprobs(ParameterProvider& weights, const MicroBatch& micro) {
  reference_cache_.reserve(micro.num_blocks);
  const float* hidden =
      decoder_->forward(exec_, weights, row_batch(micro), reference_cache_, reference_scratch_);
  std::vector<float> result(micro.targets.size());
  const Index C = decoder_->config().hidden_size;
  Buffer rows;
  float* gathered = rows.reserve(micro.tokens() * C);
  for (Index t = 0; t < micro.tokens(); ++t)
    std::copy_n(hidden + micro.loss_rows[static_cast<std::size_t>(t)] * C, C, gathered + t * C);
  decoder_->ops().head_logprob(
      exec_, {gathered, weights.edges().packed_head, micro.targets.data(), result.data(), nullptr,
              micro.tokens(), C, vocabulary_, inv_temperature_});
  return result;
}

}  // namespace aha
