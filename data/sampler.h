#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace aha {

/// One draw: its ordinal never repeats in a stage, whatever row it gives.
struct Draw {
  std::uint64_t ordinal = 0;
  std::int64_t row = 0;
};

struct SamplerOptions {
  std::optional<std::int64_t> rows;  ///< of the dataset; nothing: endless, row = ordinal
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< index of the stage in the job
  bool shuffle = true;      ///< false: rows in their order, epoch after epoch
};

/// Which rows a stage trains on, and in which order.
///
/// Draw i is of epoch e = i / rows; every epoch is a permutation of the rows. The permutation is a
/// Feistel network of eight rounds keyed by Philox(seed, Shuffle, stage, epoch, round), walked
/// along its cycle until it falls inside [0, rows) (Black and Rogaway, "Ciphers with arbitrary
/// finite domains", 2002): no order is stored, and the cursor is the whole state.
class Sampler {
 public:
  explicit Sampler(const SamplerOptions& options);

  /// The next `count` draws, in the order of their ordinals.
  std::vector<Draw> next(std::int64_t count);

  /// Ordinal of the next draw. Setting it resumes, or goes back.
  std::uint64_t cursor() const { return cursor_; }
  void set_cursor(std::uint64_t cursor) { cursor_ = cursor; }

  /// Epochs begun and finished before the next draw, as a fraction; 0 when endless.
  double epoch() const;

  /// The row of any draw.
  std::int64_t row_of(std::uint64_t ordinal) const;

 private:
  std::uint64_t shuffled(std::uint64_t epoch, std::uint64_t index) const;

  SamplerOptions options_;
  std::uint32_t half_bits_ = 1;  ///< the network permutes [0, 4^half_bits_)
  std::uint64_t cursor_ = 0;
};

}  // namespace aha
