#pragma once
#include <filesystem>
#include <vector>

#include "trainer/comm/shards.h"
#include "trainer/core/tensor.h"
#include "trainer/model/checksums.h"
#include "trainer/model/parameters.h"
#include "trainer/optim/adamw.h"

namespace aha {

/// What one rank writes of the optimizer: its slice of the flat buffers.
struct OptimizerShard {
  std::vector<Slice> slices;  ///< of all ranks
  std::size_t rank = 0;
  Moments moments;  ///< [own]
  Tensor master;    ///< [own] f32 weights; undefined: the model's own are f32

  Slice own() const { return slices.at(rank); }
};

/// Writes a rank's file of each kind into `folder`:
///   state   exp_avg.NAME and exp_avg_sq.NAME of each trainable parameter, f32
///   master  NAME, f32, when there is one
/// as state.safetensors, or state-00001-of-0000N.safetensors where N ranks have a part of the buffers. A
/// parameter that lies in several ranks' slices is cut: NAME[begin:end], elements of the flattened tensor.
Checksums write_optimizer_shard(const std::filesystem::path& folder, const ParameterLayout& layout,
                                const OptimizerShard& shard);

/// The index of each kind, which tells in which file a tensor is; none where there is one file.
Checksums write_optimizer_index(const std::filesystem::path& folder, const ParameterLayout& layout,
                                const std::vector<Slice>& slices, bool master);

/// The moments of the slice `own`, whatever slices they were written in. Reads no others. UserError naming
/// file and tensor for what is missing, damaged or of another shape.
Moments read_moments(const std::filesystem::path& folder, const ParameterLayout& layout, Slice own);

/// The f32 weights of trainable parameters in the slice `own`, where they are kept: true. Else `values` [own] stay
/// as they are.
bool read_master(const std::filesystem::path& folder, const ParameterLayout& layout, Slice own,
                 Tensor& values);

}  // namespace aha
