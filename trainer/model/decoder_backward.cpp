#include "trainer/model/decoder.h"

namespace aha {

/// One part on its way back: its rows in the table's memory, and the scratch of the block under way.
struct Decoder::Backward {
  RowBatch rows;
  Activations* kept;
  BackwardScratch* scratch;
  Index num_kv_floats;  ///< of one layer's keys and values

  const float* x_in(Index l) const { return kept->x_in[static_cast<std::size_t>(l)].data(); }
  Activations::Block& block(Index l) const { return block_of(l, *kept, scratch->block); }
  Index count() const { return rows.rows(); }
  float* dx() const { return kept->hidden.data(); }
};

void Decoder::backward(const Exec& exec, ParameterProvider& weights,
                       std::span<const BackwardPart> parts, BackwardScratch& scratch,
                       GradientSink& grads) const {
  const Memory& memory = *ops_->memory;
  const Index C = config_.hidden_size;
  const EdgeWeights edges = weights.edges();
  const EdgeGrads edge_grads = grads.edges();
  std::vector<Backward> passes;
  for (const auto& part : parts) {
    Activations& kept = *part.kept;
    const Index layer_floats = KvCache::layer_bytes_for(config_, part.rows.num_blocks) / 4;
    const Backward& p = passes.emplace_back(
        Backward{kept.rows.stage(memory, part.rows, true), &kept, &scratch, layer_floats});
    float* dx = p.dx();
    ops_->zero(exec, dx, 4 * p.count() * C);
    ops_->rms_norm_backward(
        exec, {part.dhidden, kept.x_out.data(), edges.final_norm, kept.inv_rms_out.data(), dx,
               edge_grads.final_norm, p.count(), C});
  }
  for (Index l = config_.num_hidden_layers - 1; l >= 0; --l) {
    const BlockWeights w = weights.gather(l);
    const BlockGrads g = grads.block(l);
    for (const auto& p : passes) {
      if (p.kept->recomputed()) pass_block_again(exec, w, l, {p.rows, p.kept}, scratch.block);
      backward_mlp(exec, w, g, l, p);
      backward_attention(exec, w, g, l, p);
    }
    grads.ready(l);
    weights.release(l);
  }
  for (const auto& p : passes)
    ops_->embed_backward(exec, p.dx(), p.rows.ids.data(), p.count(), C, edge_grads.embed);
}

void Decoder::backward_mlp(const Exec& exec, const BlockWeights& w, const BlockGrads& g, Index l,
                           const Backward& p) const {
  const Memory& memory = *ops_->memory;
  const Index M = p.count();
  const Index C = config_.hidden_size;
  const Index F = config_.intermediate_size;
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  const FloatType gates = kept_beside(w.gate_up.type, memory.host);
  auto& block = p.block(l);
  float* dx = p.dx();
  float* normed = p.scratch->block.normed.reserve(M * C, memory);
  float* wide = p.scratch->block.wide.reserve(M * F, memory);
  float* dgate_up = block.gate_up.data();  // in its place, where it is written at all
  float* dnormed = p.scratch->dnormed.reserve(M * C, memory);

  const NormLinearBackward up{
      {block.x_mid.data(), w.post_norm, normed, nullptr, M, C, eps},
      {dgate_up, 2 * F, w.gate_up, dnormed, C, M, 2 * F, C},
      {dgate_up, 2 * F, normed, C, g.gate_up, M, 2 * F, C, w.gate_up.type},
      {dnormed, block.x_mid.data(), w.post_norm, block.inv_rms_mid.data(), dx, g.post_norm, M, C}};
  ops_->mlp_backward(exec, {{dx, C, w.down, wide, F, M, C, F, false, gates},
                            {block.gate_up.data(), wide, dgate_up, M, F, wide, gates},
                            {dx, C, wide, F, g.down, M, C, F, w.down.type},
                            up});
}

void Decoder::backward_attention(const Exec& exec, const BlockWeights& w, const BlockGrads& g,
                                 Index l, const Backward& p) const {
  const Memory& memory = *ops_->memory;
  const RowBatch& rows = p.rows;
  const Index M = p.count();
  const Index C = config_.hidden_size;
  const Index H = config_.num_attention_heads;
  const Index HD = H * config_.head_dim;
  const Index Q = qkv_width();
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  auto& block = p.block(l);
  float* dx = p.dx();
  float* normed = p.scratch->block.normed.data();
  float* dnormed = p.scratch->dnormed.data();
  float* dqkv = p.scratch->dqkv.reserve(M * Q, memory);
  float* dattention = p.scratch->block.wide.reserve(M * HD, memory);  // done with
  const KvStore kv = kv_of(l, *p.kept, p.scratch->block);
  const KvStore dkv{p.scratch->dkv.reserve(p.num_kv_floats, memory), kv.Hk, kv.D};
  const KvRows kv_rows{rows.positions.data(), rows.tables.data(), M};

  ops_->zero(exec, dkv.data, 4 * p.num_kv_floats);
  ops_->linear_backward(exec, {dx, C, w.o, dattention, HD, M, C, HD},
                        {dx, C, block.attention.data(), HD, g.o, M, C, HD, w.o.type});
  ops_->attention_backward(
      exec,
      {block.qkv.data(), block.attention.data(), dattention, block.lse.data(), kv, dkv, kv_rows,
       rows.section_starts.data(), static_cast<Index>(rows.section_starts.size()) - 1, dqkv, H,
       rows.parts.data(), static_cast<Index>(rows.parts.size()), rows.part_sums.data(),
       rows.part_ranges.data(), static_cast<Index>(rows.part_ranges.size())});
  if (!rows.copies.empty())
    ops_->kv_fold_grad(exec, dkv, rows.copies.data(), static_cast<Index>(rows.copies.size()));
  ops_->kv_read_grad(exec, dqkv, H, kv_rows, dkv);
  rotate(exec, dqkv, rows, true);
  if (w.qk_norm != nullptr)
    ops_->head_norm_backward(
        exec, {dqkv, block.qk.data(), w.qk_norm, block.inv_rms_qk.data(), g.qk_norm, M, H,
               config_.num_key_value_heads, config_.head_dim});
  if (w.qkv_bias != nullptr) ops_->add_bias_backward(exec, dqkv, M, Q, g.qkv_bias);
  ops_->norm_linear_backward(
      exec, {{p.x_in(l), w.input_norm, normed, nullptr, M, C, eps},
             {dqkv, Q, w.qkv, dnormed, C, M, Q, C},
             {dqkv, Q, normed, C, g.qkv, M, Q, C, w.qkv.type},
             {dnormed, p.x_in(l), w.input_norm, block.inv_rms_in.data(), dx, g.input_norm, M, C}});
}

}  // namespace aha
