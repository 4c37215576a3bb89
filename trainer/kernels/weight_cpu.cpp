#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Sixteen rows of W from `from`, columns [k, k + lanes), transposed: value i is column k + i. Rows from
/// `count` on are zero.
AHA_INLINE void load_columns(const float* from, Index K, int count, Index k, Index lanes,
                             F16 (&r)[16]) {
  // the next panel's lines: sixteen short streams are more than a hardware prefetcher follows
#pragma GCC unroll 16
  for (int c = 0; c < 16; ++c)
    __builtin_prefetch(from + (16 + c) * K + k);
  if (count == 16 && lanes == 16) {
#pragma GCC unroll 16
    for (int c = 0; c < 16; ++c)
      r[c] = load(from + c * K + k);
  } else {
    for (int c = 0; c < 16; ++c)
      r[c] = c < count ? load_n(from + c * K + k, lanes, 0.0F) : zero();
  }
  transpose(r);
}

int rows_in_panel(Index N, Index panel) {
  return static_cast<int>(min_index(16, N - 16 * panel));
}

/// Panels [p0, p1) of W [N, K] as [p1 - p0][K][16]; columns past N are zero.
void pack_panels_of(const float* w, Index N, Index K, Index p0, Index p1, float* packed) {
  for (Index p = p0; p < p1; ++p) {
    float* to = packed + (p - p0) * 16 * K;
    for_lanes(K, [&](Index k, Index lanes) {
      F16 r[16];
      load_columns(w + 16 * p * K, K, rows_in_panel(N, p), k, lanes, r);
      for (int i = 0; i < lanes; ++i)
        store(to + 16 * (k + i), r[i]);
    });
  }
}

/// One panel of a product of few rows, W being transposed in registers and never stored.
template <int MR>
void panel_of_few_rows(const Product& p, const float* w, Index panel) {
  const int columns = rows_in_panel(p.N, panel);
  float* c = p.c + 16 * panel;
  F16 acc[MR];
  for (int i = 0; i < MR; ++i)
    acc[i] = p.finish == Finish::Continue ? load_lanes(c + i * p.ldc, columns) : zero();
  for_lanes(p.K, [&](Index k, Index lanes) {
    F16 r[16];
    load_columns(w + 16 * panel * p.K, p.K, columns, k, lanes, r);
    if (lanes == 16) {
#pragma GCC unroll 16
      for (int j = 0; j < 16; ++j)
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i)
          acc[i] = fma(set1(p.a[i * p.lda + k + j]), r[j], acc[i]);
    } else {
      for (int j = 0; j < lanes; ++j)
        for (int i = 0; i < MR; ++i)
          acc[i] = fma(set1(p.a[i * p.lda + k + j]), r[j], acc[i]);
    }
  });
  for (int i = 0; i < MR; ++i) {
    if (p.finish == Finish::Add) acc[i] = add(load_lanes(c + i * p.ldc, columns), acc[i]);
    store_lanes(c + i * p.ldc, acc[i], columns);
  }
}

template <int MR>
void panels_of_few_rows(const Product& p, const float* w, Index begin, Index end) {
  if constexpr (MR > 1)
    if (p.M < MR) return panels_of_few_rows<MR - 1>(p, w, begin, end);
  for (Index j = begin; j < end; ++j)
    panel_of_few_rows<MR>(p, w, j);
}

/// Panels [begin, end) of a product, W being packed a few panels at a time.
void panels_of_rows(const Product& p, const float* w, Index begin, Index end) {
  constexpr Index kGroup = kPanelsFor[kMaxRows];
  float* packed = scratch(ScratchSlot::PackedB, kGroup * 16 * p.K);
  for (Index j = begin; j < end; j += kGroup) {
    const Index last = min_index(end, j + kGroup);
    pack_panels_of(w, p.N, p.K, j, last, packed);
    Product part = p;
    part.packed = packed;
    part.c = p.c + 16 * j;
    part.N = min_index(p.N - 16 * j, 16 * (last - j));
    product(Exec{}, part);
  }
}

}  // namespace

void product(const Exec& exec, const Product& p, const Weight& w) {
  if (w.packed != nullptr) {
    Product packed = p;
    packed.packed = w.packed;
    return product(exec, packed);
  }
  // rows of A that stay in the caches while all panels pass by
  const Index most = max_index(64, min_index(1024, (1 << 19) / p.K));
  const EvenParts blocks = even_parts(p.M, most);
  for (Index i = 0; i < blocks.parts; ++i) {
    const Index row = part_start(blocks, i);
    Product part = p;
    part.a = p.a + row * p.lda;
    part.c = p.c + row * p.ldc;
    part.M = part_start(blocks, i + 1) - row;
    // pieces are ranges of panels: W is read once, and the reading takes as long as some rows' products
    run_ranges(exec, ceil_div(p.N, 16), ceil_div(kAlone, 16 * max_index(kMaxRows, part.M) * p.K),
               [&](Index begin, Index end) {
                 if (part.M <= kMaxRows)
                   panels_of_few_rows<kMaxRows>(part, w.rows, begin, end);
                 else
                   panels_of_rows(part, w.rows, begin, end);
               });
  }
}

void pack_linear(const Exec& exec, const float* w, Index N, Index K, float* packed) {
  run_ranges(exec, ceil_div(N, 16), max_index(1, 4096 / K), [&](Index begin, Index end) {
    pack_panels_of(w, N, K, begin, end, packed + begin * 16 * K);
  });
}

void linear(const Exec& exec, const Linear& p) {
  product(
      exec,
      {p.x, p.ldx, nullptr, p.y, p.ldy, p.M, p.N, p.K, p.accumulate ? Finish::Add : Finish::Write},
      p.w);
}

}  // namespace aha::AHA_ISA
