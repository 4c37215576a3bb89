#pragma once
// Elements of blocks of keys and values, in either type that a store has.
#include "trainer/kernels/cuda/numbers.h"

namespace aha::cuda {

/// KvStore::block_size: a method of it is the host's alone.
__host__ __device__ inline Index kv_block_size(const KvStore& kv) {
  return kv.Hk * KvStore::head_size(kv.D);
}

/// The first element of a head in a block.
AHA_DEVICE Index kv_head_at(const KvStore& kv, Index block, Index head) {
  return block * kv_block_size(kv) + head * KvStore::head_size(kv.D);
}

AHA_DEVICE float kv_element(const KvStore& kv, Index i) {
  return kv.type == FloatType::F32 ? static_cast<const float*>(kv.data)[i]
                                   : widened(static_cast<const Bf16*>(kv.data)[i]);
}
AHA_DEVICE void put_kv_element(const KvStore& kv, Index i, float x) {
  if (kv.type == FloatType::F32)
    static_cast<float*>(kv.data)[i] = x;
  else
    round_to(x, static_cast<Bf16*>(kv.data)[i]);
}

}  // namespace aha::cuda
