#include "trainer/run/learner.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <utility>

#include "trainer/kernels/device_ops.h"

namespace aha {
namespace {

/// Activations of one layer of a piece: about what the second-level caches and their neighbours hold.
constexpr Index kPieceBytes = 4 << 20;
/// A piece of fewer rows would spend its time on weights instead.
constexpr Index kLeastRows = 512;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

RowBatch row_batch(const MicroBatch& micro) {
  return {micro.ids, micro.positions, micro.tables, micro.copies, micro.section_starts};
}

}  // namespace

Learner::Learner(const Decoder& decoder, Exec exec, std::int64_t vocabulary, double temperature,
                 bool gradient_checkpointing, bool keep_logits)
    : decoder_(&decoder),
      exec_(exec),
      vocabulary_(vocabulary),
      inv_temperature_(static_cast<float>(1.0 / temperature)),
      gradient_checkpointing_(gradient_checkpointing),
      keep_logits_(keep_logits),
      // a device takes all rows at once
      rows_wanted_(decoder.ops().memory->host ? rows_of_a_piece(decoder.config())
                                              : std::numeric_limits<Index>::max()),
      reference_cache_(decoder.config()),
      backward_scratch_(decoder.config()) {
  for (int t = 1; t < exec.threads(); ++t)
    beside_.emplace_back(decoder.config());
}

Index Learner::rows_of_a_piece(const ModelConfig& c) {
  const Index qkv = (c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim;
  const Index floats = 4 * c.hidden_size + 2 * qkv + 3 * c.intermediate_size;
  return std::max(kLeastRows, kPieceBytes / (4 * floats));
}

std::int64_t Learner::kept_bytes() const {
  std::int64_t sum = head_rows_.bytes() + dhead_rows_.bytes() + dhidden_.bytes() + logits_.bytes();
  for (const auto& piece : pieces_)
    sum += piece->kept.bytes();
  return sum;
}

std::int64_t Learner::scratch_bytes() const {
  std::int64_t sum = backward_scratch_.bytes();
  for (const auto& scratch : beside_)
    sum += scratch.bytes();
  return sum;
}

void Learner::judge(const Exec& exec, const EdgeWeights& edges, const Judged& what,
                    Staging& staging, Returning& returning) const {
  const Ops& ops = decoder_->ops();
  const auto tokens = static_cast<Index>(what.loss_rows.size());
  HeadLogprob task{};
  const Index* loss_rows = nullptr;
  staging.add(what.loss_rows, loss_rows);
  staging.add(what.targets, task.targets);
  staging.send(*ops.memory);
  returning.add(what.logprobs, task.logprobs);
  returning.add(what.entropies, task.entropies);
  returning.prepare(*ops.memory);
  task.M = tokens;
  task.C = decoder_->config().hidden_size;
  ops.embed(exec, {what.hidden}, loss_rows, tokens, task.C,
            what.rows);  // gathers the rows that predict
  task.h = what.rows;
  task.w = edges.head;
  task.V = vocabulary_;
  task.inv_temperature = inv_temperature_;
  task.kept = what.kept;
  ops.head_logprob(exec, task);
  returning.receive(*ops.memory);
}

void Learner::judge_piece(const Exec& exec, const EdgeWeights& edges, const MicroBatch& micro,
                          Piece& piece, const float* hidden, TokenValues& values) {
  const auto first = at(piece.first_token);
  const auto tokens = piece.loss_rows.size();
  judge(exec, edges,
        {hidden, piece.loss_rows, std::span(micro.targets).subspan(first, tokens),
         head_rows_.data() + piece.first_token * decoder_->config().hidden_size,
         std::span(values.logprobs).subspan(first, tokens),
         std::span(values.entropies).subspan(first, tokens), kept_logits_},
        piece.staging, piece.returning);
}

/// Of a device, which takes a micro-batch as one piece.
Index Learner::kept_logits_floats(ParameterProvider& weights, Index tokens) const {
  if (decoder_->ops().memory->host || !keep_logits_) return 0;
  return head_kept_floats(tokens, vocabulary_, weights.edges().head.type);
}

void Learner::expect(ParameterProvider& weights, std::span<const Index> tokens) {
  const Memory& memory = *decoder_->ops().memory;
  Index floats = 0;
  Index most = 0;
  for (const Index of_one : tokens) {
    floats = std::max(floats, kept_logits_floats(weights, of_one));
    most = std::max(most, of_one);
  }
  if (floats > 0) logits_.reserve(floats, memory);
  for (Buffer* rows : {&head_rows_, &dhead_rows_})
    rows->reserve(most * decoder_->config().hidden_size, memory);
}

void Learner::each_piece(const std::function<void(const Exec&, std::size_t, BlockScratch&)>& body) {
  const auto threads = at(exec_.threads());
  const std::size_t alone = num_pieces_ / threads * threads;
  std::atomic<std::size_t> next = 0;
  exec_.run(alone > 0 ? exec_.threads() : 0, [&](std::int64_t t) {
    BlockScratch& scratch = t == 0 ? backward_scratch_.block : beside_[at(t) - 1];
    for (std::size_t i = next++; i < alone; i = next++)
      body(Exec{}, i, scratch);
  });
  for (std::size_t i = alone; i < num_pieces_; ++i)
    body(exec_, i, backward_scratch_.block);
}

void Learner::forward_by_block(ParameterProvider& weights, const MicroBatch& micro,
                               TokenValues& values) {
  const EdgeWeights edges = weights.edges();
  std::vector<ForwardPart> parts(num_pieces_);
  each_piece([&](const Exec& exec, std::size_t i, BlockScratch&) {
    Piece& piece = *pieces_[i];
    parts[i] = decoder_->enter(exec, edges, piece.batch(micro), piece.kept);
  });
  for (Index l = 0; l < decoder_->config().num_hidden_layers; ++l) {
    const BlockWeights block = weights.gather(l);
    each_piece([&](const Exec& exec, std::size_t i, BlockScratch& scratch) {
      decoder_->pass_block(exec, block, l, parts[i], scratch);
    });
    weights.release(l);
  }
  each_piece([&](const Exec& exec, std::size_t i, BlockScratch&) {
    judge_piece(exec, edges, micro, *pieces_[i], decoder_->leave(exec, edges, parts[i]), values);
  });
}

const Learner::TokenValues& Learner::forward(ParameterProvider& weights, const MicroBatch& micro) {
  cut(micro);
  share_memory(micro.rows());
  TokenValues& values = values_;
  values.logprobs.resize(micro.targets.size());
  values.entropies.resize(micro.targets.size());
  head_rows_.reserve(micro.tokens() * decoder_->config().hidden_size, *decoder_->ops().memory);
  const Index kept = kept_logits_floats(weights, micro.tokens());
  kept_logits_ = kept > 0 ? logits_.reserve(kept, *decoder_->ops().memory) : nullptr;
  if (!weights.side_by_side()) {
    forward_by_block(weights, micro, values);
    return values;
  }
  each_piece([&](const Exec& exec, std::size_t i, BlockScratch& scratch) {
    Piece& piece = *pieces_[i];
    const float* hidden = decoder_->forward(exec, weights, piece.batch(micro), piece.kept, scratch);
    judge_piece(exec, weights.edges(), micro, piece, hidden, values);
  });
  return values;
}

/// One prompt row predicts the first token of every completion of its group: adds in token order.
void Learner::scatter(const Exec& exec, Piece& piece, const float* dhead, float* dhidden) {
  const Index C = decoder_->config().hidden_size;
  const Ops& ops = decoder_->ops();
  const std::int64_t* loss_rows = nullptr;
  piece.staging.add(std::span<const std::int64_t>(piece.loss_rows), loss_rows);
  piece.staging.send(*ops.memory);
  ops.zero(exec, dhidden, 4 * (piece.end_row - piece.first_row) * C);
  ops.embed_backward(exec, dhead, loss_rows, piece.end_token - piece.first_token, C, dhidden);
}

void Learner::backward(ParameterProvider& weights, const MicroBatch& micro,
                       std::span<const float> d_logprob, std::span<const float> d_entropy,
                       GradientSink& grads) {
  const Index C = decoder_->config().hidden_size;
  const Memory& memory = *decoder_->ops().memory;
  HeadLogprobBackward task{};
  head_staging_.add(std::span<const std::int64_t>(micro.targets), task.targets);
  head_staging_.add(d_logprob, task.d_logprob);
  head_staging_.add(d_entropy, task.d_entropy);
  head_staging_.add(std::span<const float>(values_.logprobs), task.logprobs);
  head_staging_.add(std::span<const float>(values_.entropies), task.entropies);
  head_staging_.send(memory);
  float* dhead = dhead_rows_.reserve(micro.tokens() * C, memory);
  task.h = head_rows_.data();
  task.w = weights.edges().head;
  task.dh = dhead;
  task.dw = grads.edges().head;
  task.M = micro.tokens();
  task.C = C;
  task.V = vocabulary_;
  task.inv_temperature = inv_temperature_;
  task.kept = kept_logits_;
  decoder_->ops().head_logprob_backward(exec_, task);
  float* dhidden = dhidden_.reserve(micro.rows() * C, memory);
  const auto scatter_piece = [&](const Exec& exec, std::size_t i) {
    Piece& piece = *pieces_[i];
    scatter(exec, piece, dhead + piece.first_token * C, dhidden + piece.first_row * C);
  };
  if (num_pieces_ == 1) {
    scatter_piece(exec_, 0);
  } else {
    exec_.run(static_cast<std::int64_t>(num_pieces_),
              [&](std::int64_t i) { scatter_piece(Exec{}, at(i)); });
  }
  std::vector<BackwardPart> parts;
  for (std::size_t i = 0; i < num_pieces_; ++i) {
    Piece& piece = *pieces_[i];
    parts.push_back({piece.batch(micro), dhidden + piece.first_row * C, &piece.kept});
  }
  decoder_->backward(exec_, weights, parts, backward_scratch_, grads);
}

std::vector<float> Learner::logprobs(ParameterProvider& weights, const MicroBatch& micro) {
  const Memory& memory = *decoder_->ops().memory;
  reference_cache_.reserve(micro.num_blocks, memory, weights.edges().embed.type);
  Scratch& scratch = reference_scratch_;
  const float* hidden =
      decoder_->forward(exec_, weights, row_batch(micro), reference_cache_, scratch);
  std::vector<float> result(micro.targets.size());
  judge(exec_, weights.edges(),
        {hidden,
         micro.loss_rows,
         micro.targets,
         reference_rows_.reserve(micro.tokens() * decoder_->config().hidden_size, memory),
         result,
         {}},
        scratch.head, scratch.drawn);
  return result;
}

}  // namespace aha
