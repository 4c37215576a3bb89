#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Elements of a row of W that fill a 512-bit value.
template <class Element>
constexpr int kColumns = 16;
template <>
constexpr int kColumns<Bf16> = 32;

/// Sixteen elements as they are in memory, or of Bf16 sixteen pairs.
AHA_INLINE F16 load_raw(const float* p) {
  return load(p);
}
AHA_INLINE F16 load_raw(const Half* p) {
  return load(p);
}
AHA_INLINE F16 load_raw(const Bf16* p) {
  return load_bits(p);
}

/// Sixteen rows of W from `from`, columns [k, k + lanes), transposed: `column` finds them. Rows from
/// `count` on are zero.
template <class Element>
AHA_INLINE void load_columns(const Element* from, Index ld, int count, Index k, Index lanes,
                             F16 (&r)[16]) {
  constexpr int kAll = kColumns<Element>;
  // the next panel's lines: sixteen short streams are more than a hardware prefetcher follows
#pragma GCC unroll 16
  for (int c = 0; c < 16; ++c)
    __builtin_prefetch(from + (16 + c) * ld + k);
  if (count == 16 && lanes == kAll) {
#pragma GCC unroll 16
    for (int c = 0; c < 16; ++c)
      r[c] = load_raw(from + c * ld + k);
  } else {
    for (int c = 0; c < 16; ++c) {
      Element some[kAll] = {};
      if (c < count)
        __builtin_memcpy(some, from + c * ld + k, static_cast<std::size_t>(lanes) * sizeof *some);
      r[c] = load_raw(some);
    }
  }
  transpose(r);
}

template <class Element>
AHA_INLINE F16 column(const F16 (&r)[16], int i) {
  if constexpr (kColumns<Element> == 16) return r[i];
  const I16 pair = bits(r[i / 2]);
  constexpr auto kHigh = static_cast<std::int32_t>(0xffff0000U);
  return from_bits(i % 2 == 0 ? shift_left<16>(pair) : iand(pair, iset1(kHigh)));
}

/// Calls body(first column, columns) over a row.
template <class Element, class Body>
AHA_INLINE void for_columns(Index K, const Body& body) {
  constexpr Index kAll = kColumns<Element>;
  Index k = 0;
  for (; k + kAll <= K; k += kAll)
    body(k, kAll);
  if (k < K) body(k, K - k);
}

int rows_in_panel(Index N, Index panel) {
  return static_cast<int>(min_index(16, N - 16 * panel));
}

/// Panels [p0, p1) of W [N, K] (ld) as [p1 - p0][K][16]; columns past N are zero.
template <class Element>
void pack_panels_of(const Element* w, Index ld, Index N, Index K, Index p0, Index p1,
                    float* packed) {
  for (Index p = p0; p < p1; ++p) {
    float* to = packed + (p - p0) * 16 * K;
    for_columns<Element>(K, [&](Index k, Index lanes) {
      F16 r[16];
      load_columns(w + 16 * p * ld, ld, rows_in_panel(N, p), k, lanes, r);
      for (int i = 0; i < lanes; ++i)
        store(to + 16 * (k + i), column<Element>(r, i));
    });
  }
}

/// One panel of a product of few rows, W being transposed in registers and never stored.
template <int MR, class Element>
void panel_of_few_rows(const Product& p, const Element* w, Index panel) {
  constexpr int kAll = kColumns<Element>;
  const int columns = rows_in_panel(p.N, panel);
  float* c = p.c + 16 * panel;
  F16 acc[MR];
  for (int i = 0; i < MR; ++i)
    acc[i] = zero();
  for_columns<Element>(p.K, [&](Index k, Index lanes) {
    F16 r[16];
    load_columns(w + 16 * panel * p.K, p.K, columns, k, lanes, r);
    if (lanes == kAll) {
#pragma GCC unroll 32
      for (int j = 0; j < kAll; ++j) {
        const F16 right = column<Element>(r, j);
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i)
          acc[i] = fma(set1(p.a[i * p.lda + k + j]), right, acc[i]);
      }
    } else {
      for (int j = 0; j < lanes; ++j)
        for (int i = 0; i < MR; ++i)
          acc[i] = fma(set1(p.a[i * p.lda + k + j]), column<Element>(r, j), acc[i]);
    }
  });
  for (int i = 0; i < MR; ++i) {
    if (p.finish == Finish::Add) acc[i] = add(load_lanes(c + i * p.ldc, columns), acc[i]);
    store_lanes(c + i * p.ldc, acc[i], columns);
  }
}

template <int MR, class Element>
void panels_of_few_rows(const Product& p, const Element* w, Index begin, Index end) {
  if constexpr (MR > 1)
    if (p.M < MR) return panels_of_few_rows<MR - 1>(p, w, begin, end);
  for (Index j = begin; j < end; ++j)
    panel_of_few_rows<MR>(p, w, j);
}

/// Panels [begin, end) of a product, W being packed a few panels at a time.
template <class Element>
void panels_of_rows(const Product& p, const Element* w, Index begin, Index end) {
  constexpr Index kGroup = kPanelsFor[kMaxRows];
  float* packed = scratch(ScratchSlot::PackedB, kGroup * 16 * p.K);
  for (Index j = begin; j < end; j += kGroup) {
    const Index last = min_index(end, j + kGroup);
    pack_panels_of(w, p.K, p.N, p.K, j, last, packed);
    Product part = p;
    part.packed = packed;
    part.c = p.c + 16 * j;
    part.N = min_index(p.N - 16 * j, 16 * (last - j));
    product(Exec{}, part);
  }
}

/// Rows of a product for which A is packed in place of W.
#if defined(AHA_ISA_AVX512)
constexpr Index kLeastLanes = kMaxRows + 1;
constexpr Index kMostLanes = 64;
constexpr int kLanePanels = 3;  ///< of A, that a tile of them takes
#else
constexpr Index kLeastLanes = 10;
constexpr Index kMostLanes = 32;
constexpr int kLanePanels = 1;
#endif

/// Rows of W that a tile has beside NP panels of A, a part of a panel's sixteen.
template <int NP>
constexpr int kWeightRows = kLanePanels == 1 ? 4
                            : NP == 1        ? 16
                                             : 8;

/// Bytes of W between what a tile computes with and what it asks the second-level cache for.
constexpr Index kFetchAhead = 24576;

/// A tile of C^T = W A^T, whose elements are the chains of C: sixteen rows of A are the lanes, so that W is
/// read as it lies. c [kWeightRows][kMostLanes].
template <int NP, class Element>
void lane_tile(const Element* w, Index K, const float* packed, float* c) {
  constexpr int NR = kWeightRows<NP>;
  constexpr Index kStep = 32;
  F16 acc[NR][NP];
#pragma GCC unroll 16
  for (int n = 0; n < NR; ++n)
#pragma GCC unroll 4
    for (int j = 0; j < NP; ++j)
      acc[n][j] = zero();
  float wide[NR][kStep];
  for (Index k = 0; k < K; k += kStep) {
    const Index depth = min_index(kStep, K - k);
#pragma GCC unroll 16
    for (int n = 0; n < NR; ++n) {
      const Element* from = w + n * K + k;
      store(wide[n], load_lanes(from, min_index(16, depth)));
      if (depth > 16) store(wide[n] + 16, load_lanes(from + 16, depth - 16));
    }
    const float* a = packed + 16 * k;
    // as many bytes as a step of the chains takes: asked for in one go, they would fill the core's few
    // slots for lines on their way
    const char* ahead = reinterpret_cast<const char*>(w + k * NR) + kFetchAhead;
    for (Index i = 0; i < depth; ++i) {
      __builtin_prefetch(ahead + i * NR * static_cast<Index>(sizeof(Element)), 0, 2);
      F16 right[NP];
#pragma GCC unroll 4
      for (int j = 0; j < NP; ++j)
        right[j] = load(a + j * 16 * K + 16 * i);
#pragma GCC unroll 16
      for (int n = 0; n < NR; ++n) {
        const F16 left = set1(wide[n][i]);
#pragma GCC unroll 4
        for (int j = 0; j < NP; ++j)
          acc[n][j] = fma(left, right[j], acc[n][j]);
      }
    }
  }
#pragma GCC unroll 16
  for (int n = 0; n < NR; ++n)
#pragma GCC unroll 4
    for (int j = 0; j < NP; ++j)
      store(c + n * kMostLanes + 16 * j, acc[n][j]);
}

/// Sixteen rows of W times `panels` panels of A, 1 to NP.
template <int NP, class Element>
void lane_tiles(Index panels, const Element* w, Index K, const float* packed, float* c) {
  if constexpr (NP > 1)
    if (panels < NP) return lane_tiles<NP - 1>(panels, w, K, packed, c);
  for (Index n = 0; n < 16; n += kWeightRows<NP>)
    lane_tile<NP>(w + n * K, K, packed, c + n * kMostLanes);
}

/// A whole panel of a product, `packed` being A (as if it were a weight).
template <class Element>
void panel_of_lanes(const Product& p, const Element* w, Index panel) {
  float c[16 * kMostLanes];
  const Index panels = ceil_div(p.M, 16);
  const EvenParts parts = even_parts(panels, kLanePanels);
  for (Index i = 0; i < parts.parts; ++i) {
    const Index j = part_start(parts, i);
    lane_tiles<kLanePanels>(part_start(parts, i + 1) - j, w + 16 * panel * p.K, p.K,
                            p.packed + j * 16 * p.K, c + 16 * j);
  }
  for (Index m = 0; m < p.M; m += 16) {
    F16 r[16];
    for (int n = 0; n < 16; ++n)
      r[n] = load(c + n * kMostLanes + m);
    transpose(r);
    for (Index i = 0; i < min_index(16, p.M - m); ++i) {
      float* to = p.c + (m + i) * p.ldc + 16 * panel;
      store(to, p.finish == Finish::Add ? add(load(to), r[i]) : r[i]);
    }
  }
}

/// Panels [begin, end) of a product.
template <class Element>
void some_panels(const Product& p, const Element* w, Index begin, Index end) {
  if (p.M <= kMaxRows) return panels_of_few_rows<kMaxRows>(p, w, begin, end);
  if (p.M >= kLeastLanes && p.M <= kMostLanes)
    for (; begin < end && rows_in_panel(p.N, begin) == 16; ++begin)
      panel_of_lanes(p, w, begin);
  panels_of_rows(p, w, begin, end);
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
    if (part.M >= kLeastLanes && part.M <= kMostLanes) {
      const Index panels = ceil_div(part.M, 16);
      // not PackedB: a last, narrower panel packs W there while other threads still read A
      float* lanes = scratch(ScratchSlot::Lanes, panels * 16 * p.K);
      pack_panels_of(part.a, p.lda, part.M, p.K, 0, panels, lanes);
      part.packed = lanes;
    }
    // pieces are ranges of panels: W is read once, and the reading takes as long as some rows' products
    const Index grain = ceil_div(kAlone, 16 * max_index(kMaxRows, part.M) * p.K);
    with_rows(w, [&](const auto* rows) {
      run_ranges(exec, ceil_div(p.N, 16), grain,
                 [&](Index begin, Index end) { some_panels(part, rows, begin, end); });
    });
  }
}

void pack_linear(const Exec& exec, const Weight& w, Index N, Index K, float* packed) {
  with_rows(w, [&](const auto* rows) {
    run_ranges(exec, ceil_div(N, 16), max_index(1, 4096 / K), [&](Index begin, Index end) {
      pack_panels_of(rows, K, N, K, begin, end, packed + begin * 16 * K);
    });
  });
}

void linear(const Exec& exec, const Linear& p) {
  product(exec,
          {p.x, p.ldx, nullptr, static_cast<float*>(p.y), p.ldy, p.M, p.N, p.K,
           p.accumulate ? Finish::Add : Finish::Write},
          p.w);
}

}  // namespace aha::AHA_ISA
