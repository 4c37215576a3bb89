#pragma once
#include <array>
#include <cstdint>

namespace aha {

/// What a random number is for. The value is part of every key: never renumber.
enum class Purpose : std::uint8_t {
  Init = 1,      ///< weights of a new model
  Shuffle = 2,   ///< order of a dataset's rows
  Task = 3,      ///< problems and traces of a task generator
  Rollout = 4,   ///< sampled tokens in training
  Eval = 5,      ///< sampled tokens in evaluation
  Generate = 6,  ///< sampled tokens of `aha generate`
  Round = 7,     ///< stochastic rounding of gradient sums
};

/// The address of a random number. There is no generator state: the same key is the same number, in
/// whatever order, thread, batch or rank it is asked for.
///
/// Widths: seed 64 bits, purpose 8, stage 8, ordinal 48, sample 32, position 32.
struct RandomKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::Init;
  std::uint32_t stage = 0;     ///< index of the stage in the job, < 2^8
  std::uint64_t ordinal = 0;   ///< draw ordinal of the data cursor (or row, parameter, ...), < 2^48
  std::uint64_t sample = 0;    ///< completion's index in its group, < 2^32
  std::uint64_t position = 0;  ///< token's position in the completion, < 2^32
};

/// InternalError when a field is wider than it may be.
void check_widths(const RandomKey& key);

/// The bare bijection of Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
/// A constant expression, like all that a draw needs of it: devices compile the same text.
constexpr std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> c,
                                                     std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += 0x9E3779B9U;
    k[1] += 0xBB67AE85U;
  }
  return c;
}

/// Four words with key = seed and counter = {position, sample, ordinal low, purpose | stage | ordinal high}, of a
/// key whose fields fit.
constexpr std::array<std::uint32_t, 4> philox_words(const RandomKey& key) {
  const auto purpose = static_cast<std::uint32_t>(key.purpose);
  return philox4x32_10(
      {static_cast<std::uint32_t>(key.position), static_cast<std::uint32_t>(key.sample),
       static_cast<std::uint32_t>(key.ordinal),
       (purpose << 24) | (key.stage << 16) | static_cast<std::uint32_t>(key.ordinal >> 32)},
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)});
}

/// In (0, 1): (word + 0.5) * 2^-32.
constexpr double open_unit(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * (1.0 / 4294967296.0);
}

/// The words of a key that is checked.
std::array<std::uint32_t, 4> philox(const RandomKey& key);

/// Uniform in (0, 1), 32 bits: open_unit of the first word.
double uniform(const RandomKey& key);

/// Standard normal by Box-Muller from the first two words (double arithmetic).
double normal(const RandomKey& key);

/// A stream of words under one key, `position` counting up: for generators that need an unknown
/// number of draws (rejection). Copyable; its whole state is the key and a counter.
class RandomStream {
 public:
  explicit RandomStream(RandomKey key) : key_(key) {}

  std::uint32_t next();
  double uniform();                        ///< in (0, 1)
  std::int64_t below(std::int64_t bound);  ///< unbiased in [0, bound), bound in [1, 2^32)
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }

 private:
  RandomKey key_;
  std::array<std::uint32_t, 4> words_{};
  int left_ = 0;
};

}  // namespace aha
