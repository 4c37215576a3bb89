#pragma once
#include <vector>

#include "trainer/core/tensor.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"

namespace aha {

/// Parameters of a model that are always in memory: one flat f32 buffer. A model so small that a second
/// copy costs nothing has its matrices packed beside it, which saves the kernels doing so on every use; after
/// `values` changed, `publish` packs them again.
class ResidentWeights : public ParameterProvider {
 public:
  /// Takes the values [layout.total] over.
  ResidentWeights(const ModelConfig& config, const ParameterLayout& layout, const Ops& ops,
                  Tensor values);

  void publish(const Exec& exec);
  /// Copies values [total] in; `publish` must follow.
  void assign(const Tensor& values);

  float* data() { return values_.data_ptr<float>(); }
  const Tensor& values() const { return values_; }
  /// Memory that the weights of a layout take, packed copies included (about).
  static std::int64_t bytes_for(const ParameterLayout& layout);

  EdgeWeights edges() override;
  BlockWeights gather(Index layer) override;

 private:
  struct Packed {
    const float* rows;
    Index N, K;
    Buffer panels;
  };
  const Ops* ops_;
  Tensor values_;  ///< [total] f32
  std::vector<BlockWeights> blocks_;
  EdgeWeights edges_{};
  std::vector<Packed> packed_;  ///< empty: the model is large
};

/// Gradients of the same layout in one flat f32 buffer.
class ResidentGradients : public GradientSink {
 public:
  explicit ResidentGradients(const ParameterLayout& layout);

  void clear();
  float* data() { return values_.data_ptr<float>(); }

  EdgeGrads edges() override { return edges_; }
  BlockGrads block(Index layer) override { return blocks_[static_cast<std::size_t>(layer)]; }

 private:
  Tensor values_;  ///< [total] f32
  EdgeGrads edges_{};
  std::vector<BlockGrads> blocks_;
};

}  // namespace aha
