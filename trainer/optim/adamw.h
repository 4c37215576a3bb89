#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"
#include "trainer/core/tensor.h"
#include "trainer/kernels/buffer.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// A run of parameters in the flat buffers that one decay setting covers.
struct ParamRange {
  Index offset = 0;
  Index size = 0;
  bool decay = false;
};

/// Where the new values of an update are written in 16 bits as well: `to` [own slice], null: nowhere. What lies in no
/// ParamRange never moves and is not written: a copy of all values must have been there before.
struct RoundedCopy {
  std::uint16_t* to = nullptr;
  FloatType type = FloatType::BF16;
};

/// What an update did.
struct UpdateStats {
  double grad_norm = 0;   ///< before clipping
  double clip_scale = 1;  ///< factor on the gradient, <= 1
  bool applied = true;   ///< false: the norm, or a value after the update, is none; nothing changed
  bool rounded = false;  ///< the copy that was asked for has every value of the ranges
};

/// First and second moments of the gradient.
struct Moments {
  Tensor exp_avg;     ///< f32
  Tensor exp_avg_sq;  ///< f32
};

/// AdamW over flat f32 buffers with global-norm clipping:
///   scale = min(1, max_grad_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_.
/// The norm is summed over fixed blocks in order, so it depends neither on threads nor on ranks.
/// Source: Loshchilov and Hutter 2019 (arXiv:1711.05101), algorithm 2.
///
/// Each rank keeps the moments of its own slice (shards_of) and updates that slice alone: stage 1 of
/// ZeRO (Rajbhandari et al. 2020, arXiv:1910.02054). Calls are collective.
class AdamWOptimizer {
 public:
  AdamWOptimizer(const Ops& ops, std::vector<ParamRange> ranges, Index total,
                 const OptimConfig& config, Communicator& comm);

  /// One update of `values` by `grads`, the own slices of the weights and of the gradient summed over ranks; both
  /// are in the memory of the table. With a `limit` the update is tried on copies first, and refused on every rank when a value on
  /// any would reach it.
  UpdateStats step(const Exec& exec, float* values, const float* grads, double learning_rate,
                   std::optional<double> limit = std::nullopt, const RoundedCopy& copy = {});
  /// The same of a gradient that is there in parts, one after the other: calls body(part, its values) for each, every time that
  /// it is asked.
  using Body = std::function<void(const Slice& part, const float* grads)>;
  using Parts = std::function<void(const Body& body)>;
  UpdateStats step(const Exec& exec, float* values, const Parts& grads, double learning_rate,
                   std::optional<double> limit = std::nullopt, const RoundedCopy& copy = {});

  /// Which part of the buffers each rank owns.
  const std::vector<Slice>& shards() const { return shards_; }
  Slice own() const { return shards_[static_cast<std::size_t>(comm_->rank())]; }

  /// Of the own slice, in the host's memory: the moments themselves where that is the table's.
  Moments moments() const;
  void set_moments(const Moments& own);
  std::int64_t updates() const { return updates_; }
  void set_updates(std::int64_t updates) { updates_ = updates; }

 private:
  double squares(const Exec& exec, const Parts& grads) const;
  bool on_host() const { return ops_->memory->host; }
  /// An update of the own slice.
  struct Update {
    float* values;
    const Parts& grads;
    double learning_rate;
    double scale;  ///< on the gradient
  };
  std::vector<AdamW> tasks(const Update& update, const Slice& part, const float* grads) const;
  bool reaches(const Exec& exec, const Update& update, double limit) const;
  bool apply(const Exec& exec, const Update& update, const RoundedCopy& copy);

  const Ops* ops_;
  std::vector<ParamRange> ranges_;
  OptimConfig config_;
  Communicator* comm_;
  std::vector<Slice> shards_;
  Moments moments_;              ///< where the table's memory is the host's
  Buffer exp_avg_, exp_avg_sq_;  ///< where it is a device's
  Buffer too_large_;             ///< one number, of the table
  std::int64_t updates_ = 0;
};

}  // namespace aha
