#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

constexpr Index kBlock = 4096;
/// Bytes that a thread copies or clears at least.
constexpr Index kCopyGrain = 1 << 17;

double block_squares(const float* x, Index n) {
  double lanes[16] = {};
  for_lanes(n, [&](Index i, Index count) {
    float v[16];
    store(v, load_lanes(x + i, count));
    for (int j = 0; j < 16; ++j) {
      const double d = static_cast<double>(v[j]);
      lanes[j] += d * d;
    }
  });
  for (int half = 8; half > 0; half /= 2)
    for (int j = 0; j < half; ++j)
      lanes[j] += lanes[j + half];
  return lanes[0];
}

constexpr double kFixedOne = 17592186044416.0;  // 2^44

bool add_fixed_range(std::int64_t* acc, const float* x, Index n) {
  bool good = true;
  for (Index i = 0; i < n; ++i) {
    const double scaled = static_cast<double>(x[i]) * kFixedOne;
    // false for NaN as well
    const bool fits = scaled > -9.2e18 && scaled < 9.2e18;
    // adding 1.5 * 2^52 rounds to nearest even; above 2^51 a float times 2^44 is an integer already
    const bool small = scaled > -2251799813685248.0 && scaled < 2251799813685248.0;
    const double rounded = small ? (scaled + 6755399441055744.0) - 6755399441055744.0 : scaled;
    const auto value = static_cast<std::int64_t>(fits ? rounded : 0.0);
    std::int64_t sum = 0;
    const bool overflow = __builtin_add_overflow(acc[i], value, &sum);
    acc[i] = sum;
    good = good && fits && !overflow;
  }
  return good;
}

/// False when a value is `bound` or more.
template <class Element>
bool narrow_range(const float* x, Index n, float bound, Element* to) {
  F16 largest = zero();
  for_lanes(n, [&](Index i, Index lanes) {
    const F16 value = load_lanes(x + i, lanes);
    largest = max(abs(value), largest);
    store_lanes(to + i, value, lanes);
  });
  return hmax(largest) < bound;
}

/// The same of elements from `first` on of `to`, which is of a type.
bool narrow_block(const float* x, Index n, FloatType type, void* to, Index first) {
  bool good = true;
  with_element(type, [&](auto element) {
    good = narrow_range(x, n, first_too_large(type), static_cast<decltype(element)*>(to) + first);
  });
  return good;
}

}  // namespace

void adamw(const Exec& exec, const AdamW& p) {
  // scalars in double, as torch computes them; then rounded once
  const double t = static_cast<double>(p.t);
  const double correction1 = 1.0 - __builtin_pow(p.beta1, t);
  const double correction2 = 1.0 - __builtin_pow(p.beta2, t);
  const F16 step = set1(static_cast<float>(-p.lr / correction1));
  const F16 root2 = set1(static_cast<float>(__builtin_sqrt(correction2)));
  const F16 decay = set1(static_cast<float>(1.0 - p.lr * p.weight_decay));
  const F16 beta1 = set1(static_cast<float>(p.beta1));
  const F16 beta2 = set1(static_cast<float>(p.beta2));
  const F16 rest1 = set1(static_cast<float>(1.0 - p.beta1));
  const F16 rest2 = set1(static_cast<float>(1.0 - p.beta2));
  const F16 eps = set1(static_cast<float>(p.eps));
  const F16 scale = set1(static_cast<float>(p.grad_scale));
  const auto update = [&](Index first, Index count) {
    for_lanes(count, [&](Index offset, Index n) {
      const Index i = first + offset;
      const F16 g = mul(load_lanes(p.g + i, n), scale);
      const F16 m = fma(rest1, g, mul(beta1, load_lanes(p.m + i, n)));
      const F16 v = fma(mul(rest2, g), g, mul(beta2, load_lanes(p.v + i, n)));
      const F16 denominator = add(div(sqrt(v), root2), eps);
      const F16 w = mul(load_lanes(p.p + i, n), decay);
      store_lanes(p.m + i, m, n);
      store_lanes(p.v + i, v, n);
      store_lanes(p.p + i, fma(step, div(m, denominator), w), n);
    });
  };
  run_ranges(exec, ceil_div(p.n, kBlock), 1, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      const Index first = b * kBlock;
      const Index count = min_index(kBlock, p.n - first);
      update(first, count);
      if (p.rounded == nullptr) continue;
      if (!narrow_block(p.p + first, count, p.type, p.rounded, first))
        __atomic_store_n(p.too_large, 1, __ATOMIC_RELAXED);
    }
  });
}

void block_squares(const Exec& exec, const float* x, Index n, double* sums) {
  run_ranges(exec, ceil_div(n, kSquaresBlock), 4, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b)
      sums[b] =
          block_squares(x + b * kSquaresBlock, min_index(kSquaresBlock, n - b * kSquaresBlock));
  });
}

void zero(const Exec& exec, void* to, Index bytes) {
  run_ranges(exec, bytes, kCopyGrain, [&](Index begin, Index end) {
    __builtin_memset(static_cast<char*>(to) + begin, 0, static_cast<std::size_t>(end - begin));
  });
}

void copy(const Exec& exec, const void* from, Index bytes, void* to) {
  run_ranges(exec, bytes, kCopyGrain, [&](Index begin, Index end) {
    __builtin_memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                     static_cast<std::size_t>(end - begin));
  });
}

bool add_fixed(const Exec& exec, std::int64_t* acc, const float* x, Index n) {
  int bad = 0;
  run_ranges(exec, n, 4 * kBlock, [&](Index begin, Index end) {
    if (!add_fixed_range(acc + begin, x + begin, end - begin))
      __atomic_store_n(&bad, 1, __ATOMIC_RELAXED);
  });
  return bad == 0;
}

void from_fixed(const Exec& exec, const std::int64_t* acc, float* x, Index n) {
  run_ranges(exec, n, 4 * kBlock, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      x[i] = static_cast<float>(static_cast<double>(acc[i]) / kFixedOne);
  });
}

bool narrow(const Exec& exec, const float* x, Index n, FloatType type, void* to) {
  int bad = 0;
  run_ranges(exec, n, 4 * kBlock, [&](Index begin, Index end) {
    if (!narrow_block(x + begin, end - begin, type, to, begin))
      __atomic_store_n(&bad, 1, __ATOMIC_RELAXED);
  });
  return bad == 0;
}

void widen(const Exec& exec, const void* from, FloatType type, Index n, float* x) {
  with_rows({from, nullptr, type}, [&](const auto* elements) {
    run_ranges(exec, n, 4 * kBlock, [&](Index begin, Index end) {
      for_lanes(end - begin, [&](Index i, Index lanes) {
        store_lanes(x + begin + i, load_lanes(elements + begin + i, lanes), lanes);
      });
    });
  });
}

}  // namespace aha::AHA_ISA
