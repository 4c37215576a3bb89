#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Queries whose probabilities are held at a time.
constexpr Index kChunk = 64;

/// Rows that share a table, seen from one kv head. Positions ascend.
struct Run {
  const AttentionBackward* p;
  Index kv_head, group, D, padded, width;
  Index begin, end;  ///< rows
  Index blocks;      ///< blocks that the last row attends to
  Index last;        ///< position of the last row
  float* keys;       ///< K as panels over D: [padded / 16][16 * blocks][16]
  float* values;     ///< V transposed, [blocks][D][16]

  const std::int32_t* table() const { return p->rows.tables[begin]; }
  float* head_of(const KvStore& kv, Index block) const {
    return kv.floats() + table()[block] * kv.block_size() + kv_head * KvStore::head_size(D);
  }
};

/// One chunk of a run's queries, in (row, head) order.
struct Chunk {
  Index count;
  Index blocks;
  const float* q[kChunk];
  const float* out[kChunk];
  const float* dout[kChunk];
  float* dq[kChunk];
  float lse[kChunk];
  Index position[kChunk];
  float* p;            ///< [blocks][count][16] probabilities
  float* ds;           ///< [blocks][count][16] derivative of the unscaled scores
  float* ds_rows;      ///< [count][16 * blocks] the same
  float* q_rows;       ///< [count][D]
  float* dout_panels;  ///< [padded / 16][count][16]
  float* dq_rows;      ///< [count][padded]
};

/// Lanes past the last position hold anything, NaN included: here they become zero.
void transpose_blocks(Run& run) {
  const Index T = 16 * run.blocks;
  const Index panels = run.padded / 16;
  for (Index b = 0; b < run.blocks; ++b) {
    const float* k = run.head_of(run.p->kv, b);
    const float* v = k + run.D * kKvBlock;
    const Index lanes = min_index(kKvBlock, run.last + 1 - 16 * b);
    for (Index j = 0; j < panels; ++j)
      for (Index t = 0; t < 16; ++t) {
        float* to = run.keys + (j * T + 16 * b + t) * 16;
        for (Index c = 0; c < 16; ++c)
          to[c] = t < lanes && 16 * j + c < run.D ? k[(16 * j + c) * kKvBlock + t] : 0.0F;
      }
    float* to = run.values + b * run.D * 16;
    for (Index d = 0; d < run.D; ++d)
      for (Index t = 0; t < 16; ++t)
        to[d * 16 + t] = t < lanes ? v[t * run.D + d] : 0.0F;
  }
}

void fill_chunk(const Run& run, Index first, Chunk& c) {
  const AttentionBackward& p = *run.p;
  for (Index i = 0; i < c.count; ++i) {
    const Index row = run.begin + (first + i) / run.group;
    const Index head = run.kv_head * run.group + (first + i) % run.group;
    c.q[i] = p.qkv + row * run.width + head * run.D;
    c.dq[i] = p.dqkv + row * run.width + head * run.D;
    c.out[i] = p.out + (row * p.H + head) * run.D;
    c.dout[i] = p.dout + (row * p.H + head) * run.D;
    c.lse[i] = p.lse[row * p.H + head];
    c.position[i] = p.rows.positions[row];
  }
  c.blocks = c.position[c.count - 1] / kKvBlock + 1;
  const Index grid = c.blocks * c.count * 16;
  float* memory = scratch(ScratchSlot::Grads, 3 * grid + c.count * (run.D + 2 * run.padded));
  c.p = memory;
  c.ds = c.p + grid;
  c.ds_rows = c.ds + grid;
  c.dout_panels = c.ds_rows + grid;
  c.dq_rows = c.dout_panels + c.count * run.padded;
  c.q_rows = c.dq_rows + c.count * run.padded;
  for (Index i = 0; i < c.count; ++i) {
    for_lanes(run.D, [&](Index d, Index n) {
      store_lanes(c.q_rows + i * run.D + d, load_lanes(c.q[i] + d, n), n);
      store(c.dout_panels + (d * c.count + 16 * i), load_lanes(c.dout[i] + d, n));
    });
  }
}

/// to [blocks][count][16] = rows B, B of a block being [D][16]: K as it lies, or V transposed.
template <class Block>
AHA_INLINE void grid_product(const Run& run, const Chunk& c, const float* const* rows,
                             const Block& block, float* to) {
  const EvenParts parts = even_parts(c.count, kMaxRows);
  Tile t;
  t.a_step = 1;
  t.ldc = 16;
  t.depth = run.D;
  t.last_columns = 16;
  t.finish = Finish::Write;
  for (Index part = 0; part < parts.parts; ++part) {
    const Index begin = part_start(parts, part);
    const Index end = part_start(parts, part + 1);
    for (Index i = begin; i < end; ++i)
      t.a[i - begin] = rows[i];
    const Index used = c.position[end - 1] / kKvBlock + 1;
    const EvenParts panels = even_parts(used, kPanelsFor[end - begin]);
    for (Index j = 0; j < panels.parts; ++j) {
      const Index first = part_start(panels, j);
      const Index last = part_start(panels, j + 1);
      for (Index b = first; b < last; ++b) {
        t.b[b - first] = block(b);
        t.c[b - first] = to + (b * c.count + begin) * 16;
      }
      run_tile<false>(static_cast<int>(end - begin), static_cast<int>(last - first), t);
    }
  }
}

/// Scores and dP in the grids -> probabilities and derivatives of the scores, zero past each position.
void differentiate(const Run& run, const Chunk& c) {
  const F16 scale = set1(1.0F / __builtin_sqrtf(static_cast<float>(run.D)));
  for (Index i = 0; i < c.count; ++i) {
    F16 product = zero();
    for_lanes(run.D, [&](Index d, Index n) {
      product = fma(load_lanes(c.dout[i] + d, n), load_lanes(c.out[i] + d, n), product);
    });
    const F16 delta = set1(hsum(product));
    const F16 lse = set1(c.lse[i]);
    const Index n = c.position[i] + 1;
    for (Index b = 0; b < c.blocks; ++b) {
      float* p_at = c.p + (b * c.count + i) * 16;
      float* ds_at = c.ds + (b * c.count + i) * 16;
      F16 p = zero();
      F16 ds = zero();
      if (16 * b < n) {
        p = keep_n(exp(sub(mul(load(p_at), scale), lse)), n - 16 * b, 0.0F);
        ds = mul(mul(p, sub(load(ds_at), delta)), scale);
        ds = keep_n(ds, n - 16 * b, 0.0F);
      }
      store(p_at, p);
      store(ds_at, ds);
      store(c.ds_rows + (i * c.blocks + b) * 16, ds);
    }
  }
}

/// dq = ds K, a chain over positions.
void query_grads(const Run& run, const Chunk& c) {
  const Index T = 16 * run.blocks;
  const EvenParts parts = even_parts(c.count, kMaxRows);
  Tile t;
  t.a_step = 1;
  t.ldc = run.padded;
  t.last_columns = 16;
  t.finish = Finish::Write;
  for (Index part = 0; part < parts.parts; ++part) {
    const Index begin = part_start(parts, part);
    const Index end = part_start(parts, part + 1);
    for (Index i = begin; i < end; ++i)
      t.a[i - begin] = c.ds_rows + i * c.blocks * 16;
    t.depth = c.position[end - 1] + 1;
    const EvenParts panels = even_parts(run.padded / 16, kPanelsFor[end - begin]);
    for (Index j = 0; j < panels.parts; ++j) {
      const Index first = part_start(panels, j);
      const Index last = part_start(panels, j + 1);
      for (Index q = first; q < last; ++q) {
        t.b[q - first] = run.keys + q * T * 16;
        t.c[q - first] = c.dq_rows + begin * run.padded + 16 * q;
      }
      run_tile<false>(static_cast<int>(end - begin), static_cast<int>(last - first), t);
    }
  }
  for (Index i = 0; i < c.count; ++i)
    for_lanes(run.D, [&](Index d, Index n) {
      store_lanes(c.dq[i] + d, load(c.dq_rows + i * run.padded + d), n);
    });
}

/// First query of the chunk that attends to a block.
Index first_query(const Chunk& c, Index block) {
  Index i = 0;
  while (c.position[i] < 16 * block)
    ++i;
  return i;
}

/// dK += ds^T q in the [D][16] layout: rows are columns of q, panels are blocks.
void key_grads(const Run& run, const Chunk& c) {
  const EvenParts rows = even_parts(run.D, kMaxRows);
  const EvenParts panels = even_parts(c.blocks, kPanelsFor[largest_part(rows)]);
  Tile t;
  t.a_step = run.D;
  t.ldc = 16;
  t.last_columns = 16;
  t.finish = Finish::Continue;
  for (Index j = 0; j < panels.parts; ++j) {
    const Index first = part_start(panels, j);
    const Index last = part_start(panels, j + 1);
    const Index query = first_query(c, first);
    t.depth = c.count - query;
    for (Index b = first; b < last; ++b)
      t.b[b - first] = c.ds + (b * c.count + query) * 16;
    for (Index i = 0; i < rows.parts; ++i) {
      const Index d = part_start(rows, i);
      t.a[0] = c.q_rows + query * run.D + d;
      for (Index b = first; b < last; ++b)
        t.c[b - first] = run.head_of(run.p->dkv, b) + d * kKvBlock;
      run_tile<true>(static_cast<int>(part_start(rows, i + 1) - d), static_cast<int>(last - first),
                     t);
    }
  }
}

/// dV += p^T dout: rows are positions of a block, panels are columns of V.
void value_grads(const Run& run, const Chunk& c) {
  const EvenParts rows = even_parts(kKvBlock, kMaxRows);
  const EvenParts panels = even_parts(run.padded / 16, kPanelsFor[largest_part(rows)]);
  Tile t;
  t.a_step = 16;
  t.ldc = run.D;
  t.finish = Finish::Continue;
  for (Index b = 0; b < c.blocks; ++b) {
    const Index query = first_query(c, b);
    t.depth = c.count - query;
    float* dv = run.head_of(run.p->dkv, b) + run.D * kKvBlock;
    for (Index j = 0; j < panels.parts; ++j) {
      const Index first = part_start(panels, j);
      const Index last = part_start(panels, j + 1);
      t.last_columns = min_index(16, run.D - 16 * (last - 1));
      for (Index q = first; q < last; ++q)
        t.b[q - first] = c.dout_panels + (q * c.count + query) * 16;
      for (Index i = 0; i < rows.parts; ++i) {
        const Index lane = part_start(rows, i);
        t.a[0] = c.p + (b * c.count + query) * 16 + lane;
        for (Index q = first; q < last; ++q)
          t.c[q - first] = dv + lane * run.D + 16 * q;
        run_tile<true>(static_cast<int>(part_start(rows, i + 1) - lane),
                       static_cast<int>(last - first), t);
      }
    }
  }
}

void backward_run(Run& run) {
  run.last = run.p->rows.positions[run.end - 1];
  run.blocks = run.last / kKvBlock + 1;
  const Index keys = run.padded * 16 * run.blocks;
  run.keys = scratch(ScratchSlot::Blocks, 2 * keys);
  run.values = run.keys + keys;
  transpose_blocks(run);
  const EvenParts chunks = even_parts((run.end - run.begin) * run.group, kChunk);
  Chunk c;
  for (Index i = 0; i < chunks.parts; ++i) {
    const Index first = part_start(chunks, i);
    c.count = part_start(chunks, i + 1) - first;
    fill_chunk(run, first, c);
    grid_product(
        run, c, c.q, [&](Index b) { return run.head_of(run.p->kv, b); }, c.p);
    grid_product(
        run, c, c.dout, [&](Index b) { return run.values + b * run.D * 16; }, c.ds);
    differentiate(run, c);
    query_grads(run, c);
    key_grads(run, c);
    value_grads(run, c);
  }
}

/// End of the rows of one table in ascending positions; an earlier position starts another sequence.
Index run_end(const AttentionBackward& p, Index begin, Index end) {
  Index row = begin + 1;
  while (row < end && p.rows.tables[row] == p.rows.tables[begin] &&
         p.rows.positions[row] > p.rows.positions[row - 1])
    ++row;
  return row;
}

/// True when no two of the runs share a block: those that do share their first.
bool runs_apart(const AttentionBackward& p, const Index* starts, Index runs) {
  for (Index a = 0; a < runs; ++a)
    for (Index b = a + 1; b < runs; ++b)
      if (p.rows.tables[starts[a]][0] == p.rows.tables[starts[b]][0]) return false;
  return true;
}

/// Writes the first row of each unit of work and, after the last, the end; gives the number of units: runs
/// where a section's runs write to blocks of their own, else the section.
Index cut_units(const AttentionBackward& p, Index* starts) {
  Index units = 0;
  for (Index section = 0; section < p.num_sections; ++section) {
    const Index first = units;
    const Index end = p.section_starts[section + 1];
    for (Index row = p.section_starts[section]; row < end; row = run_end(p, row, end))
      starts[units++] = row;
    if (!runs_apart(p, starts + first, units - first)) units = first + 1;
  }
  starts[units] = p.section_starts[p.num_sections];
  return units;
}

}  // namespace

void attention_backward(const Exec& exec, const AttentionBackward& p) {
  if (p.num_sections == 0) return;
  // row numbers in float scratch
  auto* starts = reinterpret_cast<Index*>(scratch(ScratchSlot::Row, 2 * (p.rows.M + 1)));
  const Index units = cut_units(p, starts);
  run_ranges(exec, units * p.kv.Hk, 1, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      Run run;
      run.p = &p;
      run.kv_head = i % p.kv.Hk;
      run.group = p.H / p.kv.Hk;
      run.D = p.kv.D;
      run.padded = round_up(run.D, kPanel);
      run.width = (p.H + 2 * p.kv.Hk) * run.D;
      const Index end = starts[i / p.kv.Hk + 1];
      for (run.begin = starts[i / p.kv.Hk]; run.begin < end; run.begin = run.end) {
        run.end = run_end(p, run.begin, end);
        backward_run(run);
      }
    }
  });
}

}  // namespace aha::AHA_ISA
