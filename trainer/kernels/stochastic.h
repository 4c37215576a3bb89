#pragma once
// Sums in bf16 that are rounded up or down with the probability of what lies between, so that small terms are not lost
// (Croci et al. 2022, "Stochastic rounding: implementation, error analysis and applications", section 2).
#include <bit>

#include "trainer/core/parallel.h"
#include "trainer/core/philox.h"
#include "trainer/kernels/tasks.h"

namespace aha {

/// to [n] += from, each sum rounded to bf16. What rounds element number first + i depends on that number and the key alone, whose
/// position is not read: eight neighbours share its four words.
struct StochasticSum {
  const float* from;
  Index n;
  void* to;  ///< bf16
  RandomKey key;
  Index first;
};

/// The bits of an f32, rounded away from zero where the 16 lower ones and 16 `random` ones carry. What is not finite stays so.
constexpr std::uint16_t stochastic_bf16(std::uint32_t bits, std::uint32_t random) {
  if ((bits & 0x7f800000U) == 0x7f800000U)
    return static_cast<std::uint16_t>(bits >> 16U | ((bits & 0x7fffffU) != 0 ? 0x40U : 0U));
  return static_cast<std::uint16_t>((bits + random) >> 16U);
}

/// Adds those of the elements that have the words of number `eight`.
constexpr void add_eight(const StochasticSum& p, Index eight) {
  RandomKey key = p.key;
  key.position = static_cast<std::uint64_t>(eight);
  const auto words = philox_words(key);
  auto* to = static_cast<std::uint16_t*>(p.to);
  for (Index e = 0; e < 8; ++e) {
    const Index i = 8 * eight + e - p.first;
    if (i < 0 || i >= p.n) continue;
    const float sum = std::bit_cast<float>(std::uint32_t{to[i]} << 16U) + p.from[i];
    const std::uint32_t random = words[static_cast<std::size_t>(e / 2)] >> 16U * (e % 2) & 0xffffU;
    to[i] = stochastic_bf16(std::bit_cast<std::uint32_t>(sum), random);
  }
}

/// The CPU's, whatever its instructions.
void add_stochastic(const Exec& exec, const StochasticSum& p);

}  // namespace aha
