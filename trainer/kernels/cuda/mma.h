#pragma once
// Products of small tiles on tensor cores (mma.sync, PTX ISA 9.7.14), numbers of bf16, sums in f32. A warp computes
// C [16, 8] += A [16, 16] B [16, 8]. With r = lane / 4 and q = 2 (lane mod 4) a lane holds
//   A  {(r, q..q+1), (r + 8, q..q+1), (r, q + 8..q + 9), (r + 8, q + 8..q + 9)}   two numbers a register, the first below
//   B  {(q..q+1, r), (q + 8..q + 9, r)}
//   C  {(r, q), (r, q + 1), (r + 8, q), (r + 8, q + 1)}
#include "trainer/kernels/cuda/numbers.h"

/// Of a loop over what a lane holds in registers.
#ifdef AHA_CUDA_ON_HOST
#define AHA_UNROLL
#else
#define AHA_UNROLL _Pragma("unroll")
#endif

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

/// Two numbers rounded to bf16 in a register, `low` in its lower half.
AHA_DEVICE std::uint32_t bf16_pair(float low, float high) {
  Bf16 a;
  Bf16 b;
  round_to(low, a);
  round_to(high, b);
  return a.bits | static_cast<std::uint32_t>(b.bits) << 16U;
}

#ifdef AHA_CUDA_ON_HOST
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
#else
AHA_DEVICE void mma(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

}  // namespace aha::cuda
