// Products whose elements do not depend on what else is computed with them: cuBLAS picks kernels and splits of the sum by
// all three sizes, so that a row's bits depend on how many rows are with it. Here the order of a sum is a function of
// its length alone, which makes decoding, prefill and training agree (He et al. 2025, "Defeating Nondeterminism in LLM
// Inference", on batch invariance). In bf16: chunks of kChunk on tensor cores, each from zero, added in their order,
// whichever kernel serves. In f32 and fp16: one chain of fused multiply-adds.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/product_sums.h"

namespace aha::cuda {
namespace {

bool invariant = false;

constexpr int kChunk = 256;

using Wide = Shape<128, 128, 64, 32, 1, 4>;
using Narrow = Shape<64, 64, 64, 32, 3, 3>;
using Few = Shape<32, 16, 32, 16, 8, 3>;         ///< few rows, as in decoding
using Odd = Shape<64, 64, 64, 32, 3, 3, false>;  ///< operands that begin anywhere
constexpr Index kEnoughTiles = 128;              ///< about the multiprocessors of a large GPU

/// C [rows, columns], row-major.
struct Result {
  void* data;
  Index ld;
  int rows, columns;
  bool bf16, add;
  bool pairs;  ///< two numbers from an even column on can be written as one
};

AHA_DEVICE void put(float sum, bool add, float& to) {
  to = add ? to + sum : sum;
}

struct __attribute__((may_alias, aligned(8))) TwoSums {
  float x[2];
};

// two sums that are neighbours in a row, of which the second may be past its end
template <bool Pairs>
AHA_DEVICE void put_two(float a, float b, bool both, bool add, float* to) {
  if constexpr (Pairs) {
    auto& two = *reinterpret_cast<TwoSums*>(to);
    two = add ? TwoSums{{two.x[0] + a, two.x[1] + b}} : TwoSums{{a, b}};
  } else {
    put(a, add, to[0]);
    if (both) put(b, add, to[1]);
  }
}
template <bool Pairs>
AHA_DEVICE void put_two(float a, float b, bool both, bool, Bf16* to) {
  if constexpr (Pairs) {
    *reinterpret_cast<Pair*>(to) = bf16_pair(a, b);
  } else {
    round_to(a, to[0]);
    if (both) round_to(b, to[1]);
  }
}

/// Writes the lane's part of C, of which it has (row, column) first.
template <class Element, bool Pairs, class S>
AHA_DEVICE void put_all(const Result& c, const Totals<S>& totals, int row, int column) {
  if (!totals.has_all()) return;
  Element* own = static_cast<Element*>(c.data) + row * c.ld + column;
  const int columns = c.columns - column;
  AHA_UNROLL
  for (int i = 0; i < 2 * Sums<S>::kRows; ++i, own += 8 * c.ld) {
    if (row + 8 * i >= c.rows) return;
    AHA_UNROLL
    for (int j = 0; j < Sums<S>::kColumns; ++j)
      if (8 * j < columns)
        put_two<Pairs>(totals.at(i / 2, j, i % 2 * 2), totals.at(i / 2, j, i % 2 * 2 + 1),
                       8 * j + 1 < columns, c.add, own + 8 * j);
  }
}

/// The tile of this block: bands of eight rows of tiles, so that blocks that run together share lines.
struct Place {
  int row, column;
};
AHA_DEVICE Place place_of_block(int row_tiles, int column_tiles) {
  constexpr int kBand = 8;
  const int block = static_cast<int>(block_x());
  const int first = block / (kBand * column_tiles) * kBand;
  const int rows = row_tiles - first < kBand ? row_tiles - first : kBand;
  const int own = block - first * column_tiles;
  return {first + own % rows, own / rows};
}

/// C = left right, chunks of the sum in rounds of one a group.
template <class S, bool AlongLeft, bool AlongRight>
__global__ void AHA_BLOCKS(S::kThreads, S::kBlocks)
    product_tiles(Lines left, Lines right, Result c) {
  using Both = Operands<S, AlongLeft, AlongRight>;
  constexpr int kRoundSteps = kChunk / kStep;
  constexpr int kRound = S::kGroups * kChunk;
  const int length = left.length;
  const Place place = place_of_block(static_cast<int>(ceil_div(c.rows, S::kRows)),
                                     static_cast<int>(ceil_div(c.columns, S::kColumns)));
  const int first_row = place.row * S::kRows;
  const int first_column = place.column * S::kColumns;
  const int group = thread() / S::kGroupThreads;
  const int own_warp = thread() % S::kGroupThreads / kWarp;
  const int row = own_warp / (S::kColumns / S::kWarpColumns) * S::kWarpRows;
  const int column = own_warp % (S::kColumns / S::kWarpColumns) * S::kWarpColumns;
  auto* memory = shared_memory<Bf16>();
  const auto stage = [&](int step) {
    return memory + (group * S::kStages + step % S::kStages) * S::kStageNumbers;
  };
  const LineCopy<S::kRows, AlongLeft, S::kGroupThreads, S::kVectors> copy_left(left, first_row);
  const LineCopy<S::kColumns, AlongRight, S::kGroupThreads, S::kVectors> copy_right(right,
                                                                                    first_column);
  const int rest = length % kRound < kChunk ? length % kRound : kChunk;
  const int steps = length / kRound * kRoundSteps + static_cast<int>(ceil_div(rest, kStep));
  const auto copy = [&](int step) {
    if (step < steps) {
      const int at = step / kRoundSteps * kRound + group * kChunk + step % kRoundSteps * kStep;
      copy_left.begin(at, stage(step));
      copy_right.begin(at, stage(step) + Both::Left::kNumbers);
    }
    end_copies();
  };
  AHA_UNROLL
  for (int step = 0; step < S::kStages; ++step)
    copy(step);
  const int own_left = Both::Left::own(row, true);
  const int own_right = Both::Right::own(column, false);
  Sums<S> sums;
  sums.clear();
  Totals<S> totals(reinterpret_cast<float*>(memory + S::kAllStages));
  wait_for_copies_but<S::kStages - 1>();
  __syncthreads();
  Both first;
  Both second;
  first.load(stage(0), own_left, own_right, 0);
  for (int step = 0; step < steps;) {
    const int chunks = static_cast<int>(ceil_div(length - step / kRoundSteps * kRound, kChunk));
    const int end = step + kRoundSteps < steps ? step + kRoundSteps : steps;
    for (; step < end; ++step) {
      second.load(stage(step), own_left, own_right, 1);
      sums.add(first);
      wait_for_copies_but<S::kStages - 2>();
      __syncthreads();  // the next stage is there, and this one used up
      first.load(stage(step + 1), own_left, own_right, 0);  // behind the last step: of no use
      copy(step + S::kStages);
      sums.add(second);
    }
    totals.take(sums, chunks);
    sums.clear();
  }
  const int own_row = first_row + row + lane() / 4;
  const int own_column = first_column + column + lane() % 4 * 2;
  if (c.pairs && c.bf16)
    put_all<Bf16, true>(c, totals, own_row, own_column);
  else if (c.pairs)
    put_all<float, true>(c, totals, own_row, own_column);
  else if (c.bf16)
    put_all<Bf16, false>(c, totals, own_row, own_column);
  else
    put_all<float, false>(c, totals, own_row, own_column);
}

constexpr int kTile = 64;  ///< rows and columns of C that a block of the scalar product computes
constexpr int kSide = 16;  ///< threads along a tile of the scalar product, each with 4 x 4 of C

/// op(A) or op(B) at (line, at), zero past the ends.
template <class Element>
AHA_DEVICE float number_at(const Element* x, Index ld, bool along, Index line, Index at,
                           Index lines, Index length) {
  if (line >= lines || at >= length) return 0;
  return widened(x[along ? line * ld + at : at * ld + line]);
}

template <class Element>
__global__ void product_elements(Gemm p) {
  constexpr int kPlaces = kTile + 1;
  auto* left = shared_memory<float>();  // [kSide numbers of the sum][kTile lines]
  float* right = left + kSide * kPlaces;
  const int x = thread() % kSide;
  const int y = thread() / kSide;
  float c[4][4] = {};
  for (Index at = 0; at < p.k; at += kSide) {
    __syncthreads();
    for (int i = thread(); i < kSide * kTile; i += threads()) {
      const int k = i % kSide;
      const int line = i / kSide;
      left[k * kPlaces + line] = number_at(static_cast<const Element*>(p.a), p.lda, p.transpose_a,
                                           block_x() * kTile + line, at + k, p.m, p.k);
      right[k * kPlaces + line] = number_at(static_cast<const Element*>(p.b), p.ldb, !p.transpose_b,
                                            block_y() * kTile + line, at + k, p.n, p.k);
    }
    __syncthreads();
    for (int k = 0; k < kSide && at + k < p.k; ++k)
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
          c[i][j] =
              fmaf(left[k * kPlaces + x + kSide * i], right[k * kPlaces + y + kSide * j], c[i][j]);
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      const Index row = block_x() * kTile + x + kSide * i;
      const Index column = block_y() * kTile + y + kSide * j;
      if (row >= p.m || column >= p.n) continue;
      put(c[i][j], p.add, static_cast<float*>(p.c)[column * p.ldc + row]);
    }
}

bool is_at(const void* data, std::uintptr_t bytes) {
  return reinterpret_cast<std::uintptr_t>(data) % bytes == 0;
}

bool has_vectors(const void* data, Index ld) {
  return is_at(data, 16) && ld % 8 == 0;
}

Lines lines_of(const void* data, Index ld, Index lines, Index length) {
  return {static_cast<const Bf16*>(data), static_cast<int>(ld), static_cast<int>(lines),
          static_cast<int>(length)};
}

template <class S>
Index tiles_of(const Gemm& p) {
  return ceil_div(p.n, S::kRows) * ceil_div(p.m, S::kColumns);
}

/// What is column-major is the transpose of a row-major C, whose left operand is B.
template <class S, bool AlongLeft, bool AlongRight>
void start(const Gemm& p) {
  static_assert(S::kBytes <= kSharedBytes);
  const bool bf16 = p.c_type == FloatType::BF16;
  const bool pairs = is_at(p.c, bf16 ? 4 : 8) && p.ldc % 2 == 0 && p.m % 2 == 0;
  launch({tiles_of<S>(p), 1, S::kThreads, S::kBytes}, product_tiles<S, AlongLeft, AlongRight>,
         lines_of(p.b, p.ldb, p.n, p.k), lines_of(p.a, p.lda, p.m, p.k),
         Result{p.c, p.ldc, static_cast<int>(p.n), static_cast<int>(p.m), bf16, p.add, pairs});
}

template <class S>
void start_along(const Gemm& p) {
  if (p.transpose_a) return p.transpose_b ? start<S, false, true>(p) : start<S, true, true>(p);
  p.transpose_b ? start<S, false, false>(p) : start<S, true, false>(p);
}

void product_bf16(const Gemm& p) {
  if (!has_vectors(p.a, p.lda) || !has_vectors(p.b, p.ldb)) return start_along<Odd>(p);
  if (p.n <= Few::kRows && p.transpose_a && !p.transpose_b) return start<Few, true, true>(p);
  if (tiles_of<Wide>(p) >= kEnoughTiles) return start_along<Wide>(p);
  start_along<Narrow>(p);
}

}  // namespace

void set_invariant(bool on) {
  invariant = on;
}

bool is_invariant() {
  return invariant;
}

void product(const Gemm& p) {
  if (!invariant) return gemm(p);
  if (p.type == FloatType::BF16) return product_bf16(p);
  const Grid tiles{ceil_div(p.m, kTile), ceil_div(p.n, kTile), kSide * kSide,
                   4 * 2 * kSide * (kTile + 1)};
  if (p.type == FloatType::F32)
    launch(tiles, product_elements<float>, p);
  else
    launch(tiles, product_elements<Half>, p);
}

}  // namespace aha::cuda
