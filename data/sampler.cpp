#include "data/sampler.h"

#include "trainer/core/error.h"
#include "trainer/core/philox.h"

namespace aha {
namespace {

constexpr std::uint64_t kRounds = 8;

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options) {
  if (!options_.rows) return;
  check(*options_.rows >= 1, "a sampler has at least one row");
  check(*options_.rows < (std::int64_t{1} << 48), "a dataset has fewer than 2^48 rows");
  while ((std::uint64_t{1} << (2 * half_bits_)) < static_cast<std::uint64_t>(*options_.rows))
    ++half_bits_;
}

std::vector<Draw> Sampler::next(std::int64_t count) {
  std::vector<Draw> draws;
  for (std::int64_t i = 0; i < count; ++i, ++cursor_)
    draws.push_back({cursor_, row_of(cursor_)});
  return draws;
}

double Sampler::epoch() const {
  if (!options_.rows) return 0.0;
  return static_cast<double>(cursor_) / static_cast<double>(*options_.rows);
}

std::int64_t Sampler::row_of(std::uint64_t ordinal) const {
  if (!options_.rows) return static_cast<std::int64_t>(ordinal);
  const auto rows = static_cast<std::uint64_t>(*options_.rows);
  const auto index = ordinal % rows;
  return static_cast<std::int64_t>(options_.shuffle ? shuffled(ordinal / rows, index) : index);
}

std::uint64_t Sampler::shuffled(std::uint64_t epoch, std::uint64_t index) const {
  const auto rows = static_cast<std::uint64_t>(*options_.rows);
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  do {
    std::uint64_t left = index >> half_bits_;
    std::uint64_t right = index & mask;
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      const RandomKey key{.seed = options_.seed,
                          .purpose = Purpose::Shuffle,
                          .stage = options_.stage,
                          .ordinal = epoch,
                          .sample = round,
                          .position = right};
      const std::uint64_t mixed = left ^ (philox(key)[0] & mask);
      left = right;
      right = mixed;
    }
    index = left << half_bits_ | right;
  } while (index >= rows);
  return index;
}

}  // namespace aha
