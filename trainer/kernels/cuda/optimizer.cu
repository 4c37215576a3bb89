// AdamW, sums of squares, fixed-point sums, rounding: one pass over flat buffers.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/numbers.h"

namespace aha::cuda {
namespace {

struct AdamWScalars {
  float step, root2, decay, beta1, beta2, rest1, rest2, eps, scale;
};

template <class Element>
AHA_DEVICE void put_rounded(float x, float bound, Element* to, std::int32_t* too_large) {
  round_to(x, *to);
  if (!(fabsf(x) < bound)) *too_large = 1;
}

__global__ void adamw_elements(AdamW p, AdamWScalars s, float bound) {
  const Index i = element();
  if (i >= p.n) return;
  const float g = p.g[i] * s.scale;
  const float m = fmaf(s.rest1, g, s.beta1 * p.m[i]);
  const float v = fmaf(s.rest2 * g, g, s.beta2 * p.v[i]);
  const float denominator = sqrtf(v) / s.root2 + s.eps;
  p.m[i] = m;
  p.v[i] = v;
  const float value = fmaf(s.step, m / denominator, p.p[i] * s.decay);
  p.p[i] = value;
  if (p.rounded == nullptr) return;
  if (p.type == FloatType::BF16)
    put_rounded(value, bound, static_cast<Bf16*>(p.rounded) + i, p.too_large);
  else
    put_rounded(value, bound, static_cast<Half*>(p.rounded) + i, p.too_large);
}

/// Sixteen lanes a block of elements, as on a CPU: lane = index mod 16, each a chain.
__global__ void square_blocks(const float* x, Index n, double* sums) {
  const Index item = element();
  const Index first = item / 16 * kSquaresBlock;
  const Index end = first + kSquaresBlock < n ? first + kSquaresBlock : n;
  double sum = 0;
  for (Index i = first + item % 16; i < end; i += 16) {
    const double d = x[i];
    sum += d * d;
  }
  sum = lanes_sum<16>(sum);
  if (item % 16 == 0 && first < n) sums[item / 16] = sum;
}

constexpr double kFixedOne = 17592186044416.0;  // 2^44

/// False when the sum overflows; it then wraps.
AHA_DEVICE bool add_to(std::int64_t& acc, std::int64_t value) {
  const auto sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(acc) +
                                             static_cast<std::uint64_t>(value));
  const bool overflow = value >= 0 ? sum < acc : sum > acc;
  acc = sum;
  return !overflow;
}

/// As on a CPU: false for what is not finite or does not fit.
__global__ void add_fixed_elements(std::int64_t* acc, const float* x, Index n, int* bad) {
  const Index i = element();
  if (i >= n) return;
  const double scaled = static_cast<double>(x[i]) * kFixedOne;
  const bool fits = scaled > -9.2e18 && scaled < 9.2e18;
  const std::int64_t value = fits ? llrint(scaled) : 0;
  if (!add_to(acc[i], value) || !fits) *bad = 1;
}

__global__ void sum_fixed_elements(const std::int64_t* from, Index n, std::int64_t* to, int* bad) {
  const Index i = element();
  if (i < n && !add_to(to[i], from[i])) *bad = 1;
}

__global__ void fixed_within_elements(const std::int64_t* x, Index n, std::int64_t limit,
                                      int* bad) {
  const Index i = element();
  if (i < n && (x[i] > limit || x[i] < -limit)) *bad = 1;
}

__global__ void from_fixed_elements(const std::int64_t* acc, float* x, Index n) {
  const Index i = element();
  if (i < n) x[i] = static_cast<float>(static_cast<double>(acc[i]) * (1.0 / kFixedOne));
}

__global__ void add_stochastic_eights(StochasticSum p) {
  const Index eight = p.first / 8 + element();
  if (8 * eight < p.first + p.n) add_eight(p, eight);
}

template <class Element>
__global__ void narrow_elements(const float* x, Index n, float bound, Element* to, int* bad) {
  const Index i = element();
  if (i < n) put_rounded(x[i], bound, to + i, bad);
}

template <class Element>
__global__ void widen_elements(const Element* from, Index n, float* x) {
  const Index i = element();
  if (i < n) x[i] = widened(from[i]);
}

int* raised_flag() {
  auto* flag = scratch_of<int>(Scratch::Flag, 1);
  zero({}, flag, sizeof(int));
  return flag;
}

bool is_raised(const int* flag) {
  int value = 0;
  kMemory.download(flag, sizeof value, &value);
  return value != 0;
}

}  // namespace

void adamw(const Exec&, const AdamW& p) {
  const double t = static_cast<double>(p.t);
  const double correction1 = 1.0 - pow(p.beta1, t);
  const double correction2 = 1.0 - pow(p.beta2, t);
  const auto narrowed = [](double x) { return static_cast<float>(x); };
  const AdamWScalars s{narrowed(-p.lr / correction1),
                       narrowed(sqrt(correction2)),
                       narrowed(1.0 - p.lr * p.weight_decay),
                       narrowed(p.beta1),
                       narrowed(p.beta2),
                       narrowed(1.0 - p.beta1),
                       narrowed(1.0 - p.beta2),
                       narrowed(p.eps),
                       narrowed(p.grad_scale)};
  launch(over(p.n), adamw_elements, p, s, first_too_large(p.type));
}

void block_squares(const Exec&, const float* x, Index n, double* sums) {
  const Index blocks = ceil_div(n, kSquaresBlock);
  if (blocks == 0) return;
  auto* on_device = scratch_of<double>(Scratch::Partial, blocks);
  launch(over(16 * blocks), square_blocks, x, n, on_device);
  kMemory.download(on_device, blocks * static_cast<Index>(sizeof(double)), sums);
}

bool add_fixed(const Exec&, std::int64_t* acc, const float* x, Index n) {
  int* bad = raised_flag();
  launch(over(n), add_fixed_elements, acc, x, n, bad);
  return !is_raised(bad);
}

bool sum_fixed(const std::int64_t* from, Index n, std::int64_t* to) {
  int* bad = raised_flag();
  launch(over(n), sum_fixed_elements, from, n, to, bad);
  return !is_raised(bad);
}

bool fixed_within(const std::int64_t* x, Index n, std::int64_t limit) {
  int* bad = raised_flag();
  launch(over(n), fixed_within_elements, x, n, limit, bad);
  return !is_raised(bad);
}

void from_fixed(const Exec&, const std::int64_t* acc, float* x, Index n) {
  launch(over(n), from_fixed_elements, acc, x, n);
}

void add_stochastic(const Exec&, const StochasticSum& p) {
  if (p.n > 0) launch(over((p.first + p.n + 7) / 8 - p.first / 8), add_stochastic_eights, p);
}

bool narrow(const Exec&, const float* x, Index n, FloatType type, void* to) {
  int* bad = raised_flag();
  const float bound = first_too_large(type);
  if (type == FloatType::BF16)
    launch(over(n), narrow_elements<Bf16>, x, n, bound, static_cast<Bf16*>(to), bad);
  else
    launch(over(n), narrow_elements<Half>, x, n, bound, static_cast<Half*>(to), bad);
  return !is_raised(bad);
}

void widen(const Exec&, const void* from, FloatType type, Index n, float* x) {
  with_rows({from, nullptr, type}, [&](const auto* elements) {
    using Element = std::remove_cv_t<std::remove_pointer_t<decltype(elements)>>;
    launch(over(n), widen_elements<Element>, elements, n, x);
  });
}

}  // namespace aha::cuda
