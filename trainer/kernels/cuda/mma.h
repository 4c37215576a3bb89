#pragma once
// Products of small tiles on tensor cores (mma.sync, PTX ISA 9.7.14), numbers of bf16, sums in f32. A warp computes
// C [16, 8] += A [16, 16] B [16, 8]. With r = lane / 4 and q = 2 (lane mod 4) a lane holds
//   A  {(r, q..q+1), (r + 8, q..q+1), (r, q + 8..q + 9), (r + 8, q + 8..q + 9)}   two numbers a register, the first below
//   B  {(q..q+1, r), (q + 8..q + 9, r)}
//   C  {(r, q), (r, q + 1), (r + 8, q), (r + 8, q + 1)}
#include "trainer/kernels/cuda/numbers.h"

namespace aha::cuda {

/// Words that hold numbers of 16 bits: memcpy, which does not know their alignment, would be two loads.
using Pair [[gnu::may_alias]] = std::uint32_t;
struct __attribute__((may_alias, aligned(16))) Eight {
  std::uint32_t pair[4];
};

/// Two numbers at an even place of memory that begins at one.
AHA_DEVICE std::uint32_t pair_at(const Bf16* two) {
  return *reinterpret_cast<const Pair*>(two);
}

/// to[0], to[step], ... = the eight.
AHA_DEVICE void scatter(const Eight& x, Bf16* to, Index step) {
  AHA_UNROLL
  for (int i = 0; i < 8; ++i)
    to[i * step].bits = static_cast<std::uint16_t>(x.pair[i / 2] >> 16U * (i % 2));
}
/// to[0..8) = the eight; at a multiple of 16 bytes.
AHA_DEVICE void put_eight(const Eight& x, Bf16* to) {
  *reinterpret_cast<Eight*>(to) = x;
}

#ifdef AHA_CUDA_ON_HOST
/// Two numbers rounded to bf16 in a register, `low` in its lower half.
inline std::uint32_t bf16_pair(float low, float high) {
  Bf16 a;
  Bf16 b;
  round_to(low, a);
  round_to(high, b);
  return a.bits | static_cast<std::uint32_t>(b.bits) << 16U;
}

/// What every lane of the warp holds: the lanes' values stand one behind the other until the exchange after next.
inline void of_all_lanes(const std::uint32_t (&pair)[2], std::uint32_t (&all)[kWarp][2]) {
  memcpy(all, cuda_on_host::exchange(pair, sizeof pair, 0), sizeof all);
}

inline float half_of(std::uint32_t pair, int high) {
  return widened(Bf16{static_cast<std::uint16_t>(high != 0 ? pair >> 16U : pair)});
}

inline void mma(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  std::uint32_t low[kWarp][2];
  std::uint32_t high[kWarp][2];
  std::uint32_t right[kWarp][2];
  of_all_lanes({a[0], a[1]}, low);   // columns 0 to 7 of A
  of_all_lanes({a[2], a[3]}, high);  // columns 8 to 15
  of_all_lanes({b[0], b[1]}, right);
  for (int i = 0; i < 4; ++i) {
    const int row = lane() / 4;
    const int column = 2 * (lane() % 4) + i % 2;
    for (int k = 0; k < 16; ++k) {
      const auto& left = k < 8 ? low : high;
      c[i] += half_of(left[4 * row + k % 8 / 2][i / 2], k % 2) *
              half_of(right[4 * column + k % 8 / 2][k / 8], k % 2);
    }
  }
}

/// A matrix [8, 8] of which a lane has elements (lane / 4, q..q + 1): those of its transpose.
inline std::uint32_t transposed(std::uint32_t pair) {
  const std::uint32_t own[2] = {pair, 0};
  std::uint32_t all[kWarp][2];
  of_all_lanes(own, all);
  const int column = lane() / 4;
  const auto element = [&](int row) {
    return all[4 * row + column / 2][0] >> 16U * (column % 2) & 0xffffU;
  };
  const int row = 2 * (lane() % 4);
  return element(row) | element(row + 1) << 16U;
}

/// Four matrices [8, 8] of shared memory, of which lane i gives row i mod 8 of matrix i / 8: a lane gets elements
/// (lane / 4, q..q + 1) of each; Transposed: elements (q..q + 1, lane / 4).
template <bool Transposed>
void load_matrices(const Bf16* row, std::uint32_t (&to)[4]) {
  const Bf16* rows[kWarp];
  memcpy(rows, cuda_on_host::exchange(&row, sizeof row, 0), sizeof rows);
  const int r = lane() / 4;
  const int q = 2 * (lane() % 4);
  for (int i = 0; i < 4; ++i) {
    const Bf16* const* matrix = rows + 8 * i;
    const Bf16 low = Transposed ? matrix[q][r] : matrix[r][q];
    const Bf16 high = Transposed ? matrix[q + 1][r] : matrix[r][q + 1];
    to[i] = low.bits | static_cast<std::uint32_t>(high.bits) << 16U;
  }
}
#else
AHA_DEVICE std::uint32_t bf16_pair(float low, float high) {
  std::uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

AHA_DEVICE void mma(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

AHA_DEVICE std::uint32_t transposed(std::uint32_t pair) {
  std::uint32_t to;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(to) : "r"(pair));
  return to;
}

template <bool Transposed>
AHA_DEVICE void load_matrices(const Bf16* row, std::uint32_t (&to)[4]) {
  const auto at = static_cast<std::uint32_t>(__cvta_generic_to_shared(row));
  if constexpr (Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(at)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(at)
                 : "memory");
}
#endif

/// Two right operands that stand side by side.
using Rights = std::uint32_t[2][2];

/// The lane's row of the quarters of a tile [16, 16]: first those of the left half, or those of the upper half.
AHA_DEVICE const Bf16* left_first(const Bf16* tile, int stride) {
  return tile + lane() % 16 * stride + lane() / 16 * 8;
}
AHA_DEVICE const Bf16* upper_first(const Bf16* tile, int stride) {
  return tile + (lane() % 8 + lane() / 16 * 8) * stride + lane() / 8 % 2 * 8;
}

// Operands from a tile [16, 16] of shared memory, whose rows begin at multiples of 16 bytes: A [m, k] = tile [m, k] or
// tile [k, m]; B [k, n] = tile [n, k] or tile [k, n].
AHA_DEVICE void left_of_rows(const Bf16* tile, int stride, std::uint32_t (&a)[4]) {
  load_matrices<false>(left_first(tile, stride), a);
}
AHA_DEVICE void left_of_columns(const Bf16* tile, int stride, std::uint32_t (&a)[4]) {
  load_matrices<true>(upper_first(tile, stride), a);
}
AHA_DEVICE void right_of_rows(const Bf16* tile, int stride, Rights& b) {
  std::uint32_t x[4];
  load_matrices<false>(upper_first(tile, stride), x);
  for (int i = 0; i < 4; ++i)
    b[i / 2][i % 2] = x[i];
}
AHA_DEVICE void right_of_columns(const Bf16* tile, int stride, Rights& b) {
  std::uint32_t x[4];
  load_matrices<true>(left_first(tile, stride), x);
  for (int i = 0; i < 4; ++i)
    b[i / 2][i % 2] = x[i];
}

}  // namespace aha::cuda
