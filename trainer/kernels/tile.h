#pragma once
// The register tile of every matrix product: C[rows, panels of 16] = A * B, each element one chain of
// fused multiply-adds over the depth.
#include "trainer/kernels/simd.h"

namespace aha::AHA_ISA {

#if defined(AHA_ISA_AVX512)
constexpr int kMaxRows = 8;
constexpr int kMaxPanels = 8;
/// Panels a tile of this many rows holds in registers, the loads of B and one broadcast beside them.
constexpr int kPanelsFor[kMaxRows + 1] = {0, 8, 6, 5, 4, 4, 4, 3, 3};
#elif defined(AHA_ISA_AVX2)
constexpr int kMaxRows = 6;
constexpr int kMaxPanels = 4;
constexpr int kPanelsFor[kMaxRows + 1] = {0, 4, 2, 2, 1, 1, 1};
#else
constexpr int kMaxRows = 4;
constexpr int kMaxPanels = 1;
constexpr int kPanelsFor[kMaxRows + 1] = {0, 1, 1, 1, 1};
#endif

enum class Finish {
  Write,     ///< C = chain from zero
  Add,       ///< C += chain from zero
  Continue,  ///< C = chain that starts from C
};

struct Tile {
  const float* a[kMaxRows];    ///< rows of A; only a[0] when the rows are neighbours in memory
  Index a_step;                ///< from one depth to the next, when rows are neighbours; else 1
  const float* b[kMaxPanels];  ///< panels [depth][16]
  float* c[kMaxPanels];        ///< first row of each panel of C
  Index ldc;
  Index depth;
  Index last_columns;  ///< columns of the last panel, 1 to 16
  Finish finish;
};

template <int MR, int NP>
AHA_INLINE F16 load_c(const Tile& t, int i, int j) {
  const float* c = t.c[j] + i * t.ldc;
  return j + 1 < NP ? load(c) : load_lanes(c, t.last_columns);
}

/// NeighbourRows: row i of A at depth k is a[0][k * a_step + i], else a[i][k].
template <int MR, int NP, bool NeighbourRows>
static void tile_body(const Tile& t) {
  F16 acc[MR][NP];
#pragma GCC unroll 8
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < NP; ++j)
      acc[i][j] = t.finish == Finish::Continue ? load_c<MR, NP>(t, i, j) : zero();

  const float* a[MR];
  const float* b[NP];
#pragma GCC unroll 8
  for (int i = 0; i < MR; ++i)
    a[i] = NeighbourRows ? t.a[0] + i : t.a[i];
#pragma GCC unroll 8
  for (int j = 0; j < NP; ++j)
    b[j] = t.b[j];
  const Index step = NeighbourRows ? t.a_step : 1;
  const Index depth = t.depth;
  for (Index k = 0; k < depth; ++k) {
    F16 right[NP];
#pragma GCC unroll 8
    for (int j = 0; j < NP; ++j)
      right[j] = load(b[j] + 16 * k);
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i) {
      const F16 left = set1(a[i][k * step]);
#pragma GCC unroll 8
      for (int j = 0; j < NP; ++j)
        acc[i][j] = fma(left, right[j], acc[i][j]);
    }
  }

#pragma GCC unroll 8
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < NP; ++j) {
      F16 value = acc[i][j];
      if (t.finish == Finish::Add) value = add(load_c<MR, NP>(t, i, j), value);
      float* c = t.c[j] + i * t.ldc;
      if (j + 1 < NP)
        store(c, value);
      else
        store_lanes(c, value, t.last_columns);
    }
}

template <bool NeighbourRows, int MR, int NP>
AHA_INLINE void run_tile_panels(int panels, const Tile& t) {
  if (panels == NP) return tile_body<MR, NP, NeighbourRows>(t);
  if constexpr (NP > 1) run_tile_panels<NeighbourRows, MR, NP - 1>(panels, t);
}

template <bool NeighbourRows, int MR>
AHA_INLINE void run_tile_rows(int rows, int panels, const Tile& t) {
  if (rows == MR) return run_tile_panels<NeighbourRows, MR, kPanelsFor[MR]>(panels, t);
  if constexpr (MR > 1) run_tile_rows<NeighbourRows, MR - 1>(rows, panels, t);
}

/// 1 <= rows <= kMaxRows, 1 <= panels <= kPanelsFor[rows].
template <bool NeighbourRows>
AHA_INLINE void run_tile(int rows, int panels, const Tile& t) {
  run_tile_rows<NeighbourRows, kMaxRows>(rows, panels, t);
}

/// [0, n) cut into the fewest parts of at most `most`, of nearly equal size.
struct EvenParts {
  Index n, parts;
};
AHA_INLINE EvenParts even_parts(Index n, Index most) {
  return {n, ceil_div(n, most)};
}
AHA_INLINE Index part_start(EvenParts e, Index part) {
  return e.n * part / e.parts;
}
AHA_INLINE int largest_part(EvenParts e) {
  return static_cast<int>(ceil_div(e.n, e.parts));
}

}  // namespace aha::AHA_ISA
