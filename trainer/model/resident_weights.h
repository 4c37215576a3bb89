#pragma once
#include <span>
#include <vector>

#include "trainer/core/tensor.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"

namespace aha {

/// The weights of the block whose parameters lie at `at`: `matrix(offset, N, K)` and `vector(offset)` say where.
template <class Matrix, class Vector>
BlockWeights block_weights(const ModelConfig& config, const BlockOffsets& at, const Matrix& matrix,
                           const Vector& vector) {
  const Index C = config.hidden_size;
  const Index HD = config.num_attention_heads * config.head_dim;
  const Index Q = HD + 2 * config.num_key_value_heads * config.head_dim;
  const Index F = config.intermediate_size;
  return {vector(at.input_norm),
          matrix(at.qkv, Q, C),
          matrix(at.o, C, HD),
          vector(at.post_norm),
          matrix(at.gate_up, 2 * F, C),
          matrix(at.down, C, F),
          at.qkv_bias > 0 ? vector(at.qkv_bias) : nullptr,
          at.qk_norm > 0 ? vector(at.qk_norm) : nullptr};
}

/// UserError for the parameter of which `values` are a part, with its largest.
[[noreturn]] void too_large_for(FloatType storage, const Parameter& parameter,
                                std::span<const float> values);

/// Parameters of a model that are always in memory: one flat f32 buffer of values, which an optimizer
/// changes, and what the decoder reads. In storage F32 that is the values themselves. In storage BF16 or F16
/// it is the values rounded: `publish` writes them beside, and both rollout and training see them and nothing
/// else. Norms and biases are rounded too and kept as f32: they are few, and what reads them has one form.
/// A model so small that a second copy costs nothing has its matrices packed as well, which saves the kernels
/// doing so on every use.
class ResidentWeights : public ParameterProvider {
 public:
  /// Takes the values [layout.total] over; `publish` must follow. An undefined tensor: in storage F32
  /// values that come by `data`; in BF16 or F16 weights that no update will change, filled by `put` with every parameter
  /// before they are published, or that come by `rounded`.
  ResidentWeights(const ModelConfig& config, const ParameterLayout& layout, const Ops& ops,
                  Tensor values, FloatType storage = FloatType::F32);

  /// Makes what the decoder reads of the values. UserError for one beyond the largest number of the storage.
  /// `done`: they are rounded already.
  void publish(const Exec& exec, bool done = false);
  /// The same of what is rounded already (`rounded`).
  void complete(const Exec& exec);
  /// Copies values [total] in; `publish` must follow.
  void assign(const Tensor& values);
  /// Rounds values in, of one parameter from its element `first` on.
  void put(const Exec& exec, const Parameter& parameter, std::int64_t first,
           std::span<const float> values);

  /// Of trained weights, in the memory of the table.
  float* data();
  /// [total] what is read in storage BF16 or F16.
  std::uint16_t* rounded() { return stored(0); }
  /// [total] f32 in the host's memory: the values themselves where that is the table's, else a copy.
  Tensor values() const;
  FloatType storage() const { return storage_; }
  /// Memory that trained weights of a layout take, packed copies included (about).
  static std::int64_t bytes_for(const ParameterLayout& layout, FloatType storage);

  EdgeWeights edges() override;
  BlockWeights gather(Index layer) override;

 private:
  struct Packed {
    Weight rows;
    Index N, K;
    Buffer panels;
  };
  /// A norm or a bias of the layout, kept as f32 beside stored matrices.
  struct Vector {
    std::int64_t offset, size, place;
  };
  /// False when one of `n` values from `offset` on is beyond the largest number of the storage.
  bool round(const Exec& exec, std::int64_t offset, const float* values, std::int64_t n);
  std::uint16_t* stored(std::int64_t offset);
  Weight matrix(std::int64_t offset);
  const float* vector(std::int64_t offset);

  const Ops* ops_;
  std::vector<Parameter> parameters_;
  std::int64_t total_;
  FloatType storage_;
  bool trained_;
  Tensor values_;  ///< [total] f32; undefined: `put` brings them, or a device has them
  Buffer device_values_, incoming_;
  Buffer stored_;   ///< [total] BF16 or F16
  Buffer vectors_;  ///< [sum of sizes] f32, those of stored_ widened
  std::vector<Vector> vector_places_;
  std::vector<BlockWeights> blocks_;
  EdgeWeights edges_{};
  std::vector<Packed> packed_;  ///< empty: the model is large
};

}  // namespace aha
