#include "trainer/model/decoder.h"

namespace aha {

void Decoder::backward(const Exec& exec, ParameterProvider& weights, const RowBatch& host_rows,
                       const float* dhidden, Activations& kept, GradientSink& grads) const {
  const Memory& memory = *ops_->memory;
  const RowBatch rows = kept.rows.stage(memory, host_rows, true);
  const Index M = rows.rows();
  const Index C = config_.hidden_size;
  const EdgeWeights edges = weights.edges();
  const EdgeGrads edge_grads = grads.edges();
  kept.dnormed.reserve(M * C, memory);
  float* dx = kept.dx.reserve(M * C, memory);
  ops_->zero(exec, dx, 4 * M * C);
  ops_->rms_norm_backward(exec, {dhidden, kept.x_out.data(), edges.final_norm,
                                 kept.inv_rms_out.data(), dx, edge_grads.final_norm, M, C});
  kept.dkv.reserve(kept.kv.num_blocks(), memory);
  kept.dkv.zero(*ops_, exec);
  for (Index l = config_.num_hidden_layers - 1; l >= 0; --l) {
    const BlockWeights w = weights.gather(l);
    const BlockGrads g = grads.block(l);
    backward_mlp(exec, w, g, M, kept.layers[static_cast<std::size_t>(l)], kept);
    backward_attention(exec, w, g, rows, l, kept);
    grads.ready(l);
    weights.release(l);
  }
  ops_->embed_backward(exec, dx, rows.ids.data(), M, C, edge_grads.embed);
}

void Decoder::backward_mlp(const Exec& exec, const BlockWeights& w, const BlockGrads& g, Index M,
                           Activations::Layer& layer, Activations& kept) const {
  const Index C = config_.hidden_size;
  const Index F = config_.intermediate_size;
  float* dx = kept.dx.data();
  float* normed = kept.normed.data();
  float* wide = kept.wide.data();
  float* dgate_up = kept.dgate_up.reserve(M * 2 * F, *ops_->memory);

  ops_->linear_dx(exec, {dx, C, w.down, wide, F, M, C, F});
  ops_->swiglu_backward(exec, {layer.gate_up.data(), wide, dgate_up, M, F, wide});
  ops_->linear_dw(exec, {dx, C, wide, F, g.down, M, C, F, w.down.type});
  ops_->rms_norm(exec, {layer.x_mid.data(), w.post_norm, normed, nullptr, M, C,
                        static_cast<float>(config_.rms_norm_eps)});
  ops_->linear_dw(exec, {dgate_up, 2 * F, normed, C, g.gate_up, M, 2 * F, C, w.gate_up.type});
  ops_->linear_dx(exec, {dgate_up, 2 * F, w.gate_up, kept.dnormed.data(), C, M, 2 * F, C});
  ops_->rms_norm_backward(exec, {kept.dnormed.data(), layer.x_mid.data(), w.post_norm,
                                 layer.inv_rms_mid.data(), dx, g.post_norm, M, C});
}

void Decoder::backward_attention(const Exec& exec, const BlockWeights& w, const BlockGrads& g,
                                 const RowBatch& rows, Index l, Activations& kept) const {
  const Index M = rows.rows();
  const Index C = config_.hidden_size;
  const Index H = config_.num_attention_heads;
  const Index HD = H * config_.head_dim;
  const Index Q = qkv_width();
  auto& layer = kept.layers[static_cast<std::size_t>(l)];
  float* dx = kept.dx.data();
  float* normed = kept.normed.data();
  float* dqkv = kept.dqkv.reserve(M * Q, *ops_->memory);
  float* dattention = kept.dgate_up.reserve(M * HD, *ops_->memory);
  const KvStore kv = kept.kv.layer(l);
  const KvStore dkv = kept.dkv.layer(l);
  const KvRows kv_rows{rows.positions.data(), rows.tables.data(), M};

  ops_->linear_dw(exec, {dx, C, layer.attention.data(), HD, g.o, M, C, HD, w.o.type});
  ops_->linear_dx(exec, {dx, C, w.o, dattention, HD, M, C, HD});
  ops_->attention_backward(
      exec,
      {layer.qkv.data(), layer.attention.data(), dattention, layer.lse.data(), kv, dkv, kv_rows,
       rows.section_starts.data(), static_cast<Index>(rows.section_starts.size()) - 1, dqkv, H,
       rows.parts.data(), static_cast<Index>(rows.parts.size()), rows.part_ranges.data(),
       static_cast<Index>(rows.part_ranges.size())});
  if (!rows.copies.empty())
    ops_->kv_fold_grad(exec, dkv, rows.copies.data(), static_cast<Index>(rows.copies.size()));
  ops_->kv_read_grad(exec, dqkv, H, kv_rows, dkv);
  rotate(exec, dqkv, rows, true);
  if (w.qk_norm != nullptr)
    ops_->head_norm_backward(
        exec, {dqkv, layer.qk.data(), w.qk_norm, layer.inv_rms_qk.data(), g.qk_norm, M, H,
               config_.num_key_value_heads, config_.head_dim});
  if (w.qkv_bias != nullptr) ops_->add_bias_backward(exec, dqkv, M, Q, g.qkv_bias);
  ops_->rms_norm(exec, {layer.x_in.data(), w.input_norm, normed, nullptr, M, C,
                        static_cast<float>(config_.rms_norm_eps)});
  ops_->linear_dw(exec, {dqkv, Q, normed, C, g.qkv, M, Q, C, w.qkv.type});
  ops_->linear_dx(exec, {dqkv, Q, w.qkv, kept.dnormed.data(), C, M, Q, C});
  ops_->rms_norm_backward(exec, {kept.dnormed.data(), layer.x_in.data(), w.input_norm,
                                 layer.inv_rms_in.data(), dx, g.input_norm, M, C});
}

}  // namespace aha
