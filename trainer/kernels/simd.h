#pragma once
// Sixteen floats as one value, in three bodies that give the same bits. The sources named *_cpu.cpp
// are compiled once per instruction set, into namespace aha::AHA_ISA (avx512, avx2 or portable).
//
// Rule for those sources and for the headers that only they include: every function is
// AHA_INLINE, static, or a member of the namespace AHA_ISA, and nothing of the standard library
// that has code is used. An inline function shared with other sources would be compiled with, say,
// AVX-512 in one of them, and the linker might keep that copy for all.
//
//   load_n, store_n, keep_n   the first n lanes (n may be above 16); load_n reads no other lane
//   load, load_n of Bf16 and Half widen; store, store_n round to nearest even
//   load_bits                 64 bytes of whatever type
//   store_low                 the low 16 bits of each lane
//   max, min                  the second operand when either is NaN
//   hsum, hmax                fixed tree: lanes i and i + 8, then i + 4, i + 2, i + 1
#include <cstdint>

#include "trainer/kernels/ops.h"
#include "trainer/kernels/scratch.h"

#define AHA_INLINE [[gnu::always_inline]] static inline

namespace aha {
/// Elements of a Weight of 16 bits.
struct Bf16 {
  std::uint16_t bits;
};
struct Half {
  std::uint16_t bits;
};
}  // namespace aha

#if defined(AHA_ISA_AVX512)
#define AHA_ISA avx512
#include "trainer/kernels/simd_avx512.h"
#elif defined(AHA_ISA_AVX2)
#define AHA_ISA avx2
#include "trainer/kernels/simd_avx2.h"
#else
#define AHA_ISA portable
#include "trainer/kernels/simd_portable.h"
#endif

namespace aha::AHA_ISA {

constexpr float kInfinity = __builtin_inff();

AHA_INLINE F16 zero() {
  return set1(0.0F);
}
AHA_INLINE F16 neg(F16 a) {
  return sub(set1(-0.0F), a);
}
AHA_INLINE Index min_index(Index a, Index b) {
  return a < b ? a : b;
}
AHA_INLINE Index max_index(Index a, Index b) {
  return a > b ? a : b;
}
AHA_INLINE Index ceil_div(Index a, Index b) {
  return (a + b - 1) / b;
}

/// 2^n for lanes in [-126, 127].
AHA_INLINE F16 power_of_two(I16 n) {
  return from_bits(shift_left<23>(iadd(n, iset1(127))));
}

/// e^x, at most 1.1 ulp off; 0 below -104, infinity above 88.73, NaN for NaN.
/// x = n ln 2 + r with |r| <= 0.35, the Taylor polynomial of degree 7 for e^r, then times 2^n in two
/// steps so that neither step leaves the exponent range.
AHA_INLINE F16 exp(F16 x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  x = min(set1(89.0F), max(set1(-104.0F), x));
  const F16 t = fma(x, set1(1.44269504F), set1(kRound));
  const I16 n = isub(bits(t), bits(set1(kRound)));
  const F16 k = sub(t, set1(kRound));
  F16 r = fma(k, set1(-0.693147182F), x);
  r = fma(k, set1(1.90465421e-9F), r);
  F16 p = set1(1.0F / 5040);
  p = fma(p, r, set1(1.0F / 720));
  p = fma(p, r, set1(1.0F / 120));
  p = fma(p, r, set1(1.0F / 24));
  p = fma(p, r, set1(1.0F / 6));
  p = fma(p, r, set1(0.5F));
  p = fma(p, r, set1(1.0F));
  p = fma(p, r, set1(1.0F));
  const I16 half = shift_right<1>(n);
  return mul(mul(p, power_of_two(half)), power_of_two(isub(n, half)));
}

/// ln x of a positive normal number, about 1 ulp off; NaN for NaN and infinity. x = m 2^e with m in [sqrt 1/2, sqrt 2); the
/// polynomial is Cephes' logf.
AHA_INLINE F16 log(F16 x) {
  const I16 e = shift_right<23>(isub(bits(x), iset1(0x3f3504f3)));
  const F16 m = from_bits(isub(bits(x), shift_left<23>(e)));
  const F16 k = to_float(e);
  const F16 f = sub(m, set1(1.0F));
  const F16 z = mul(f, f);
  F16 p = set1(7.0376836292e-2F);
  p = fma(p, f, set1(-1.1514610310e-1F));
  p = fma(p, f, set1(1.1676998740e-1F));
  p = fma(p, f, set1(-1.2420140846e-1F));
  p = fma(p, f, set1(1.4249322787e-1F));
  p = fma(p, f, set1(-1.6668057665e-1F));
  p = fma(p, f, set1(2.0000714765e-1F));
  p = fma(p, f, set1(-2.4999993993e-1F));
  p = fma(p, f, set1(3.3333331174e-1F));
  F16 y = mul(mul(p, f), z);
  y = fma(k, set1(-2.12194440e-4F), y);
  y = fma(z, set1(-0.5F), y);
  y = fma(k, set1(0.693359375F), add(f, y));
  return fma(x, zero(), y);
}

AHA_INLINE float log(float x) {
  return lane0(log(set1(x)));
}

/// Calls body(lane offset, lanes) over [0, n) in steps of 16.
template <class Body>
AHA_INLINE void for_lanes(Index n, const Body& body) {
  Index i = 0;
  for (; i + 16 <= n; i += 16)
    body(i, Index{16});
  if (i < n) body(i, n - i);
}

AHA_INLINE F16 abs(F16 a) {
  return from_bits(iand(bits(a), iset1(0x7fffffff)));
}

AHA_INLINE F16 load(const Bf16* p) {
  return from_bits(shift_left<16>(load_low(&p->bits)));
}
/// NaN stays NaN when arithmetic made it.
AHA_INLINE void store(Bf16* p, F16 a) {
  const I16 odd = iand(shift_right<16>(bits(a)), iset1(1));
  store_low(&p->bits, shift_right<16>(iadd(bits(a), iadd(odd, iset1(0x7fff)))));
}
/// The first n lanes of 16 bits each.
template <class Element>
AHA_INLINE F16 load_n(const Element* p, Index n, float fill) {
  Element lanes[16] = {};
  __builtin_memcpy(lanes, p, static_cast<std::size_t>(min_index(n, 16)) * sizeof(Element));
  return keep_n(load(lanes), n, fill);
}
template <class Element>
AHA_INLINE void store_n(Element* p, F16 a, Index n) {
  Element lanes[16];
  store(lanes, a);
  __builtin_memcpy(p, lanes, static_cast<std::size_t>(min_index(n, 16)) * sizeof(Element));
}

/// Calls body(an element of the type).
template <class Body>
AHA_INLINE void with_element(FloatType type, const Body& body) {
  if (type == FloatType::F32) return body(float{});
  if (type == FloatType::BF16) return body(Bf16{});
  body(Half{});
}
/// Calls body(pointer to the weight's elements).
template <class Body>
AHA_INLINE void with_rows(const Weight& w, const Body& body) {
  with_element(w.type, [&](auto element) { body(static_cast<const decltype(element)*>(w.rows)); });
}

template <class Element>
AHA_INLINE F16 load_lanes(const Element* p, Index n) {
  return n == 16 ? load(p) : load_n(p, n, 0.0F);
}
template <class Element>
AHA_INLINE void store_lanes(Element* p, F16 a, Index n) {
  if (n == 16)
    store(p, a);
  else
    store_n(p, a, n);
}

template <class Body>
static void call_piece(void* body, Index piece) {
  (*static_cast<const Body*>(body))(piece);
}

/// body(piece) for [0, pieces) on the team.
template <class Body>
AHA_INLINE void run_pieces(const Exec& exec, Index pieces, const Body& body) {
  if (pieces == 1) return body(Index{0});
  exec.run(pieces, &call_piece<Body>, const_cast<Body*>(&body));
}

/// body(begin, end) over ranges that cut [0, n) into pieces of at least `grain`; few per thread.
template <class Body>
AHA_INLINE void run_ranges(const Exec& exec, Index n, Index grain, const Body& body) {
  if (n <= 0) return;
  const Index threads = exec.threads();
  const Index most = threads == 1 ? 1 : 4 * threads;
  const Index pieces = max_index(1, min_index(most, n / max_index(1, grain)));
  run_pieces(exec, pieces,
             [&](Index piece) { body(n * piece / pieces, n * (piece + 1) / pieces); });
}

}  // namespace aha::AHA_ISA
