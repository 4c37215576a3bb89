#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Query vectors that share a block table: what one tile works on.
struct QueryTile {
  const std::int32_t* table;
  int count;                 ///< 1 to kMaxRows
  const float* q[kMaxRows];  ///< [D]
  float* out[kMaxRows];      ///< [D]
  float* lse[kMaxRows];      ///< null when not wanted
  Index position[kMaxRows];
  Index last;  ///< largest position
};

const float* block_head(const Attention& p, const QueryTile& t, Index block, Index kv_head) {
  return p.kv.floats() + t.table[block] * p.kv.block_size() + kv_head * KvStore::head_size(p.kv.D);
}

/// scores [count][16 * blocks] = q K^T, unscaled; lanes past a query's position are not defined.
void scores_of(const Attention& p, const QueryTile& q, Index kv_head, float* scores, Index ld) {
  const EvenParts parts = even_parts(ld / 16, kPanelsFor[q.count]);
  Tile t;
  for (int i = 0; i < q.count; ++i)
    t.a[i] = q.q[i];
  t.a_step = 1;
  t.ldc = ld;
  t.depth = p.kv.D;
  t.last_columns = 16;
  t.finish = Finish::Write;
  for (Index part = 0; part < parts.parts; ++part) {
    const Index begin = part_start(parts, part);
    const Index end = part_start(parts, part + 1);
    for (Index b = begin; b < end; ++b) {
      t.b[b - begin] = block_head(p, q, b, kv_head);
      t.c[b - begin] = scores + 16 * b;
    }
    run_tile<false>(q.count, static_cast<int>(end - begin), t);
  }
}

/// scores -> exp(scale * score - max) in place, zero past `position`; gives 1 / sum, writes lse.
float softmax_row(float* scores, Index ld, Index position, float scale, float* lse) {
  const Index n = position + 1;
  F16 top = set1(-kInfinity);
  for (Index i = 0; i < n; i += 16) {
    const F16 s = keep_n(mul(load(scores + i), set1(scale)), n - i, -kInfinity);
    store(scores + i, s);
    top = max(top, s);
  }
  const float m = hmax(top);
  F16 sum = zero();
  for (Index i = 0; i < n; i += 16) {
    const F16 e = keep_n(exp(sub(load(scores + i), set1(m))), n - i, 0.0F);
    store(scores + i, e);
    sum = add(sum, e);
  }
  for (Index i = round_up(n, 16); i < ld; i += 16)
    store(scores + i, zero());
  const float total = hsum(sum);
  if (lse != nullptr) *lse = m + log(total);
  return 1.0F / total;
}

struct Values {
  const float* weights;  ///< [count][ld], zero past each query's position
  Index ld;
  const float* inverse_sums;
  Index kv_head;
  Index column;  ///< first of the columns of V
};

/// out = inverse_sum * (chain over positions of weight * V). Whole: the last panel has 16 columns.
template <int Q, int NP, bool Whole>
static void values_body(const Attention& p, const QueryTile& q, const Values& v) {
  const Index D = p.kv.D;
  const Index last_columns = D - v.column - Index{16} * (NP - 1);
  F16 acc[Q][NP];
#pragma GCC unroll 8
  for (int i = 0; i < Q; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < NP; ++j)
      acc[i][j] = zero();
  for (Index first = 0; first <= q.last; first += kKvBlock) {
    const float* weights[Q];
#pragma GCC unroll 8
    for (int i = 0; i < Q; ++i)
      weights[i] = v.weights + i * v.ld + first;
    const float* values = block_head(p, q, first / kKvBlock, v.kv_head) + D * kKvBlock + v.column;
    const Index positions = min_index(kKvBlock, q.last + 1 - first);
#pragma GCC unroll 2
    for (Index t = 0; t < positions; ++t, values += D) {
      F16 right[NP];
#pragma GCC unroll 8
      for (int j = 0; j < NP; ++j)
        right[j] = Whole || j + 1 < NP ? load(values + Index{16} * j)
                                       : load_n(values + Index{16} * j, last_columns, 0.0F);
#pragma GCC unroll 8
      for (int i = 0; i < Q; ++i) {
        const F16 left = set1(weights[i][t]);
#pragma GCC unroll 8
        for (int j = 0; j < NP; ++j)
          acc[i][j] = fma(left, right[j], acc[i][j]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Q; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < NP; ++j) {
      const Index column = v.column + Index{16} * j;
      store_n(q.out[i] + column, mul(acc[i][j], set1(v.inverse_sums[i])), D - column);
    }
}

template <int Q, int NP>
AHA_INLINE void values_panels(int panels, const Attention& p, const QueryTile& q, const Values& v) {
  if (panels == NP)
    return p.kv.D - v.column >= Index{16} * NP ? values_body<Q, NP, true>(p, q, v)
                                               : values_body<Q, NP, false>(p, q, v);
  if constexpr (NP > 1) values_panels<Q, NP - 1>(panels, p, q, v);
}

template <int Q>
AHA_INLINE void values_rows(int panels, const Attention& p, const QueryTile& q, const Values& v) {
  if (q.count == Q) return values_panels<Q, kPanelsFor[Q]>(panels, p, q, v);
  if constexpr (Q > 1) values_rows<Q - 1>(panels, p, q, v);
}

void attend(const Attention& p, const QueryTile& q, Index kv_head) {
  const Index D = p.kv.D;
  const Index ld = round_up(q.last + 1, kKvBlock);
  const float scale = 1.0F / __builtin_sqrtf(static_cast<float>(D));
  float* scores = scratch(ScratchSlot::Scores, ld * kMaxRows);
  scores_of(p, q, kv_head, scores, ld);
  float inverse_sums[kMaxRows];
  for (int i = 0; i < q.count; ++i)
    inverse_sums[i] = softmax_row(scores + i * ld, ld, q.position[i], scale, q.lse[i]);
  const EvenParts parts = even_parts(ceil_div(D, 16), kPanelsFor[q.count]);
  for (Index part = 0; part < parts.parts; ++part) {
    const Index first = part_start(parts, part);
    const Values v{scores, ld, inverse_sums, kv_head, 16 * first};
    values_rows<kMaxRows>(static_cast<int>(part_start(parts, part + 1) - first), p, q, v);
  }
}

/// Asks for what row r will read of one kv head: in decoding a row's blocks are read once a token, and
/// are in no near cache by then.
void fetch_row(const Attention& p, Index r, Index kv_head) {
  const Index head_floats = KvStore::head_size(p.kv.D);
  const Index blocks = p.rows.positions[r] / kKvBlock + 1;
  for (Index b = 0; b < blocks; ++b) {
    const float* head =
        p.kv.floats() + p.rows.tables[r][b] * p.kv.block_size() + kv_head * head_floats;
    for (Index i = 0; i < head_floats; i += 16)
      __builtin_prefetch(head + i, 0, 2);
  }
}

/// Queries (row, head of the group) of rows [begin, end), which share one table, in tiles.
void attend_run(const Attention& p, Index begin, Index end, Index kv_head) {
  const Index D = p.kv.D;
  const Index group = p.H / p.kv.Hk;
  const Index width = (p.H + 2 * p.kv.Hk) * D;
  const EvenParts tiles = even_parts((end - begin) * group, kMaxRows);
  QueryTile q;
  q.table = p.rows.tables[begin];
  for (Index tile = 0; tile < tiles.parts; ++tile) {
    const Index first = part_start(tiles, tile);
    q.count = static_cast<int>(part_start(tiles, tile + 1) - first);
    q.last = 0;
    for (int i = 0; i < q.count; ++i) {
      const Index row = begin + (first + i) / group;
      const Index head = kv_head * group + (first + i) % group;
      q.q[i] = p.qkv + row * width + head * D;
      q.out[i] = p.out + (row * p.H + head) * D;
      q.lse[i] = p.lse == nullptr ? nullptr : p.lse + row * p.H + head;
      q.position[i] = p.rows.positions[row];
      q.last = max_index(q.last, q.position[i]);
    }
    attend(p, q, kv_head);
  }
}

}  // namespace

void attention(const Exec& exec, const Attention& p) {
  Index positions = 0;
  for (Index r = 0; r < p.rows.M; ++r)
    positions += p.rows.positions[r] + 1;
  const Index work_per_row = p.H * p.kv.D * 2 * positions / max_index(1, p.rows.M);
  run_ranges(exec, p.rows.M, max_index(1, (1 << 18) / max_index(1, work_per_row)),
             [&](Index begin, Index end) {
               for (Index r = begin; r < end;) {
                 Index next = r + 1;
                 while (next < end && p.rows.tables[next] == p.rows.tables[r])
                   ++next;
                 for (Index h = 0; h < p.kv.Hk; ++h) {
                   if (next == r + 1 && next < end) fetch_row(p, next, h);
                   attend_run(p, r, next, h);
                 }
                 r = next;
               }
             });
}

}  // namespace aha::AHA_ISA
