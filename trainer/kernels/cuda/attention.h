#pragma once
// What the attention kernels share: how the query heads of a kv head are cut, and which body serves a head width.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/kv_store.h"

namespace aha::cuda {

/// Warps of a block; each takes every fourth key/value block.
constexpr int kAttentionWarps = 4;

AHA_DEVICE float scale_of(Index D) {
  return 1.0F / sqrtf(static_cast<float>(D));
}

/// The query heads that one block serves, which share what it loads of keys and values.
struct Queries {
  Index kv_head;
  Index first;  ///< query head
  Index count;
};

/// Blocks along y are (kv head, up to `most` query heads of its group).
AHA_DEVICE Queries queries_of(Index H, Index Hk, Index most) {
  const Index group = H / Hk;
  const Index chunks = ceil_div(group, most);
  const Index kv_head = block_y() / chunks;
  const Index first = block_y() % chunks * most;
  const Index left = group - first;
  return {kv_head, kv_head * group + first, left < most ? left : most};
}

/// The elements of a head in a block, of the store's type.
template <class Element>
AHA_DEVICE const Element* kv_head_of(const KvStore& kv, Index block, Index head) {
  return static_cast<const Element*>(kv.data) + kv_head_at(kv, block, head);
}

/// to [D][G] = the queries' vectors, `row` being [H, D] or longer; zero past the count.
template <int G>
AHA_DEVICE void load_queries(const float* row, const Queries& q, Index D, float* to) {
  for (Index i = thread(); i < G * D; i += threads())
    to[i] = i % G < q.count ? row[(q.first + i % G) * D + i / G] : 0.0F;
}

/// The head widths that tensor cores serve, from keys and values of bf16.
inline bool on_tensor_cores(const KvStore& kv) {
  return kv.type == FloatType::BF16 && (kv.D == 64 || kv.D == 128);
}
/// Whether rows that stand together may share tiles. With set_invariant the forward pass is that of single rows, as in
/// decoding. The backward pass goes through what either has rounded: alike for all rows, and it has nothing to agree with.
inline bool on_tiles(const Attention& p) {
  return p.together && on_tensor_cores(p.kv) && !is_invariant();
}
inline bool on_tiles(const AttentionBackward& p) {
  return on_tensor_cores(p.kv);
}

/// What dq's kernel leaves to that of keys and values.
struct KeptQueries {
  float* delta;    ///< [M, H]
  Bf16 *q, *dout;  ///< [M, H, D] rounded; on tensor cores alone
};

/// On tensor cores, where the store's type, head width and the rows' order allow it; false: nothing was done.
bool attention_tiles(const Attention& p);
/// The same of single rows, whatever their order.
bool attention_row_tiles(const Attention& p);
/// Those with what stands before and after them, where on_tensor_cores: finish_qkv, and rows [M, H D] rounded, `ld` apart. qkv
/// and p.out stay as they are.
void attend_finished_rows(const FinishQkv& finish, const Attention& p, Bf16* rows, Index ld);
/// The same of the backward pass, where on_tiles says so: dq of all rows, and the sums of parts.
void backward_query_tiles(const AttentionBackward& p, const KeptQueries& to);
void backward_part_tiles(const AttentionBackward& p, const KeptQueries& kept, Index parts,
                         float* partial);

template <int N>
struct Constant {
  static constexpr int value = N;
};

/// Calls body(query heads together, columns of 32 dimensions) with the smallest that serve a head of at most
/// kMaxHeadWidth.
template <class Body>
void with_shape(Index group, Index D, const Body& body) {
  const auto with_group = [&](auto columns) {
    if (group == 1) return body(Constant<1>{}, columns);
    if (group == 2) return body(Constant<2>{}, columns);
    if (group <= 4) return body(Constant<4>{}, columns);
    body(Constant<8>{}, columns);
  };
  if (D <= 64) return with_group(Constant<2>{});
  with_group(Constant<4>{});
}

}  // namespace aha::cuda
