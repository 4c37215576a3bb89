#pragma once
// F16 as sixteen floats: for machines without AVX2, and the oracle of the other two. fma is the C
// library's, correctly rounded with or without hardware for it.

namespace aha::AHA_ISA {

struct F16 {
  float x[16];
};
struct I16 {
  std::int32_t x[16];
};

template <class To, class Body>
AHA_INLINE To each_lane(const Body& body) {
  To out;
  for (int i = 0; i < 16; ++i)
    out.x[i] = body(i);
  return out;
}

AHA_INLINE F16 set1(float x) {
  return each_lane<F16>([&](int) { return x; });
}
AHA_INLINE F16 load(const float* p) {
  return each_lane<F16>([&](int i) { return p[i]; });
}
AHA_INLINE F16 load_n(const float* p, Index n, float fill) {
  return each_lane<F16>([&](int i) { return i < n ? p[i] : fill; });
}
AHA_INLINE void store(float* p, F16 a) {
  for (int i = 0; i < 16; ++i)
    p[i] = a.x[i];
}
AHA_INLINE void store_n(float* p, F16 a, Index n) {
  for (int i = 0; i < 16 && i < n; ++i)
    p[i] = a.x[i];
}
AHA_INLINE F16 keep_n(F16 a, Index n, float fill) {
  return each_lane<F16>([&](int i) { return i < n ? a.x[i] : fill; });
}
AHA_INLINE F16 add(F16 a, F16 b) {
  return each_lane<F16>([&](int i) { return a.x[i] + b.x[i]; });
}
AHA_INLINE F16 sub(F16 a, F16 b) {
  return each_lane<F16>([&](int i) { return a.x[i] - b.x[i]; });
}
AHA_INLINE F16 mul(F16 a, F16 b) {
  return each_lane<F16>([&](int i) { return a.x[i] * b.x[i]; });
}
AHA_INLINE F16 div(F16 a, F16 b) {
  return each_lane<F16>([&](int i) { return a.x[i] / b.x[i]; });
}
AHA_INLINE F16 sqrt(F16 a) {
  return each_lane<F16>([&](int i) { return __builtin_sqrtf(a.x[i]); });
}
// the second operand when either is NaN, as the x86 instructions do
AHA_INLINE F16 max(F16 a, F16 b) {
  return each_lane<F16>([&](int i) { return a.x[i] > b.x[i] ? a.x[i] : b.x[i]; });
}
AHA_INLINE F16 min(F16 a, F16 b) {
  return each_lane<F16>([&](int i) { return a.x[i] < b.x[i] ? a.x[i] : b.x[i]; });
}
AHA_INLINE F16 fma(F16 a, F16 b, F16 c) {
  return each_lane<F16>([&](int i) { return __builtin_fmaf(a.x[i], b.x[i], c.x[i]); });
}

AHA_INLINE I16 bits(F16 a) {
  I16 out;
  __builtin_memcpy(&out, &a, sizeof out);
  return out;
}
AHA_INLINE F16 from_bits(I16 a) {
  F16 out;
  __builtin_memcpy(&out, &a, sizeof out);
  return out;
}
AHA_INLINE F16 to_float(I16 a) {
  return each_lane<F16>([&](int i) { return static_cast<float>(a.x[i]); });
}
AHA_INLINE I16 iset1(std::int32_t x) {
  return each_lane<I16>([&](int) { return x; });
}
// integer lanes wrap, as registers do
AHA_INLINE std::int32_t wrap(std::uint32_t x) {
  return static_cast<std::int32_t>(x);
}
AHA_INLINE std::uint32_t unsign(std::int32_t x) {
  return static_cast<std::uint32_t>(x);
}
AHA_INLINE I16 iadd(I16 a, I16 b) {
  return each_lane<I16>([&](int i) { return wrap(unsign(a.x[i]) + unsign(b.x[i])); });
}
AHA_INLINE I16 isub(I16 a, I16 b) {
  return each_lane<I16>([&](int i) { return wrap(unsign(a.x[i]) - unsign(b.x[i])); });
}
template <int N>
AHA_INLINE I16 shift_left(I16 a) {
  return each_lane<I16>([&](int i) { return wrap(unsign(a.x[i]) << N); });
}
template <int N>
AHA_INLINE I16 shift_right(I16 a) {
  return each_lane<I16>([&](int i) { return a.x[i] >> N; });
}

AHA_INLINE I16 iand(I16 a, I16 b) {
  return each_lane<I16>([&](int i) { return a.x[i] & b.x[i]; });
}
AHA_INLINE F16 load_bits(const void* p) {
  F16 out;
  __builtin_memcpy(&out, p, sizeof out);
  return out;
}
AHA_INLINE I16 load_low(const std::uint16_t* p) {
  return each_lane<I16>([&](int i) { return std::int32_t{p[i]}; });
}
AHA_INLINE void store_low(std::uint16_t* p, I16 a) {
  for (int i = 0; i < 16; ++i)
    p[i] = static_cast<std::uint16_t>(a.x[i]);
}

AHA_INLINE float float_of(std::uint32_t x) {
  float out;
  __builtin_memcpy(&out, &x, sizeof out);
  return out;
}
AHA_INLINE std::uint32_t bits_of(float x) {
  std::uint32_t out;
  __builtin_memcpy(&out, &x, sizeof out);
  return out;
}
AHA_INLINE float widened(Half half) {
  const std::uint32_t magnitude = half.bits & 0x7fffU;
  const std::uint32_t sign = (half.bits & 0x8000U) << 16U;
  if (magnitude >= 0x7c00U) return float_of(sign | 0x7f800000U | magnitude << 13U);
  constexpr float kRebias = 5192296858534827628530496329220096.0F;  // 2^112, exact for subnormals
  return float_of(sign | bits_of(float_of(magnitude << 13U) * kRebias));
}
AHA_INLINE Half rounded(float x) {
  const std::uint32_t sign = bits_of(x) >> 16U & 0x8000U;
  const std::uint32_t magnitude = bits_of(x) & 0x7fffffffU;
  std::uint32_t half = 0;
  if (magnitude > 0x7f800000U)
    half = 0x7e00U;
  else if (magnitude >= 0x477ff000U)  // 65520, half a step above the largest
    half = 0x7c00U;
  else if (magnitude < 0x38800000U)  // below 2^-14 the steps are those of floats at one half
    half = bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F);
  else
    half = (magnitude - (112U << 23U) + 0xfffU + (magnitude >> 13U & 1U)) >> 13U;
  return {static_cast<std::uint16_t>(sign | half)};
}
AHA_INLINE F16 load(const Half* p) {
  return each_lane<F16>([&](int i) { return widened(p[i]); });
}
AHA_INLINE void store(Half* p, F16 a) {
  for (int i = 0; i < 16; ++i)
    p[i] = rounded(a.x[i]);
}

AHA_INLINE float hsum(F16 a) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      a.x[i] += a.x[i + half];
  return a.x[0];
}
AHA_INLINE float hmax(F16 a) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      a.x[i] = a.x[i] > a.x[i + half] ? a.x[i] : a.x[i + half];
  return a.x[0];
}
AHA_INLINE float lane0(F16 a) {
  return a.x[0];
}

/// Lane k of value i becomes lane i of value k.
AHA_INLINE void transpose(F16 (&r)[16]) {
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < i; ++k) {
      const float x = r[i].x[k];
      r[i].x[k] = r[k].x[i];
      r[k].x[i] = x;
    }
}

}  // namespace aha::AHA_ISA
