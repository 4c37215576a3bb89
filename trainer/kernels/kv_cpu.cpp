#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Where position `positions[r]` of row r lies.
struct Place {
  float* block;  ///< of all heads
  Index lane;
};

Place place(const KvRows& rows, const KvStore& kv, Index r) {
  const Index position = rows.positions[r];
  return {kv.floats() + rows.tables[r][position / kKvBlock] * kv.block_size(), position % kKvBlock};
}

constexpr Index kRowGrain = 16;

/// Rows ahead whose places are fetched: in decoding each row writes to a block of its own, which has
/// left the caches since its last token.
constexpr Index kAhead = 4;

/// Asks for the lines that row r will write, of every head.
void fetch_place(const KvRows& rows, const KvStore& kv, Index r) {
  const Place at = place(rows, kv, r);
  const Index head_floats = KvStore::head_size(kv.D);
  for (Index h = 0; h < kv.Hk; ++h) {
    const float* head = at.block + h * head_floats;
    for (Index d = 0; d < kv.D; ++d)
      __builtin_prefetch(head + d * kKvBlock, 1);
    __builtin_prefetch(head + (kKvBlock + at.lane) * kv.D, 1);
  }
}

}  // namespace

void kv_write(const Exec& exec, const float* qkv, Index H, const KvRows& rows, const KvStore& kv) {
  const Index D = kv.D;
  const Index width = (H + 2 * kv.Hk) * D;
  run_ranges(exec, rows.M, kRowGrain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      if (r + kAhead < end && rows.tables[r + kAhead] != rows.tables[r])
        fetch_place(rows, kv, r + kAhead);
      const Place to = place(rows, kv, r);
      for (Index h = 0; h < kv.Hk; ++h) {
        const float* k = qkv + r * width + (H + h) * D;
        const float* v = k + kv.Hk * D;
        float* head = to.block + h * KvStore::head_size(D);
        for (Index d = 0; d < D; ++d)
          head[d * kKvBlock + to.lane] = k[d];
        float* values = head + (kKvBlock + to.lane) * D;
        for_lanes(D, [&](Index d, Index n) { store_lanes(values + d, load_lanes(v + d, n), n); });
      }
    }
  });
}

void kv_read_grad(const Exec& exec, float* dqkv, Index H, const KvRows& rows, const KvStore& kv) {
  const Index D = kv.D;
  const Index width = (H + 2 * kv.Hk) * D;
  run_ranges(exec, rows.M, kRowGrain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Place from = place(rows, kv, r);
      for (Index h = 0; h < kv.Hk; ++h) {
        float* k = dqkv + r * width + (H + h) * D;
        float* v = k + kv.Hk * D;
        const float* head = from.block + h * KvStore::head_size(D);
        for (Index d = 0; d < D; ++d)
          k[d] = head[d * kKvBlock + from.lane];
        const float* values = head + (kKvBlock + from.lane) * D;
        for (Index d = 0; d < D; ++d)
          v[d] = values[d];
      }
    }
  });
}

void kv_copy(const Exec& exec, const KvStore& kv, const KvCopy* copies, Index n) {
  run_ranges(exec, kv.Hk, max_index(1, 64 / max_index(1, n)), [&](Index begin, Index end) {
    for (Index c = 0; c < n; ++c)
      for (Index h = begin; h < end; ++h) {
        const Index head = h * KvStore::head_size(kv.D);
        const float* from = kv.floats() + copies[c].from * kv.block_size() + head;
        float* to = kv.floats() + copies[c].to * kv.block_size() + head;
        for (Index d = 0; d < kv.D; ++d)
          store_n(to + d * kKvBlock, load(from + d * kKvBlock), copies[c].lanes);
        const Index values = kv.D * kKvBlock;
        for_lanes(copies[c].lanes * kv.D, [&](Index i, Index count) {
          store_lanes(to + values + i, load_lanes(from + values + i, count), count);
        });
      }
  });
}

void kv_fold_grad(const Exec& exec, const KvStore& kv, const KvCopy* copies, Index n) {
  run_ranges(exec, kv.Hk, max_index(1, 64 / max_index(1, n)), [&](Index begin, Index end) {
    for (Index c = 0; c < n; ++c)
      for (Index h = begin; h < end; ++h) {
        const Index head = h * KvStore::head_size(kv.D);
        float* to = kv.floats() + copies[c].from * kv.block_size() + head;
        const float* from = kv.floats() + copies[c].to * kv.block_size() + head;
        for (Index d = 0; d < kv.D; ++d) {
          float* lanes = to + d * kKvBlock;
          store_n(lanes, add(load(lanes), load(from + d * kKvBlock)), copies[c].lanes);
        }
        const Index values = kv.D * kKvBlock;
        for_lanes(copies[c].lanes * kv.D, [&](Index i, Index count) {
          float* v = to + values + i;
          store_lanes(v, add(load_lanes(v, count), load_lanes(from + values + i, count)), count);
        });
      }
  });
}

}  // namespace aha::AHA_ISA
