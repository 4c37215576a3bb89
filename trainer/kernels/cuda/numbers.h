#pragma once
// Numbers of 16 bits, exp and log: the definitions of trainer/kernels/simd.h, so that equal inputs give
// equal bits on a CPU and on a GPU.
#include "trainer/kernels/cuda/gpu.h"

namespace aha::cuda {

struct Bf16 {
  std::uint16_t bits;
};
struct Half {
  std::uint16_t bits;
};

AHA_DEVICE float float_of(std::uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
AHA_DEVICE std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

AHA_DEVICE float widened(float x) {
  return x;
}
AHA_DEVICE float widened(Bf16 x) {
  return float_of(static_cast<std::uint32_t>(x.bits) << 16U);
}
AHA_DEVICE float widened(Half x) {
  const std::uint32_t magnitude = x.bits & 0x7fffU;
  const std::uint32_t sign = (x.bits & 0x8000U) << 16U;
  if (magnitude >= 0x7c00U) return float_of(sign | 0x7f800000U | magnitude << 13U);
  constexpr float kRebias = 5192296858534827628530496329220096.0F;  // 2^112, exact for subnormals
  return float_of(sign | bits_of(float_of(magnitude << 13U) * kRebias));
}

AHA_DEVICE void round_to(float x, float& to) {
  to = x;
}
/// To nearest, ties to even; NaN stays NaN, on the host when arithmetic made it.
AHA_DEVICE void round_to(float x, Bf16& to) {
#ifdef AHA_CUDA_ON_HOST
  const std::uint32_t bits = bits_of(x);
  to.bits = static_cast<std::uint16_t>((bits + (bits >> 16U & 1U) + 0x7fffU) >> 16U);
#else
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to.bits) : "f"(x));
#endif
}
AHA_DEVICE void round_to(float x, Half& to) {
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
  to.bits = static_cast<std::uint16_t>(sign | half);
}

AHA_DEVICE float power_of_two(std::int32_t n) {
  return float_of(static_cast<std::uint32_t>(n + 127) << 23U);
}

/// e^x as in simd.h in its parts: e^r times 2^n, n being whole and in the low bits of `rounded`.
struct ExpParts {
  float power;            ///< e^r
  std::uint32_t rounded;  ///< bits of kExpRound + n
};
constexpr float kExpRound = 12582912.0F;

AHA_DEVICE ExpParts exp_parts(float x) {
  const float t = fmaf(x, 1.44269504F, kExpRound);
  const float k = t - kExpRound;
  float r = fmaf(k, -0.693147182F, x);
  r = fmaf(k, 1.90465421e-9F, r);
  float p = 1.0F / 5040;
  p = fmaf(p, r, 1.0F / 720);
  p = fmaf(p, r, 1.0F / 120);
  p = fmaf(p, r, 1.0F / 24);
  p = fmaf(p, r, 1.0F / 6);
  p = fmaf(p, r, 0.5F);
  p = fmaf(p, r, 1.0F);
  p = fmaf(p, r, 1.0F);
  return {p, bits_of(t)};
}

/// e^x: at most 1.1 ulp off, 0 below -104, infinity above 88.73.
AHA_DEVICE float exp_of(float x) {
  x = -104.0F > x ? -104.0F : x;
  x = 89.0F < x ? 89.0F : x;
  const ExpParts e = exp_parts(x);
  const auto n = static_cast<std::int32_t>(e.rounded - bits_of(kExpRound));
  const std::int32_t half = n >> 1;
  return e.power * power_of_two(half) * power_of_two(n - half);
}

/// The same to the bit of x <= 0, in fewer steps: 2^n is 2^(n + 64), from n's bits where they are, times 2^-64.
AHA_DEVICE float exp_below_zero(float x) {
  x = -104.0F > x ? -104.0F : x;
  const ExpParts e = exp_parts(x);
  return e.power * float_of((e.rounded << 23U) + ((64U + 127U) << 23U)) * 0x1p-64F;
}

/// ln x of a positive normal number, as in simd.h.
AHA_DEVICE float log_of(float x) {
  const std::int32_t e = static_cast<std::int32_t>(bits_of(x) - 0x3f3504f3U) >> 23;
  const float m = float_of(bits_of(x) - (static_cast<std::uint32_t>(e) << 23U));
  const auto k = static_cast<float>(e);
  const float f = m - 1.0F;
  const float z = f * f;
  float p = 7.0376836292e-2F;
  p = fmaf(p, f, -1.1514610310e-1F);
  p = fmaf(p, f, 1.1676998740e-1F);
  p = fmaf(p, f, -1.2420140846e-1F);
  p = fmaf(p, f, 1.4249322787e-1F);
  p = fmaf(p, f, -1.6668057665e-1F);
  p = fmaf(p, f, 2.0000714765e-1F);
  p = fmaf(p, f, -2.4999993993e-1F);
  p = fmaf(p, f, 3.3333331174e-1F);
  float y = p * f * z;
  y = fmaf(k, -2.12194440e-4F, y);
  y = fmaf(z, -0.5F, y);
  y = fmaf(k, 0.693359375F, f + y);
  return fmaf(x, 0.0F, y);
}

AHA_DEVICE float sigmoid(float x) {
  return 1.0F / (1.0F + exp_of(-x));
}

/// Calls body(pointer to the elements of a weight), on the host.
template <class Body>
void with_rows(const Weight& w, const Body& body) {
  if (w.type == FloatType::F32) return body(static_cast<const float*>(w.rows));
  if (w.type == FloatType::BF16) return body(static_cast<const Bf16*>(w.rows));
  body(static_cast<const Half*>(w.rows));
}

/// The same of memory that is to have numbers of a type.
template <class Body>
void with_elements(FloatType type, void* to, const Body& body) {
  if (type == FloatType::F32) return body(static_cast<float*>(to));
  if (type == FloatType::BF16) return body(static_cast<Bf16*>(to));
  body(static_cast<Half*>(to));
}

}  // namespace aha::cuda
