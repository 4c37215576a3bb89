#include "trainer/model/resident_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Of weights: beyond it memory is dearer than packing.
constexpr std::int64_t kWorthPacking = 32 << 20;

}  // namespace

ResidentWeights::ResidentWeights(const ModelConfig& config, const ParameterLayout& layout,
                                 const Ops& ops, Tensor values)
    : ops_(&ops), values_(std::move(values)) {
  const float* const base = values_.data_ptr<float>();
  const Index C = config.hidden_size;
  const Index HD = config.num_attention_heads * config.head_dim;
  const Index Q = HD + 2 * config.num_key_value_heads * config.head_dim;
  const Index F = config.intermediate_size;
  const bool small = layout.total * 4 <= kWorthPacking;
  const auto weight = [&](std::int64_t offset, Index N, Index K) {
    if (!small) return Weight{base + offset};
    auto& copy = packed_.emplace_back();
    copy.rows = base + offset;
    copy.N = N;
    copy.K = K;
    return Weight{copy.rows, copy.panels.reserve(packed_size(N, K))};
  };
  edges_ = {base + layout.embed, base + layout.final_norm,
            weight(layout.head, config.vocab_size, C)};
  for (const auto& at : layout.blocks)
    blocks_.push_back({base + at.input_norm, weight(at.qkv, Q, C), weight(at.o, C, HD),
                       base + at.post_norm, weight(at.gate_up, 2 * F, C), weight(at.down, C, F),
                       at.qkv_bias > 0 ? base + at.qkv_bias : nullptr,
                       at.qk_norm > 0 ? base + at.qk_norm : nullptr});
}

void ResidentWeights::publish(const Exec& exec) {
  for (auto& copy : packed_)
    ops_->pack_linear(exec, copy.rows, copy.N, copy.K, copy.panels.data());
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

std::int64_t ResidentWeights::bytes_for(const ParameterLayout& layout) {
  return layout.total * 4 * (layout.total * 4 <= kWorthPacking ? 2 : 1);
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
