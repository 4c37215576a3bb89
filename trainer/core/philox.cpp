#include "trainer/core/philox.h"

#include <cmath>
#include <numbers>

#include "trainer/core/error.h"

namespace aha {

void check_widths(const RandomKey& key) {
  check(key.stage < (1U << 8), "a random key's stage fits 8 bits");
  check(key.ordinal < (std::uint64_t{1} << 48), "a random key's ordinal fits 48 bits");
  check(key.sample < (std::uint64_t{1} << 32), "a random key's sample index fits 32 bits");
  check(key.position < (std::uint64_t{1} << 32), "a random key's position fits 32 bits");
}

std::array<std::uint32_t, 4> philox(const RandomKey& key) {
  check_widths(key);
  return philox_words(key);
}

double uniform(const RandomKey& key) {
  return open_unit(philox(key)[0]);
}

double normal(const RandomKey& key) {
  const auto words = philox(key);
  const double radius = std::sqrt(-2.0 * std::log(open_unit(words[0])));
  return radius * std::cos(2.0 * std::numbers::pi * open_unit(words[1]));
}

std::uint32_t RandomStream::next() {
  if (left_ == 0) {
    words_ = philox(key_);
    ++key_.position;
    left_ = 4;
  }
  return words_[static_cast<std::size_t>(4 - left_--)];
}

double RandomStream::uniform() {
  return open_unit(next());
}

std::int64_t RandomStream::below(std::int64_t bound) {
  check(bound >= 1 && bound < (std::int64_t{1} << 32), "bound of a random draw is in [1, 2^32)");
  const auto n = static_cast<std::uint64_t>(bound);
  const std::uint64_t limit = (std::uint64_t{1} << 32) / n * n;  // words below it are unbiased
  std::uint64_t word = next();
  while (word >= limit)
    word = next();
  return static_cast<std::int64_t>(word % n);
}

}  // namespace aha
