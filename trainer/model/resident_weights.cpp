#include "trainer/model/resident_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Of weights: beyond it memory is dearer than packing.
constexpr std::int64_t kWorthPacking = 32 << 20;

}  // namespace

void too_large_for(FloatType storage, const Parameter& p, std::span<const float> values) {
  const auto largest = *std::max_element(
      values.begin(), values.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  fail("model.storage: {} holds {}, which {} does not reach; use f32", p.name, largest,
       storage == FloatType::F16 ? "fp16 (at most 65504)" : "bf16");
}

ResidentWeights::ResidentWeights(const ModelConfig& config, const ParameterLayout& layout,
                                 const Ops& ops, Tensor values, FloatType storage)
    : ops_(&ops),
      parameters_(layout.parameters),
      total_(layout.total),
      storage_(storage),
      trained_(values.defined() || storage == FloatType::F32),
      values_(std::move(values)) {
  const Memory& memory = *ops.memory;
  if (trained_ && !memory.host) {
    float* const to = device_values_.reserve(total_, memory);
    if (values_.defined()) memory.upload(values_.const_data_ptr<float>(), 4 * total_, to);
    values_ = Tensor();
  } else if (trained_ && !values_.defined()) {
    values_ = at::empty({total_}, at::kFloat);
  }
  if (storage != FloatType::F32) {
    std::int64_t floats = 0;
    for (const auto& p : layout.parameters)
      if (p.shape.size() == 1)
        vector_places_.push_back({p.offset, p.size, std::exchange(floats, floats + p.size)});
    stored_.reserve((layout.total + 1) / 2, memory);
    vectors_.reserve(floats, memory);
  }
  const bool small = layout.total * 4 <= kWorthPacking && ops.pack_linear != nullptr;
  const auto weight = [&](std::int64_t offset, Index N, Index K) {
    Weight w = matrix(offset);
    if (!small) return w;
    auto& copy = packed_.emplace_back(Packed{w, N, K, {}});
    w.packed = copy.panels.reserve(packed_size(N, K));
    return w;
  };
  edges_ = {matrix(layout.embed), vector(layout.final_norm),
            weight(layout.head, config.vocab_size, config.hidden_size)};
  for (const auto& at : layout.blocks)
    blocks_.push_back(
        block_weights(config, at, weight, [&](std::int64_t offset) { return vector(offset); }));
}

std::uint16_t* ResidentWeights::stored(std::int64_t offset) {
  return reinterpret_cast<std::uint16_t*>(stored_.data()) + offset;
}

Weight ResidentWeights::matrix(std::int64_t offset) {
  if (storage_ == FloatType::F32) return {data() + offset};
  return {stored(offset), nullptr, storage_};
}

const float* ResidentWeights::vector(std::int64_t offset) {
  if (storage_ == FloatType::F32) return data() + offset;
  const auto found = std::find_if(vector_places_.begin(), vector_places_.end(),
                                  [&](const Vector& v) { return v.offset == offset; });
  check(found != vector_places_.end(), "a norm or a bias is a vector of the layout");
  return vectors_.data() + found->place;
}

float* ResidentWeights::data() {
  return ops_->memory->host ? values_.data_ptr<float>() : device_values_.data();
}

Tensor ResidentWeights::values() const {
  if (ops_->memory->host || !trained_) return values_;
  Tensor copy = at::empty({total_}, at::kFloat);
  ops_->memory->download(device_values_.data(), 4 * total_, copy.data_ptr<float>());
  return copy;
}

bool ResidentWeights::round(const Exec& exec, std::int64_t offset, const float* values,
                            std::int64_t n) {
  return ops_->narrow(exec, values, n, storage_, stored(offset));
}

void ResidentWeights::put(const Exec& exec, const Parameter& p, std::int64_t first,
                          std::span<const float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  const Memory& memory = *ops_->memory;
  const float* from = values.data();
  if (!memory.host) {
    memory.upload(from, 4 * size, incoming_.reserve(size, memory));
    from = incoming_.data();
  }
  if (!round(exec, p.offset + first, from, size)) too_large_for(storage_, p, values);
}

void ResidentWeights::publish(const Exec& exec, bool done) {
  if (storage_ != FloatType::F32 && trained_ && !done && !round(exec, 0, data(), total_)) {
    const Tensor all = values();
    const auto* const from = all.const_data_ptr<float>();
    for (const auto& p : parameters_)
      if (!round(exec, p.offset, data() + p.offset, p.size))
        too_large_for(storage_, p, {from + p.offset, static_cast<std::size_t>(p.size)});
  }
  complete(exec);
}

void ResidentWeights::complete(const Exec& exec) {
  for (const auto& v : vector_places_)
    ops_->widen(exec, stored(v.offset), storage_, v.size, vectors_.data() + v.place);
  for (auto& copy : packed_)
    ops_->pack_linear(exec, copy.rows, copy.N, copy.K, copy.panels.data());
}

void ResidentWeights::assign(const Tensor& values) {
  check(values.numel() == total_, "assigned weights have the layout's size");
  ops_->memory->upload(values.const_data_ptr<float>(), 4 * total_, data());
}

EdgeWeights ResidentWeights::edges() {
  return edges_;
}

BlockWeights ResidentWeights::gather(Index layer) {
  return blocks_[static_cast<std::size_t>(layer)];
}

std::int64_t ResidentWeights::bytes_for(const ParameterLayout& layout, FloatType storage) {
  const bool small = layout.total * 4 <= kWorthPacking;
  return layout.total * (4 + (storage == FloatType::F32 ? 0 : 2) + (small ? 4 : 0));
}

}  // namespace aha
