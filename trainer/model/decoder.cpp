#include "trainer/model/decoder.h"

#include <algorithm>

#include "trainer/core/error.h"

namespace aha {
void KvCache::reserve(Index num_blocks, const Memory& memory, FloatType weights) {
  if (num_blocks <= num_blocks_) return;
  num_blocks_ = 0;  // should there not be so much memory
  type_ = kept_beside(weights, memory.host);
  buffer_.reserve(bytes_here(num_blocks) / 4, memory);
  num_blocks_ = num_blocks;
}

std::int64_t KvCache::bytes_for(const ModelConfig& c, Index num_blocks, FloatType type) {
  return c.num_hidden_layers * layer_bytes_for(c, num_blocks, type);
}

std::int64_t KvCache::layer_bytes_for(const ModelConfig& c, Index num_blocks, FloatType type) {
  return bytes_of(type) * num_blocks * c.num_key_value_heads * KvStore::head_size(c.head_dim);
}

KvStore KvCache::layer(Index l) const {
  KvStore store{buffer_.data(), config_->num_key_value_heads, config_->head_dim, type_};
  store.data =
      static_cast<char*>(store.data) + l * num_blocks_ * store.block_size() * bytes_of(type_);
  return store;
}

void KvCache::zero(const Ops& ops, const Exec& exec) {
  ops.zero(exec, buffer_.data(), bytes_here(num_blocks_));
}

void Scratch::reserve(const ModelConfig& c, Index M, const Memory& memory) {
  const Index HD = c.num_attention_heads * c.head_dim;
  for (Buffer* buffer : {&x, &normed, &hidden})
    buffer->reserve(M * c.hidden_size, memory);
  qkv.reserve(M * (HD + 2 * c.num_key_value_heads * c.head_dim), memory);
  attention.reserve(M * HD, memory);
  // gate_up rows are read by swiglu, which writes `wide` behind them in the same buffer
  gate_up.reserve(M * 3 * c.intermediate_size, memory);
}

std::int64_t Scratch::bytes_for(const ModelConfig& c, Index M) {
  const Index heads = 2 * (c.num_attention_heads + c.num_key_value_heads);
  return 4 * M * (3 * c.hidden_size + heads * c.head_dim + 3 * c.intermediate_size);
}

Activations::Activations(const ModelConfig& config, bool recomputed)
    : x_in(static_cast<std::size_t>(config.num_hidden_layers)),
      blocks(recomputed ? 0 : x_in.size()),
      kv(config, static_cast<Index>(blocks.size())) {}

std::int64_t Activations::Block::bytes() const {
  return inv_rms_in.bytes() + qkv.bytes() + attention.bytes() + lse.bytes() + x_mid.bytes() +
         inv_rms_mid.bytes() + gate_up.bytes() + qk.bytes() + inv_rms_qk.bytes();
}

std::int64_t Activations::bytes() const {
  std::int64_t sum = x_out.bytes() + inv_rms_out.bytes() + hidden.bytes() + kv.bytes();
  for (const auto& x : x_in)
    sum += x.bytes();
  for (const auto& block : blocks)
    sum += block.bytes();
  return sum;
}

std::int64_t BlockScratch::bytes() const {
  return normed.bytes() + wide.bytes() + block.bytes() + kv.bytes();
}

std::int64_t BackwardScratch::bytes() const {
  return block.bytes() + dkv.bytes() + dnormed.bytes() + dqkv.bytes();
}

Decoder::Decoder(const ModelConfig& config, const Ops& ops)
    : config_(config), ops_(&ops), rope_(make_rope_table(config)) {
  rope_staging_.add(std::span<const float>(rope_.cos), cos_);
  rope_staging_.add(std::span<const float>(rope_.sin), sin_);
  rope_staging_.send(*ops.memory);
}

Index Decoder::qkv_width() const {
  return (config_.num_attention_heads + 2 * config_.num_key_value_heads) * config_.head_dim;
}

/// Rows of one block's forward pass. `x_in` and `x_mid` may be one buffer, and so may `x_mid` and
/// `x_out`: the residual stream is then updated in place.
struct Decoder::BlockRows {
  const float* x_in;
  float* normed;
  float* inv_rms_in;
  float* qkv;
  float* attention;
  float* lse;
  float* x_mid;
  float* inv_rms_mid;
  float* gate_up;       ///< of the type that kept_beside says
  float* wide;          ///< [M, F]
  float* x_out;         ///< null, and `wide` with it: nobody wants the block's output
  float* qk = nullptr;  ///< what a backward pass through the norm of q and k needs
  float* inv_rms_qk = nullptr;
};

void Decoder::rotate(const Exec& exec, float* qkv, const RowBatch& rows, bool inverse) const {
  ops_->rope(exec,
             {qkv, rows.positions.data(), cos_, sin_, rows.rows(), config_.num_attention_heads,
              config_.num_key_value_heads, config_.head_dim, inverse, config_.rotary_dims()});
}

void Decoder::forward_block(const Exec& exec, const BlockWeights& w, const RowBatch& rows,
                            const KvStore& kv, const BlockRows& p) const {
  const Index M = rows.rows();
  const Index C = config_.hidden_size;
  const Index H = config_.num_attention_heads;
  const Index HD = H * config_.head_dim;
  const Index F = config_.intermediate_size;
  const Index Q = qkv_width();
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  const FloatType gates = kept_beside(w.gate_up.type, ops_->memory->host);
  const KvRows kv_rows{rows.positions.data(), rows.tables.data(), M};

  ops_->norm_linear(exec, {p.x_in, w.input_norm, p.normed, p.inv_rms_in, M, C, eps},
                    {p.normed, C, w.qkv, p.qkv, Q, M, Q, C});
  const FinishQkv finish{
      p.qkv,   w.qkv_bias, w.qk_norm, p.qk, p.inv_rms_qk, eps, cos_, sin_, config_.rotary_dims(),
      kv_rows, kv,         H};
  const Attention attention{p.qkv, kv, kv_rows, p.attention, p.lse, H, rows.together};
  const Linear out{p.attention, HD, w.o, p.x_mid, C, M, C, HD, true};
  if (rows.alone && rows.copies.empty() && p.lse == nullptr && p.x_mid == p.x_in) {
    ops_->attend_linear(exec, finish, attention, out);
  } else {
    ops_->finish_qkv(exec, finish);
    if (!rows.copies.empty())
      ops_->kv_copy(exec, kv, rows.copies.data(), static_cast<Index>(rows.copies.size()));
    ops_->attention(exec, attention);
    if (p.x_mid != p.x_in) ops_->copy(exec, p.x_in, 4 * M * C, p.x_mid);
    ops_->linear(exec, out);
  }

  ops_->norm_linear(exec, {p.x_mid, w.post_norm, p.normed, p.inv_rms_mid, M, C, eps},
                    {p.normed, C, w.gate_up, p.gate_up, 2 * F, M, 2 * F, C, false, gates});
  if (p.x_out == nullptr) return;
  if (p.x_out != p.x_mid) ops_->copy(exec, p.x_mid, 4 * M * C, p.x_out);
  ops_->swiglu_linear(exec, {p.gate_up, p.wide, M, F, gates},
                      {p.wide, F, w.down, p.x_out, C, M, C, F, true});
}

const float* Decoder::forward(const Exec& exec, ParameterProvider& weights, const RowBatch& rows,
                              KvCache& cache, Scratch& scratch) const {
  return forward_staged(exec, weights, scratch.rows.stage(*ops_->memory, rows), cache, scratch);
}

const float* Decoder::forward_staged(const Exec& exec, ParameterProvider& weights,
                                     const RowBatch& rows, KvCache& cache, Scratch& s) const {
  const Index M = rows.rows();
  const Index C = config_.hidden_size;
  s.reserve(config_, M, *ops_->memory);
  float* x = s.x.data();
  float* gate_up = s.gate_up.data();
  const BlockRows p{x,
                    s.normed.data(),
                    nullptr,
                    s.qkv.data(),
                    s.attention.data(),
                    nullptr,
                    x,
                    nullptr,
                    gate_up,
                    gate_up + M * 2 * config_.intermediate_size,
                    x};
  const EdgeWeights edges = weights.edges();
  ops_->embed(exec, edges.embed, rows.ids.data(), M, C, x);
  for (Index l = 0; l < config_.num_hidden_layers; ++l) {
    forward_block(exec, weights.gather(l), rows, cache.layer(l), p);
    weights.release(l);
  }
  float* hidden = s.hidden.data();
  ops_->rms_norm(
      exec, {x, edges.final_norm, hidden, nullptr, M, C, static_cast<float>(config_.rms_norm_eps)});
  return hidden;
}

ForwardPart Decoder::enter(const Exec& exec, const EdgeWeights& edges, const RowBatch& host_rows,
                           Activations& kept) const {
  check(host_rows.num_blocks > 0, "rows of training say how many blocks their tables name");
  const Memory& memory = *ops_->memory;
  const ForwardPart part{kept.rows.stage(memory, host_rows), &kept};
  const Index M = part.rows.rows();
  const Index C = config_.hidden_size;
  if (!kept.recomputed()) kept.kv.reserve(part.rows.num_blocks, memory, edges.embed.type);
  kept.x_out.reserve(M * C, memory);
  ops_->embed(exec, edges.embed, part.rows.ids.data(), M, C, kept.x_in[0].reserve(M * C, memory));
  return part;
}

/// The rows of a block as they are kept, or its scratch's; without an output.
Decoder::BlockRows Decoder::kept_rows(Index l, const ForwardPart& part, FloatType weights,
                                      BlockScratch& scratch) const {
  const Memory& memory = *ops_->memory;
  const Index M = part.rows.rows();
  const Index C = config_.hidden_size;
  const Index H = config_.num_attention_heads;
  const Index gate_bytes = bytes_of(kept_beside(weights, memory.host));
  auto& block = block_of(l, *part.kept, scratch);
  BlockRows p{part.kept->x_in[static_cast<std::size_t>(l)].data(),
              scratch.normed.reserve(M * C, memory),
              block.inv_rms_in.reserve(M, memory),
              block.qkv.reserve(M * qkv_width(), memory),
              block.attention.reserve(M * H * config_.head_dim, memory),
              block.lse.reserve(M * H, memory),
              block.x_mid.reserve(M * C, memory),
              block.inv_rms_mid.reserve(M, memory),
              block.gate_up.reserve(M * 2 * config_.intermediate_size * gate_bytes / 4, memory),
              nullptr,
              nullptr};
  if (config_.family().qk_norm) {
    p.qk = block.qk.reserve(M * heads() * config_.head_dim, memory);
    p.inv_rms_qk = block.inv_rms_qk.reserve(M * heads(), memory);
  }
  if (part.kept->recomputed()) scratch.kv.reserve(part.rows.num_blocks, memory, weights);
  return p;
}

void Decoder::pass_block(const Exec& exec, const BlockWeights& weights, Index l,
                         const ForwardPart& part, BlockScratch& scratch) const {
  const Memory& memory = *ops_->memory;
  Activations& kept = *part.kept;
  const Index M = part.rows.rows();
  BlockRows p = kept_rows(l, part, weights.o.type, scratch);
  p.wide = scratch.wide.reserve(M * config_.intermediate_size, memory);
  p.x_out = l + 1 < config_.num_hidden_layers ? kept.x_in[static_cast<std::size_t>(l) + 1].reserve(
                                                    M * config_.hidden_size, memory)
                                              : kept.x_out.data();
  forward_block(exec, weights, part.rows, kv_of(l, kept, scratch), p);
}

void Decoder::pass_block_again(const Exec& exec, const BlockWeights& weights, Index l,
                               const ForwardPart& part, BlockScratch& scratch) const {
  const BlockRows p = kept_rows(l, part, weights.o.type, scratch);
  forward_block(exec, weights, part.rows, kv_of(l, *part.kept, scratch), p);
}

const float* Decoder::leave(const Exec& exec, const EdgeWeights& edges,
                            const ForwardPart& part) const {
  const Memory& memory = *ops_->memory;
  Activations& kept = *part.kept;
  const Index M = part.rows.rows();
  const Index C = config_.hidden_size;
  float* hidden = kept.hidden.reserve(M * C, memory);
  ops_->rms_norm(
      exec, {kept.x_out.data(), edges.final_norm, hidden, kept.inv_rms_out.reserve(M, memory), M, C,
             static_cast<float>(config_.rms_norm_eps)});
  return hidden;
}

const float* Decoder::forward(const Exec& exec, ParameterProvider& weights, const RowBatch& rows,
                              Activations& kept, BlockScratch& scratch) const {
  const EdgeWeights edges = weights.edges();
  const ForwardPart part = enter(exec, edges, rows, kept);
  for (Index l = 0; l < config_.num_hidden_layers; ++l) {
    pass_block(exec, weights.gather(l), l, part, scratch);
    weights.release(l);
  }
  return leave(exec, edges, part);
}

}  // namespace aha
