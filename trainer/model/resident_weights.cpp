#include "trainer/model/resident_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "trainer/core/error.h"

namespace aha {

ResidentWeights::ResidentWeights(const ModelConfig& config, const ParameterLayout& layout,
                                 const Ops& ops, Tensor values)
    : config_(config),
      ops_(&ops),
      values_(std::move(values)),
      packed_(static_cast<std::size_t>(config.num_hidden_layers)) {
  const float* const base = values_.data_ptr<float>();
  edges_ = {base + layout.embed, base + layout.final_norm, base + layout.head,
            packed_head_.reserve(packed_size(config_.vocab_size, config_.hidden_size))};
  const Index C = config_.hidden_size;
  const Index HD = config_.num_attention_heads * config_.head_dim;
  const Index Q = HD + 2 * config_.num_key_value_heads * config_.head_dim;
  const Index F = config_.intermediate_size;
  for (std::size_t l = 0; l < layout.blocks.size(); ++l) {
    const auto& at = layout.blocks[l];
    auto& packed = packed_[l];
    blocks_.push_back({base + at.input_norm, base + at.qkv, base + at.o, base + at.post_norm,
                       base + at.gate_up, base + at.down, packed.qkv.reserve(packed_size(Q, C)),
                       packed.o.reserve(packed_size(C, HD)),
                       packed.gate_up.reserve(packed_size(2 * F, C)),
                       packed.down.reserve(packed_size(C, F))});
    if (at.qkv_bias > 0) blocks_.back().qkv_bias = base + at.qkv_bias;
    if (at.qk_norm > 0) blocks_.back().qk_norm = base + at.qk_norm;
  }
}

void ResidentWeights::publish(const Exec& exec) {
  const Index C = config_.hidden_size;
  const Index HD = config_.num_attention_heads * config_.head_dim;
  const Index Q = HD + 2 * config_.num_key_value_heads * config_.head_dim;
  const Index F = config_.intermediate_size;
  for (std::size_t l = 0; l < packed_.size(); ++l) {
    const auto& w = blocks_[l];
    auto& packed = packed_[l];
    ops_->pack_linear(exec, w.qkv, Q, C, packed.qkv.data());
    ops_->pack_linear(exec, w.o, C, HD, packed.o.data());
    ops_->pack_linear(exec, w.gate_up, 2 * F, C, packed.gate_up.data());
    ops_->pack_linear(exec, w.down, C, F, packed.down.data());
  }
  ops_->pack_linear(exec, edges_.head, config_.vocab_size, C, packed_head_.data());
}

void ResidentWeights::assign(const Tensor& values) {
  check(values.numel() == values_.numel(), "assigned weights have the layout's size");
  std::copy_n(values.const_data_ptr<float>(), values.numel(), data());
}

EdgeWeights ResidentWeights::edges() {
  return edges_;
}

BlockWeights ResidentWeights::gather(Index layer) {
  return blocks_[static_cast<std::size_t>(layer)];
}

std::int64_t ResidentWeights::bytes() const {
  std::int64_t sum = values_.numel() * 4 + packed_head_.bytes();
  for (const auto& p : packed_)
    sum += p.qkv.bytes() + p.o.bytes() + p.gate_up.bytes() + p.down.bytes();
  return sum;
}

ResidentGradients::ResidentGradients(const ParameterLayout& layout)
    : values_(at::empty({layout.total}, at::kFloat)) {
  clear();
  float* const base = data();
  edges_ = {base + layout.embed, base + layout.final_norm, base + layout.head};
  for (const auto& at : layout.blocks) {
    blocks_.push_back({base + at.input_norm, base + at.qkv, base + at.o, base + at.post_norm,
                       base + at.gate_up, base + at.down});
    if (at.qkv_bias > 0) blocks_.back().qkv_bias = base + at.qkv_bias;
    if (at.qk_norm > 0) blocks_.back().qk_norm = base + at.qk_norm;
  }
}

void ResidentGradients::clear() {
  std::fill_n(data(), values_.numel(), 0.0F);
}

}  // namespace aha
