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
  return {kv.data + rows.tables[r][position / kKvBlock] * kv.block_floats(), position % kKvBlock};
}

constexpr Index kRowGrain = 64;

}  // namespace

void kv_write(const Exec& exec, const float* qkv, Index H, const KvRows& rows, const KvStore& kv) {
  const Index D = kv.D;
  const Index width = (H + 2 * kv.Hk) * D;
  const Index padded = round_up(D, kPanel);
  run_ranges(exec, rows.M, kRowGrain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Place to = place(rows, kv, r);
      for (Index h = 0; h < kv.Hk; ++h) {
        const float* k = qkv + r * width + (H + h) * D;
        const float* v = k + kv.Hk * D;
        float* head = to.block + h * KvStore::head_floats(D);
        for (Index d = 0; d < D; ++d) head[d * kKvBlock + to.lane] = k[d];
        float* values = head + D * kKvBlock + to.lane * padded;
        for (Index d = 0; d < padded; d += 16) store(values + d, load_n(v + d, D - d, 0.0F));
      }
    }
  });
}

void kv_read_grad(const Exec& exec, float* dqkv, Index H, const KvRows& rows, const KvStore& kv) {
  const Index D = kv.D;
  const Index width = (H + 2 * kv.Hk) * D;
  const Index padded = round_up(D, kPanel);
  run_ranges(exec, rows.M, kRowGrain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Place from = place(rows, kv, r);
      for (Index h = 0; h < kv.Hk; ++h) {
        float* k = dqkv + r * width + (H + h) * D;
        float* v = k + kv.Hk * D;
        const float* head = from.block + h * KvStore::head_floats(D);
        for (Index d = 0; d < D; ++d) k[d] = head[d * kKvBlock + from.lane];
        const float* values = head + D * kKvBlock + from.lane * padded;
        for (Index d = 0; d < D; ++d) v[d] = values[d];
      }
    }
  });
}

void kv_copy(const Exec& exec, const KvStore& kv, const KvCopy* copies, Index n) {
  const Index padded = round_up(kv.D, kPanel);
  run_ranges(exec, kv.Hk, max_index(1, 64 / max_index(1, n)), [&](Index begin, Index end) {
    for (Index c = 0; c < n; ++c)
      for (Index h = begin; h < end; ++h) {
        const Index head = h * KvStore::head_floats(kv.D);
        const float* from = kv.data + copies[c].from * kv.block_floats() + head;
        float* to = kv.data + copies[c].to * kv.block_floats() + head;
        for (Index d = 0; d < kv.D; ++d)
          store_n(to + d * kKvBlock, load(from + d * kKvBlock), copies[c].lanes);
        const Index values = kv.D * kKvBlock;
        for (Index i = 0; i < copies[c].lanes * padded; i += 16)
          store(to + values + i, load(from + values + i));
      }
  });
}

void kv_fold_grad(const Exec& exec, const KvStore& kv, const KvCopy* copies, Index n) {
  const Index padded = round_up(kv.D, kPanel);
  run_ranges(exec, kv.Hk, max_index(1, 64 / max_index(1, n)), [&](Index begin, Index end) {
    for (Index c = 0; c < n; ++c)
      for (Index h = begin; h < end; ++h) {
        const Index head = h * KvStore::head_floats(kv.D);
        float* to = kv.data + copies[c].from * kv.block_floats() + head;
        const float* from = kv.data + copies[c].to * kv.block_floats() + head;
        for (Index d = 0; d < kv.D; ++d) {
          float* lanes = to + d * kKvBlock;
          store_n(lanes, add(load(lanes), load(from + d * kKvBlock)), copies[c].lanes);
        }
        const Index values = kv.D * kKvBlock;
        for (Index i = 0; i < copies[c].lanes * padded; i += 16) {
          float* v = to + values + i;
          store(v, add(load(v), load(from + values + i)));
        }
      }
  });
}

}  // namespace aha::AHA_ISA
