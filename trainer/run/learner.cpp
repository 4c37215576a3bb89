#include "trainer/run/learner.h"

#include <algorithm>
#include <utility>

namespace aha {
namespace {

/// Activations of one layer of a piece: about what the second-level caches and their neighbours hold.
constexpr Index kPieceBytes = 4 << 20;
/// A piece of fewer rows would spend its time on weights instead.
constexpr Index kLeastRows = 512;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Hands the backward pass's scratch memory on: one piece needs it at a time, and finds it in a cache.
void swap_scratch(Activations& a, Activations& b) {
  std::swap(a.dkv, b.dkv);
  std::swap(a.dx, b.dx);
  std::swap(a.dnormed, b.dnormed);
  std::swap(a.dqkv, b.dqkv);
  std::swap(a.dgate_up, b.dgate_up);
}

RowBatch row_batch(const MicroBatch& micro) {
  return {micro.ids, micro.positions, micro.tables, micro.copies, micro.section_starts};
}

}  // namespace

Learner::Learner(const Decoder& decoder, Exec exec, std::int64_t vocabulary, double temperature)
    : decoder_(&decoder),
      exec_(exec),
      vocabulary_(vocabulary),
      inv_temperature_(static_cast<float>(1.0 / temperature)),
      rows_wanted_(rows_of_a_piece(decoder.config())),
      reference_cache_(decoder.config()) {}

Index Learner::rows_of_a_piece(const ModelConfig& c) {
  const Index qkv = (c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim;
  const Index floats = 4 * c.hidden_size + 2 * qkv + 3 * c.intermediate_size;
  return std::max(kLeastRows, kPieceBytes / (4 * floats));
}

std::int64_t Learner::bytes() const {
  std::int64_t sum = 0;
  for (const auto& piece : pieces_)
    sum += piece->kept.bytes();
  return sum;
}

RowBatch Learner::Piece::batch(const MicroBatch& micro) const {
  const auto rows = at(end_row - first_row);
  return {std::span(micro.ids).subspan(at(first_row), rows),
          std::span(micro.positions).subspan(at(first_row), rows), row_tables, copies,
          section_starts};
}

Learner::Piece& Learner::next_piece(std::size_t index) {
  if (index == pieces_.size()) pieces_.push_back(std::make_unique<Piece>(decoder_->config()));
  Piece& piece = *pieces_[index];
  piece.section_starts.assign(1, 0);
  piece.copies.clear();
  piece.tables.clear();
  piece.row_tables.clear();
  return piece;
}

/// Sections own ranges of blocks that ascend with them, and so do their copies and loss tokens.
void Learner::cut(const MicroBatch& micro) {
  const auto sections = static_cast<Index>(micro.section_starts.size()) - 1;
  const auto first_block = [&](Index section) {
    return section < sections ? micro.tables[at(micro.section_starts[at(section)])][0]
                              : static_cast<std::int32_t>(micro.num_blocks);
  };
  num_pieces_ = 0;
  std::size_t copy = 0;
  std::size_t sequence = 0;
  Index token = 0;
  for (Index section = 0; section < sections;) {
    Piece& piece = next_piece(num_pieces_++);
    const std::int32_t base = first_block(section);
    piece.first_row = micro.section_starts[at(section)];
    do {
      piece.end_row = micro.section_starts[at(++section)];
      piece.section_starts.push_back(piece.end_row - piece.first_row);
    } while (section < sections &&
             micro.section_starts[at(section) + 1] - piece.first_row <= rows_wanted_);
    const std::int32_t end = first_block(section);
    piece.num_blocks = end - base;
    for (; copy < micro.copies.size() && micro.copies[copy].from < end; ++copy) {
      const auto& c = micro.copies[copy];
      piece.copies.push_back({c.from - base, c.to - base, c.lanes});
    }
    piece.first_token = token;
    while (token < micro.tokens() && micro.loss_rows[at(token)] < piece.end_row)
      ++token;
    piece.end_token = token;
    const std::int32_t* last = nullptr;
    for (Index row = piece.first_row; row < piece.end_row; ++row) {
      const std::int32_t* table = micro.tables[at(row)];
      if (table != last) {
        while (micro.table_storage[sequence].data() != table)
          ++sequence;
        auto& own = piece.tables.emplace_back(micro.table_storage[sequence]);
        for (auto& block : own)
          block -= base;
        last = table;
      }
      piece.row_tables.push_back(piece.tables.back().data());
    }
  }
}

void Learner::forward_piece(const Exec& exec, ParameterProvider& weights, const MicroBatch& micro,
                            Piece& piece, TokenValues& values) {
  const Index C = decoder_->config().hidden_size;
  const float* hidden =
      decoder_->forward(exec, weights, piece.batch(micro), piece.num_blocks, piece.kept);
  float* rows = head_rows_.data() + piece.first_token * C;
  for (Index t = piece.first_token; t < piece.end_token; ++t)
    std::copy_n(hidden + (micro.loss_rows[at(t)] - piece.first_row) * C, C,
                rows + (t - piece.first_token) * C);
  decoder_->ops().head_logprob(
      exec,
      {rows, weights.edges().head, micro.targets.data() + piece.first_token,
       values.logprobs.data() + piece.first_token, values.entropies.data() + piece.first_token,
       piece.end_token - piece.first_token, C, vocabulary_, inv_temperature_});
}

Learner::TokenValues Learner::forward(ParameterProvider& weights, const MicroBatch& micro) {
  cut(micro);
  TokenValues values;
  values.logprobs.resize(micro.targets.size());
  values.entropies.resize(micro.targets.size());
  head_rows_.reserve(micro.tokens() * decoder_->config().hidden_size);
  // as many pieces side by side as occupy every thread alike; the team works inside each of the rest
  const auto threads = static_cast<std::size_t>(exec_.threads());
  const std::size_t alone = num_pieces_ / threads * threads;
  exec_.run(static_cast<std::int64_t>(alone), [&](std::int64_t i) {
    forward_piece(Exec{}, weights, micro, *pieces_[at(i)], values);
  });
  for (std::size_t i = alone; i < num_pieces_; ++i)
    forward_piece(exec_, weights, micro, *pieces_[i], values);
  return values;
}

/// One prompt row predicts the first token of every completion of its group: adds in token order.
void Learner::scatter(const MicroBatch& micro, const Piece& piece, const float* dhead,
                      float* dhidden) {
  const Index C = decoder_->config().hidden_size;
  std::fill(dhidden + piece.first_row * C, dhidden + piece.end_row * C, 0.0F);
  for (Index t = piece.first_token; t < piece.end_token; ++t) {
    float* row = dhidden + micro.loss_rows[at(t)] * C;
    const float* from = dhead + t * C;
    for (Index c = 0; c < C; ++c)
      row[c] += from[c];
  }
}

void Learner::backward(ParameterProvider& weights, const MicroBatch& micro,
                       std::span<const float> d_logprob, std::span<const float> d_entropy,
                       GradientSink& grads) {
  const Index C = decoder_->config().hidden_size;
  const EdgeWeights edges = weights.edges();
  float* dhead = dhead_rows_.reserve(micro.tokens() * C);
  decoder_->ops().head_logprob_backward(
      exec_, {head_rows_.data(), edges.head, micro.targets.data(), d_logprob.data(),
              d_entropy.empty() ? nullptr : d_entropy.data(), dhead, grads.edges().head,
              micro.tokens(), C, vocabulary_, inv_temperature_});
  float* dhidden = dhidden_.reserve(micro.rows() * C);
  exec_.run(static_cast<std::int64_t>(num_pieces_),
            [&](std::int64_t i) { scatter(micro, *pieces_[at(i)], dhead, dhidden); });
  for (std::size_t i = 0; i < num_pieces_; ++i) {
    Piece& piece = *pieces_[i];
    if (i > 0) swap_scratch(pieces_[i - 1]->kept, piece.kept);
    decoder_->backward(exec_, weights, piece.batch(micro), dhidden + piece.first_row * C,
                       piece.kept, grads);
  }
  if (num_pieces_ > 1) swap_scratch(pieces_[num_pieces_ - 1]->kept, pieces_[0]->kept);
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
    std::copy_n(hidden + micro.loss_rows[at(t)] * C, C, gathered + t * C);
  decoder_->ops().head_logprob(
      exec_, {gathered, weights.edges().head, micro.targets.data(), result.data(), nullptr,
              micro.tokens(), C, vocabulary_, inv_temperature_});
  return result;
}

}  // namespace aha
