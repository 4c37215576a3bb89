#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "trainer/kernels/ops.h"

namespace aha_test {

using aha::Index;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

inline std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Random numbers of one test. A fixed seed: a failure is found again.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  Floats normal(Index n, float scale = 1.0F) {
    std::normal_distribution<float> d(0.0F, scale);
    Floats out(at(n));
    for (auto& x : out)
      x = d(engine_);
    return out;
  }
  Index between(Index low, Index high) {
    return std::uniform_int_distribution<Index>(low, high)(engine_);
  }
  Ints ids(Index n, Index below) {
    Ints out(at(n));
    for (auto& x : out)
      x = between(0, below - 1);
    return out;
  }
  double uniform() { return std::uniform_real_distribution<double>(1e-9, 1.0)(engine_); }

 private:
  std::mt19937 engine_;
};

/// Memory that must be written before it is read.
inline Floats poison(Index n) {
  return Floats(at(n), std::numeric_limits<float>::quiet_NaN());
}

/// Every table that this machine runs.
inline std::vector<const aha::Ops*> tables() {
  std::vector<const aha::Ops*> out;
  for (const char* name : {"avx512", "avx2", "portable"})
    if (const auto* ops = aha::cpu_ops(name)) out.push_back(ops);
  return out;
}

/// max |a - b| / max |b|, at least `floor` below the line; infinite when a value is not finite.
inline double gap(const Floats& a, const std::vector<double>& b, double floor = 1e-30) {
  double difference = a.size() == b.size() ? 0.0 : std::numeric_limits<double>::infinity();
  double largest = floor;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - b[i]);
    difference =
        std::isfinite(d) ? std::max(difference, d) : std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference / largest;
}

constexpr double kTolerance = 1e-5;

inline bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline void append(Floats& to, const Floats& from) {
  to.insert(to.end(), from.begin(), from.end());
}

inline Floats packed(const aha::Ops& ops, const Floats& w, Index N, Index K) {
  Floats out = poison(aha::packed_size(N, K));
  ops.pack_linear({}, {w.data()}, N, K, out.data());
  return out;
}

}  // namespace aha_test
