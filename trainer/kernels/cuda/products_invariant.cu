// Products whose elements do not depend on what else is computed with them: cuBLAS picks kernels and splits of the sum by
// all three sizes, so that a row's bits depend on how many rows are with it. Here the order of a sum is a function of
// its length alone, which makes decoding, prefill and training agree (He et al. 2025, "Defeating Nondeterminism in LLM
// Inference", on batch invariance). In bf16: chunks of kChunk on tensor cores, each from zero, added in their order,
// whichever kernel serves. In f32 and fp16: one chain of fused multiply-adds.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {
namespace {

bool invariant = false;

constexpr int kTile = 64;  ///< rows and columns of C that a block computes
constexpr int kStep = 32;  ///< of the sum, in shared memory at a time
constexpr Index kChunk = 256;
constexpr int kTileThreads = 128;
constexpr Index kStride = kStep + 8;  ///< 16 bytes more, for the banks
constexpr int kFewWarps = 8;
constexpr int kFewColumns = 32;
constexpr Index kEnoughTiles = 128;  ///< about the multiprocessors of a large GPU

/// A as rows of C, or B as its columns: `lines` of them, each of `length` numbers of the sum.
struct Lines {
  const Bf16* data;
  Index ld;
  Index lines, length;
  bool vectors;  ///< eight numbers from one whose place is a multiple of eight can be read as one
};

/// Eight of them from (line, at) on, along the sum (Along) or across lines; zeros past the ends.
template <bool Along>
AHA_DEVICE Eight eight_at(const Lines& x, Index line, Index at) {
  Eight eight{};
  const Bf16* from = x.data + (Along ? line * x.ld + at : at * x.ld + line);
  const Index left = Along ? x.length - at : x.lines - line;
  if (Along ? line >= x.lines : at >= x.length) return eight;
  if (x.vectors && left >= 8) return *reinterpret_cast<const Eight*>(from);
  AHA_UNROLL
  for (int i = 0; i < 8; ++i)
    if (i < left) eight.pair[i / 2] |= static_cast<std::uint32_t>(from[i].bits) << 16U * (i % 2);
  return eight;
}

/// A thread's part of kTile lines and kStep numbers of the sum, on its way from memory to shared memory.
template <bool Along>
struct Portion {
  static constexpr int kEights = kTile * kStep / 8 / kTileThreads;
  Eight part[kEights];

  // Along the sum neighbours read neighbouring eights. Across lines two of them read 32 bytes of one number of the sum, and
  // the others the next numbers, so that what they put lies in different banks.
  static AHA_DEVICE int line(int i) {
    const int n = thread() + i * kTileThreads;
    return Along ? n / (kStep / 8) : (n / (2 * kStep) * 2 + n % 2) * 8;
  }
  static AHA_DEVICE int at(int i) {
    const int n = thread() + i * kTileThreads;
    return Along ? n % (kStep / 8) * 8 : n / 2 % kStep;
  }
  AHA_DEVICE void fetch(const Lines& x, Index first_line, Index first) {
    AHA_UNROLL
    for (int i = 0; i < kEights; ++i)
      part[i] = eight_at<Along>(x, first_line + line(i), first + at(i));
  }
  /// to [kTile][kStride]
  AHA_DEVICE void put(Bf16* to) const {
    AHA_UNROLL
    for (int i = 0; i < kEights; ++i) {
      Bf16* place = to + line(i) * kStride + at(i);
      if (Along)
        put_eight(part[i], place);
      else
        scatter(part[i], place, kStride);
    }
  }
};

AHA_DEVICE void put(const Gemm& p, Index at, float sum) {
  if (p.c_type == FloatType::BF16) return round_to(sum, static_cast<Bf16*>(p.c)[at]);
  float& to = static_cast<float*>(p.c)[at];
  to = p.add ? to + sum : sum;
}

/// Puts the sums of a lane, C [16, 8] from (row, column) on.
AHA_DEVICE void store(const Gemm& p, Index row, Index column, const float (&c)[4]) {
  AHA_UNROLL
  for (int i = 0; i < 4; ++i) {
    const Index r = row + lane() / 4 + i / 2 * 8;
    const Index q = column + 2 * (lane() % 4) + i % 2;
    if (r >= p.m || q >= p.n) continue;
    put(p, q * p.ldc + r, c[i]);
  }
}

AHA_DEVICE void take_chunk(float (&sum)[4], float (&total)[4]) {
  AHA_UNROLL
  for (int i = 0; i < 4; ++i) {
    total[i] += sum[i];
    sum[i] = 0;
  }
}

/// 64 x 64 of C a block, 32 x 32 a warp.
template <bool AlongA, bool AlongB>
__global__ void product_tiles(Gemm p, Lines a, Lines b) {
  const Index row = block_x() * kTile;
  const Index column = block_y() * kTile;
  auto* left = shared_memory<Bf16>();
  Bf16* right = left + kTile * kStride;
  const Bf16* own_left = left + (warp() % 2 * 32 + lane() / 4) * kStride + 2 * (lane() % 4);
  const Bf16* own_right = right + (warp() / 2 * 32 + lane() / 4) * kStride + 2 * (lane() % 4);
  float sum[2][4][4] = {};
  float total[2][4][4] = {};
  Portion<AlongA> next_a;
  Portion<AlongB> next_b;
  next_a.fetch(a, row, 0);
  next_b.fetch(b, column, 0);
  for (Index at = 0; at < p.k; at += kStep) {
    __syncthreads();  // the step before is read
    next_a.put(left);
    next_b.put(right);
    __syncthreads();
    next_a.fetch(a, row, at + kStep);
    next_b.fetch(b, column, at + kStep);
    AHA_UNROLL
    for (int k = 0; k < kStep; k += 16) {
      std::uint32_t x[2][4];
      AHA_UNROLL
      for (int i = 0; i < 2; ++i)
        for (int part = 0; part < 4; ++part)
          x[i][part] = pair_at(own_left + (16 * i + part % 2 * 8) * kStride + k + part / 2 * 8);
      AHA_UNROLL
      for (int j = 0; j < 4; ++j) {
        const Bf16* y = own_right + 8 * j * kStride + k;
        AHA_UNROLL
        for (int i = 0; i < 2; ++i)
          mma(sum[i][j], x[i], {pair_at(y), pair_at(y + 8)});
      }
    }
    if ((at + kStep) % kChunk != 0 && at + kStep < p.k) continue;
    AHA_UNROLL
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 4; ++j)
        take_chunk(sum[i][j], total[i][j]);
  }
  AHA_UNROLL
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      store(p, row + warp() % 2 * 32 + 16 * i, column + warp() / 2 * 32 + 8 * j, total[i][j]);
}

/// A pair along the sum; zeros past the ends. Lines begin at even places.
AHA_DEVICE std::uint32_t pair_at_end(const Lines& x, Index line, Index at) {
  if (line >= x.lines || at >= x.length) return 0;
  const Bf16* from = x.data + line * x.ld + at;
  return at + 1 < x.length ? pair_at(from) : from->bits;
}

/// The same numbers where C is small, as in decoding: 16 x 32 a block, and each warp a chunk of the sum.
__global__ void product_of_few(Gemm p, Lines a, Lines b) {
  const Index row = block_x() * 16;
  const Index column = block_y() * kFewColumns;
  auto* chunks = shared_memory<float>();  // [warps][columns / 8][4][lanes]
  constexpr int kColumns = kFewColumns / 8;
  const int r = lane() / 4;
  const int q = 2 * (lane() % 4);
  float total[kColumns][4] = {};
  for (Index first = 0; first < p.k; first += kFewWarps * kChunk) {
    const Index begin = first + warp() * kChunk;
    const Index end = begin + kChunk < p.k ? begin + kChunk : p.k;
    float sum[kColumns][4] = {};
    for (Index k = begin; k < end; k += 16) {
      const std::uint32_t x[4] = {
          pair_at_end(a, row + r, k + q), pair_at_end(a, row + r + 8, k + q),
          pair_at_end(a, row + r, k + q + 8), pair_at_end(a, row + r + 8, k + q + 8)};
      AHA_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        const Index line = column + 8 * j + r;
        mma(sum[j], x, {pair_at_end(b, line, k + q), pair_at_end(b, line, k + q + 8)});
      }
    }
    __syncthreads();  // the chunks before are read
    AHA_UNROLL
    for (int j = 0; j < kColumns; ++j)
      for (int i = 0; i < 4; ++i)
        chunks[((warp() * kColumns + j) * 4 + i) * kWarp + lane()] = sum[j][i];
    __syncthreads();
    if (warp() != 0) continue;
    for (int w = 0; w < kFewWarps && first + w * kChunk < p.k; ++w) {
      AHA_UNROLL
      for (int j = 0; j < kColumns; ++j)
        for (int i = 0; i < 4; ++i)
          total[j][i] += chunks[((w * kColumns + j) * 4 + i) * kWarp + lane()];
    }
  }
  if (warp() != 0) return;
  AHA_UNROLL
  for (int j = 0; j < kColumns; ++j)
    store(p, row, column + 8 * j, total[j]);
}

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
      put(p, column * p.ldc + row, c[i][j]);
    }
}

Lines lines_of(const void* data, Index ld, Index lines, Index length) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
  return {static_cast<const Bf16*>(data), ld, lines, length, aligned && ld % 8 == 0};
}

/// Lines along the sum begin at multiples of two numbers.
bool has_pairs(const Lines& x) {
  return x.ld % 2 == 0 && reinterpret_cast<std::uintptr_t>(x.data) % 4 == 0;
}

void product_bf16(const Gemm& p) {
  const Lines a = lines_of(p.a, p.lda, p.m, p.k);
  const Lines b = lines_of(p.b, p.ldb, p.n, p.k);
  const Grid tiles{ceil_div(p.m, kTile), ceil_div(p.n, kTile), kTileThreads, 4 * kTile * kStride};
  if (!p.transpose_a)
    launch(tiles, p.transpose_b ? product_tiles<false, false> : product_tiles<false, true>, p, a,
           b);
  else if (p.transpose_b)
    launch(tiles, product_tiles<true, false>, p, a, b);
  else if (tiles.x * tiles.y >= kEnoughTiles || !has_pairs(a) || !has_pairs(b))
    launch(tiles, product_tiles<true, true>, p, a, b);
  else
    launch({ceil_div(p.m, 16), ceil_div(p.n, kFewColumns), kFewWarps * kWarp,
            4 * kFewWarps * kFewColumns / 8 * 4 * kWarp},
           product_of_few, p, a, b);
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
