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

/// Four 32-bit words of Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011) with key = seed and counter = {position, sample, ordinal low, purpose | stage | ordinal
/// high}. Throws InternalError when a field is wider than it may be.
std::array<std::uint32_t, 4> philox(const RandomKey& key);

/// The bare bijection, for known-answer tests.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);

/// Uniform in (0, 1), 32 bits: (word + 0.5) * 2^-32 of the first word.
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
