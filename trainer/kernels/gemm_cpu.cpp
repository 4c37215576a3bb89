#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Asks for the lines of C that the next tile will write: a large C is in no cache, and stores that miss
/// one by one cost more than the product.
void fetch_c(const Product& p, Index row, Index row_end, Index panel, Index panel_end) {
  for (Index r = row; r < row_end; ++r)
    for (Index q = panel; q < panel_end; ++q)
      __builtin_prefetch(p.c + r * p.ldc + 16 * q, 1);
}

/// Rows [m0, m1) and panels [p0, p1) of a product: panels outside, so that they stay in the nearest
/// cache while the rows pass by.
void product_block(const Product& p, Index m0, Index m1, Index p0, Index p1) {
  const EvenParts rows = even_parts(m1 - m0, kMaxRows);
  const EvenParts panels = even_parts(p1 - p0, kPanelsFor[largest_part(rows)]);
  Tile t;
  t.a_step = 1;
  t.ldc = p.ldc;
  t.depth = p.K;
  t.finish = p.finish;
  for (Index j = 0; j < panels.parts; ++j) {
    const Index panel = p0 + part_start(panels, j);
    const Index panel_end = p0 + part_start(panels, j + 1);
    for (Index q = panel; q < panel_end; ++q)
      t.b[q - panel] = p.packed + q * 16 * p.K;
    t.last_columns = min_index(16, p.N - 16 * (panel_end - 1));
    for (Index i = 0; i < rows.parts; ++i) {
      const Index row = m0 + part_start(rows, i);
      const Index row_end = m0 + part_start(rows, i + 1);
      if (i + 1 < rows.parts) fetch_c(p, row_end, m0 + part_start(rows, i + 2), panel, panel_end);
      for (Index r = row; r < row_end; ++r)
        t.a[r - row] = p.a + r * p.lda;
      for (Index q = panel; q < panel_end; ++q)
        t.c[q - panel] = p.c + row * p.ldc + 16 * q;
      run_tile<false>(static_cast<int>(row_end - row), static_cast<int>(panel_end - panel), t);
    }
  }
}

/// Rows of A that stay in the second-level cache while all panels pass by.
Index rows_per_block(Index K) {
  return max_index(Index{2} * kMaxRows, min_index(256, 65536 / K) / kMaxRows * kMaxRows);
}

/// Depths of B that are packed at a time: all N columns of them fit the second-level cache.
Index depth_block(Index N) {
  return max_index(64, min_index(1024, 131072 / round_up(N, 16)));
}

/// Rows [0, depth) of b [depth, N] (ldb) as panels [ceil(N/16)][depth][16], zero past N.
template <class Element>
void pack_panels(const Element* b, Index ldb, Index depth, Index N, float* packed) {
  const Index panels = ceil_div(N, 16);
  for (Index k = 0; k < depth; ++k)
    for (Index j = 0; j < panels; ++j)
      store(packed + (j * depth + k) * 16,
            load_lanes(b + k * ldb + 16 * j, min_index(16, N - 16 * j)));
}

/// Rows of X and dY whose part of a weight gradient is summed in one go: they stay in the nearest caches
/// while all tiles of dW pass by.
Index dw_depth(Index K) {
  return max_index(128, min_index(512, 16384 / round_up(K, 16)));
}

/// Rows of X that are packed at a time, a multiple of dw_depth: about 8 MB.
Index dw_rows_packed(Index K) {
  const Index depth = dw_depth(K);
  return max_index(1, (1 << 21) / round_up(K, 16) / depth) * depth;
}

/// Rows [n0, n1) of dW += dY^T X over `depth` rows from m0. dY is read as it lies: a tile's columns of it
/// are neighbours in memory.
void dw_block(const LinearDw& p, Index n0, Index n1, Index m0, Index depth, const float* packed) {
  const int rows = static_cast<int>(n1 - n0);
  const EvenParts panels = even_parts(ceil_div(p.K, 16), kPanelsFor[rows]);
  Tile t;
  t.a[0] = p.dy + m0 * p.ldy + n0;
  t.a_step = p.ldy;
  t.ldc = p.K;
  t.depth = depth;
  t.finish = Finish::Continue;
  for (Index j = 0; j < panels.parts; ++j) {
    const Index panel = part_start(panels, j);
    const Index panel_end = part_start(panels, j + 1);
    for (Index q = panel; q < panel_end; ++q) {
      t.b[q - panel] = packed + q * 16 * depth;
      t.c[q - panel] = p.dw + n0 * p.K + 16 * q;
    }
    t.last_columns = min_index(16, p.K - 16 * (panel_end - 1));
    run_tile<true>(rows, static_cast<int>(panel_end - panel), t);
  }
}

}  // namespace

void product(const Exec& exec, const Product& p) {
  if (p.M <= 0 || p.N <= 0) return;
  const Index panels = ceil_div(p.N, 16);
  const Index threads = p.M * p.N * p.K < kAlone ? 1 : exec.threads();
  Index block = min_index(p.M, rows_per_block(p.K));
  Index splits = 1;  // of the panels
  if (threads > 1) {
    const Index wanted = 2 * threads;
    if (ceil_div(p.M, block) < wanted)
      block = max_index(kMaxRows, round_up(ceil_div(p.M, wanted), kMaxRows));
    block = min_index(p.M, block);
    splits = min_index(panels, ceil_div(wanted, ceil_div(p.M, block)));
  }
  const EvenParts blocks = even_parts(p.M, block);
  const auto body = [&](Index piece) {
    const Index i = piece / splits;
    const Index j = piece % splits;
    product_block(p, part_start(blocks, i), part_start(blocks, i + 1), panels * j / splits,
                  panels * (j + 1) / splits);
  };
  const Index pieces = blocks.parts * splits;
  if (threads > 1)
    run_pieces(exec, pieces, body);
  else
    for (Index piece = 0; piece < pieces; ++piece)
      body(piece);
}

void linear_dx(const Exec& exec, const LinearDx& p) {
  // W is packed a block of its rows at a time; the chains go on from block to block through dX
  const Index most = depth_block(p.K);
  float* packed = scratch(ScratchSlot::PackedB, min_index(most, p.N) * round_up(p.K, 16));
  for (Index n = 0; n < p.N; n += most) {
    const Index depth = min_index(most, p.N - n);
    with_rows(p.w, [&](const auto* w) {
      run_ranges(exec, ceil_div(p.K, 16), max_index(1, 8192 / depth), [&](Index begin, Index end) {
        pack_panels(w + n * p.K + 16 * begin, p.K, depth, min_index(p.K, 16 * end) - 16 * begin,
                    packed + begin * depth * 16);
      });
    });
    product(exec, {p.dy + n, p.ldy, packed, static_cast<float*>(p.dx), p.ldx, p.M, p.K, depth,
                   n == 0 && !p.accumulate ? Finish::Write : Finish::Continue});
  }
}

void linear_dw(const Exec& exec, const LinearDw& p) {
  const Index depth = dw_depth(p.K);
  const Index most = dw_rows_packed(p.K);
  const Index width = round_up(p.K, 16);
  float* packed = scratch(ScratchSlot::PackedB, min_index(most, p.M) * width);
  const EvenParts blocks = even_parts(p.N, kMaxRows);
  for (Index first = 0; first < p.M; first += most) {
    const Index rows = min_index(most, p.M - first);
    const Index chunks = ceil_div(rows, depth);
    const auto chunk_depth = [&](Index c) { return min_index(depth, rows - c * depth); };
    run_ranges(exec, chunks, max_index(1, 32768 / (depth * width)), [&](Index begin, Index end) {
      for (Index c = begin; c < end; ++c)
        pack_panels(p.x + (first + c * depth) * p.ldx, p.ldx, chunk_depth(c), p.K,
                    packed + c * depth * width);
    });
    const Index grain = max_index(1, kAlone / (kMaxRows * rows * p.K));
    run_ranges(exec, blocks.parts, grain, [&](Index begin, Index end) {
      for (Index c = 0; c < chunks; ++c)
        for (Index i = begin; i < end; ++i)
          dw_block(p, part_start(blocks, i), part_start(blocks, i + 1), first + c * depth,
                   chunk_depth(c), packed + c * depth * width);
    });
  }
}

}  // namespace aha::AHA_ISA
