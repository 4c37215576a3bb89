#pragma once
// F16 as two 256-bit registers. See simd.h for what each function promises.
#include <immintrin.h>

namespace aha::AHA_ISA {

struct F16 {
  __m256 lo, hi;
};
struct I16 {
  __m256i lo, hi;
};

AHA_INLINE __m256i lanes_below(Index n, int first) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n) - first), lane);
}

AHA_INLINE F16 set1(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
AHA_INLINE F16 load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
AHA_INLINE F16 keep_n(F16 a, Index n, float fill) {
  const __m256 f = _mm256_set1_ps(fill);
  return {_mm256_blendv_ps(f, a.lo, _mm256_castsi256_ps(lanes_below(n, 0))),
          _mm256_blendv_ps(f, a.hi, _mm256_castsi256_ps(lanes_below(n, 8)))};
}
AHA_INLINE F16 load_n(const float* p, Index n, float fill) {
  const F16 a{_mm256_maskload_ps(p, lanes_below(n, 0)),
              _mm256_maskload_ps(p + 8, lanes_below(n, 8))};
  return keep_n(a, n, fill);
}
AHA_INLINE void store(float* p, F16 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
AHA_INLINE void store_n(float* p, F16 a, Index n) {
  _mm256_maskstore_ps(p, lanes_below(n, 0), a.lo);
  _mm256_maskstore_ps(p + 8, lanes_below(n, 8), a.hi);
}
AHA_INLINE F16 add(F16 a, F16 b) {
  return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
AHA_INLINE F16 sub(F16 a, F16 b) {
  return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}
AHA_INLINE F16 mul(F16 a, F16 b) {
  return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
AHA_INLINE F16 div(F16 a, F16 b) {
  return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}
AHA_INLINE F16 sqrt(F16 a) {
  return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)};
}
AHA_INLINE F16 max(F16 a, F16 b) {
  return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
}
AHA_INLINE F16 min(F16 a, F16 b) {
  return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
}
AHA_INLINE F16 fma(F16 a, F16 b, F16 c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

AHA_INLINE I16 bits(F16 a) {
  return {_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)};
}
AHA_INLINE F16 from_bits(I16 a) {
  return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)};
}
AHA_INLINE F16 to_float(I16 a) {
  return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)};
}
AHA_INLINE I16 iset1(std::int32_t x) {
  return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
}
AHA_INLINE I16 iadd(I16 a, I16 b) {
  return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
}
AHA_INLINE I16 isub(I16 a, I16 b) {
  return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)};
}
AHA_INLINE I16 iand(I16 a, I16 b) {
  return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)};
}
AHA_INLINE F16 load_bits(const void* p) {
  return load(static_cast<const float*>(p));
}
AHA_INLINE __m128i load_128(const std::uint16_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
AHA_INLINE void store_128(std::uint16_t* p, __m128i a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a);
}
AHA_INLINE I16 load_low(const std::uint16_t* p) {
  return {_mm256_cvtepu16_epi32(load_128(p)), _mm256_cvtepu16_epi32(load_128(p + 8))};
}
AHA_INLINE void store_low(std::uint16_t* p, I16 a) {
  const __m256i low = _mm256_set1_epi32(0xffff);
  const __m256i both =
      _mm256_packus_epi32(_mm256_and_si256(a.lo, low), _mm256_and_si256(a.hi, low));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(both, 0xd8));
}
AHA_INLINE F16 load(const Half* p) {
  return {_mm256_cvtph_ps(load_128(&p->bits)), _mm256_cvtph_ps(load_128(&p->bits + 8))};
}
AHA_INLINE void store(Half* p, F16 a) {
  store_128(&p->bits, _mm256_cvtps_ph(a.lo, 0));
  store_128(&p->bits + 8, _mm256_cvtps_ph(a.hi, 0));
}
template <int N>
AHA_INLINE I16 shift_left(I16 a) {
  return {_mm256_slli_epi32(a.lo, N), _mm256_slli_epi32(a.hi, N)};
}
template <int N>
AHA_INLINE I16 shift_right(I16 a) {
  return {_mm256_srai_epi32(a.lo, N), _mm256_srai_epi32(a.hi, N)};
}

AHA_INLINE float hsum(F16 a) {
  const __m256 s8 = _mm256_add_ps(a.lo, a.hi);
  const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}
AHA_INLINE float hmax(F16 a) {
  const __m256 s8 = _mm256_max_ps(a.lo, a.hi);
  const __m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_max_ss(s2, _mm_movehdup_ps(s2)));
}
AHA_INLINE float lane0(F16 a) {
  return _mm256_cvtss_f32(a.lo);
}

AHA_INLINE void transpose8(__m256 (&r)[8]) {
  __m256 t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i)
    r[i] = t[i];
}

/// Lane k of value i becomes lane i of value k.
AHA_INLINE void transpose(F16 (&r)[16]) {
#pragma GCC unroll 2
  for (int left = 0; left < 16; left += 8) {  // lanes of the result: a half of it at a time
    __m256 lo[8];
    __m256 hi[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      lo[i] = r[left + i].lo;
      hi[i] = r[left + i].hi;
    }
    transpose8(lo);
    transpose8(hi);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      r[left + i].lo = lo[i];
      r[left + i].hi = hi[i];
    }
  }
  // now value left + k holds lanes [left, left + 8) of results k (lo) and 8 + k (hi)
#pragma GCC unroll 8
  for (int k = 0; k < 8; ++k) {
    const F16 upper = r[k];
    r[k] = {upper.lo, r[8 + k].lo};
    r[8 + k] = {upper.hi, r[8 + k].hi};
  }
}

}  // namespace aha::AHA_ISA
