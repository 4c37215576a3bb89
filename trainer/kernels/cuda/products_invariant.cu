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
using Narrow = Shape<64, 64, 64, 32, 2, 4>;
using Few = Shape<32, 16, 32, 16, 8, 3>;  ///< few rows, as in decoding
constexpr Index kEnoughTiles = 128;       ///< about the multiprocessors of a large GPU

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

/// Puts two sums that are neighbours in a row.
AHA_DEVICE void put_two(const Result& c, int row, int column, float first, float second) {
  if (row >= c.rows || column >= c.columns) return;
  const bool both = column + 1 < c.columns;
  const Index at = row * c.ld + column;
  if (c.bf16) {
    auto* to = static_cast<Bf16*>(c.data) + at;
    const std::uint32_t pair = bf16_pair(first, second);
    if (both && c.pairs) {
      *reinterpret_cast<Pair*>(to) = pair;
      return;
    }
    to[0].bits = static_cast<std::uint16_t>(pair);
    if (both) to[1].bits = static_cast<std::uint16_t>(pair >> 16U);
    return;
  }
  struct __attribute__((may_alias, aligned(8))) Two {
    float x[2];
  };
  auto* to = static_cast<float*>(c.data) + at;
  if (both && c.pairs) {
    auto& two = *reinterpret_cast<Two*>(to);
    two = c.add ? Two{{two.x[0] + first, two.x[1] + second}} : Two{{first, second}};
    return;
  }
  put(first, c.add, to[0]);
  if (both) put(second, c.add, to[1]);
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
  using Left = LineTile<S::kRows, AlongLeft>;
  using Right = LineTile<S::kColumns, AlongRight>;
  constexpr int kRoundSteps = kChunk / kStep;
  constexpr int kRound = S::kGroups * kChunk;
  const int length = left.length;
  const Place place = place_of_block(static_cast<int>(ceil_div(c.rows, S::kRows)),
                                     static_cast<int>(ceil_div(c.columns, S::kColumns)));
  const int group = thread() / S::kGroupThreads;
  const int own_warp = thread() % S::kGroupThreads / kWarp;
  const int row = own_warp / (S::kColumns / S::kWarpColumns) * S::kWarpRows;
  const int column = own_warp % (S::kColumns / S::kWarpColumns) * S::kWarpColumns;
  auto* stages = shared_memory<Bf16>();
  auto* own = stages + group * S::kStages * S::kStageNumbers;
  const LineCopy<S::kRows, AlongLeft, S::kGroupThreads> copy_left(left, place.row * S::kRows);
  const LineCopy<S::kColumns, AlongRight, S::kGroupThreads> copy_right(right,
                                                                       place.column * S::kColumns);
  const int own_left = Left::own(row, true);
  const int own_right = Right::own(column, false);
  const int rest = length % kRound < kChunk ? length % kRound : kChunk;
  const int steps = length / kRound * kRoundSteps + static_cast<int>(ceil_div(rest, kStep));
  const auto load = [&](int step) {
    if (step < steps) {
      const int at = step / kRoundSteps * kRound + group * kChunk + step % kRoundSteps * kStep;
      Bf16* stage = own + step % S::kStages * S::kStageNumbers;
      copy_left.begin(at, stage);
      copy_right.begin(at, stage + Left::kNumbers);
    }
    end_copies();
  };
  for (int step = 0; step < S::kStages - 1; ++step)
    load(step);
  Sums<S> sums;
  sums.clear();
  Totals<S> totals(reinterpret_cast<float*>(stages + S::kAllStages));
  for (int step = 0; step < steps; ++step) {
    wait_for_copies_but<S::kStages - 2>();
    __syncthreads();  // and the stage before is used up
    load(step + S::kStages - 1);
    const Bf16* stage = own + step % S::kStages * S::kStageNumbers;
    sums.template add<Left, Right, AlongLeft, AlongRight>(stage, own_left, stage + Left::kNumbers,
                                                          own_right);
    if ((step + 1) % kRoundSteps != 0 && step + 1 < steps) continue;
    totals.take(sums, static_cast<int>(ceil_div(length - step / kRoundSteps * kRound, kChunk)));
    sums.clear();
  }
  totals.each([&](const float(&x)[4], int i, int j) {
    const int first = place.row * S::kRows + row + 16 * i + lane() / 4;
    const int second = place.column * S::kColumns + column + 8 * j + lane() % 4 * 2;
    put_two(c, first, second, x[0], x[1]);
    put_two(c, first + 8, second, x[2], x[3]);
  });
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

Lines lines_of(const void* data, Index ld, Index lines, Index length) {
  return {static_cast<const Bf16*>(data), ld, static_cast<int>(lines), static_cast<int>(length),
          is_at(data, 16) && ld % 8 == 0};
}

template <class S>
Index tiles_of(const Gemm& p) {
  return ceil_div(p.n, S::kRows) * ceil_div(p.m, S::kColumns);
}

template <class S, bool AlongLeft, bool AlongRight>
void start(const Gemm& p) {
  const bool bf16 = p.c_type == FloatType::BF16;
  static_assert(S::kBytes <= kSharedBytes);
  launch({tiles_of<S>(p), 1, S::kThreads, S::kBytes}, product_tiles<S, AlongLeft, AlongRight>,
         lines_of(p.b, p.ldb, p.n, p.k), lines_of(p.a, p.lda, p.m, p.k),
         Result{p.c, p.ldc, static_cast<int>(p.n), static_cast<int>(p.m), bf16, p.add,
                is_at(p.c, bf16 ? 4 : 8) && p.ldc % 2 == 0});
}

template <class S>
void start_along(const Gemm& p) {
  if (p.transpose_a) return p.transpose_b ? start<S, false, true>(p) : start<S, true, true>(p);
  p.transpose_b ? start<S, false, false>(p) : start<S, true, false>(p);
}

/// What is column-major is the transpose of a row-major C, whose left operand is B.
void product_bf16(const Gemm& p) {
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
