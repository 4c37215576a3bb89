#pragma once
// F16 as one 512-bit register. See simd.h for what each function promises.
#include <immintrin.h>

namespace aha::AHA_ISA {

struct F16 {
  __m512 v;
};
struct I16 {
  __m512i v;
};

AHA_INLINE __mmask16 first_lanes(Index n) {
  return static_cast<__mmask16>(n >= 16 ? 0xFFFFU : (1U << static_cast<unsigned>(n)) - 1U);
}

AHA_INLINE F16 set1(float x) {
  return {_mm512_set1_ps(x)};
}
AHA_INLINE F16 load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
AHA_INLINE F16 load_n(const float* p, Index n, float fill) {
  return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), first_lanes(n), p)};
}
AHA_INLINE void store(float* p, F16 a) {
  _mm512_storeu_ps(p, a.v);
}
AHA_INLINE void store_n(float* p, F16 a, Index n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), a.v);
}
AHA_INLINE F16 keep_n(F16 a, Index n, float fill) {
  return {_mm512_mask_mov_ps(_mm512_set1_ps(fill), first_lanes(n), a.v)};
}
AHA_INLINE F16 add(F16 a, F16 b) {
  return {_mm512_add_ps(a.v, b.v)};
}
AHA_INLINE F16 sub(F16 a, F16 b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
AHA_INLINE F16 mul(F16 a, F16 b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
AHA_INLINE F16 div(F16 a, F16 b) {
  return {_mm512_div_ps(a.v, b.v)};
}
AHA_INLINE F16 sqrt(F16 a) {
  return {_mm512_sqrt_ps(a.v)};
}
AHA_INLINE F16 max(F16 a, F16 b) {
  return {_mm512_max_ps(a.v, b.v)};
}
AHA_INLINE F16 min(F16 a, F16 b) {
  return {_mm512_min_ps(a.v, b.v)};
}
AHA_INLINE F16 fma(F16 a, F16 b, F16 c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}

AHA_INLINE I16 bits(F16 a) {
  return {_mm512_castps_si512(a.v)};
}
AHA_INLINE F16 from_bits(I16 a) {
  return {_mm512_castsi512_ps(a.v)};
}
AHA_INLINE F16 to_float(I16 a) {
  return {_mm512_cvtepi32_ps(a.v)};
}
AHA_INLINE I16 iset1(std::int32_t x) {
  return {_mm512_set1_epi32(x)};
}
AHA_INLINE I16 iadd(I16 a, I16 b) {
  return {_mm512_add_epi32(a.v, b.v)};
}
AHA_INLINE I16 isub(I16 a, I16 b) {
  return {_mm512_sub_epi32(a.v, b.v)};
}
AHA_INLINE I16 iand(I16 a, I16 b) {
  return {_mm512_and_si512(a.v, b.v)};
}
AHA_INLINE F16 load_bits(const void* p) {
  return {_mm512_loadu_ps(p)};
}
AHA_INLINE I16 load_low(const std::uint16_t* p) {
  return {_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
AHA_INLINE void store_low(std::uint16_t* p, I16 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(a.v));
}
AHA_INLINE F16 load(const Half* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
AHA_INLINE void store(Half* p, F16 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a.v, 0));
}
template <int N>
AHA_INLINE I16 shift_left(I16 a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
AHA_INLINE I16 shift_right(I16 a) {
  return {_mm512_srai_epi32(a.v, N)};
}

AHA_INLINE float hsum(F16 a) {
  const __m256 h = _mm512_extractf32x8_ps(a.v, 1);
  const __m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(a.v), h);
  const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}
AHA_INLINE float hmax(F16 a) {
  const __m256 h = _mm512_extractf32x8_ps(a.v, 1);
  const __m256 s8 = _mm256_max_ps(_mm512_castps512_ps256(a.v), h);
  const __m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_max_ss(s2, _mm_movehdup_ps(s2)));
}
AHA_INLINE float lane0(F16 a) {
  return _mm512_cvtss_f32(a.v);
}

/// Lane k of value i becomes lane i of value k.
AHA_INLINE void transpose(F16 (&r)[16]) {
  __m512 t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)  // r[i + c]: columns c, c + 4, c + 8, c + 12 of four rows
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const __m512d a = _mm512_castps_pd(t[i + h]);
      const __m512d b = _mm512_castps_pd(t[i + 2 + h]);
      r[i + 2 * h].v = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      r[i + 2 * h + 1].v = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_f32x4(r[c].v, r[4 + c].v, 0x88);
    t[4 + c] = _mm512_shuffle_f32x4(r[c].v, r[4 + c].v, 0xdd);
    t[8 + c] = _mm512_shuffle_f32x4(r[8 + c].v, r[12 + c].v, 0x88);
    t[12 + c] = _mm512_shuffle_f32x4(r[8 + c].v, r[12 + c].v, 0xdd);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    r[c].v = _mm512_shuffle_f32x4(t[c], t[8 + c], 0x88);
    r[4 + c].v = _mm512_shuffle_f32x4(t[4 + c], t[12 + c], 0x88);
    r[8 + c].v = _mm512_shuffle_f32x4(t[c], t[8 + c], 0xdd);
    r[12 + c].v = _mm512_shuffle_f32x4(t[4 + c], t[12 + c], 0xdd);
  }
}

}  // namespace aha::AHA_ISA
