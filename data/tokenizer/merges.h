#pragma once
#include <cstdint>
#include <vector>

namespace aha {

/// The merges of a BPE model: pair of tokens -> rank and the token they make.
class Merges {
 public:
  struct Merge {
    std::uint32_t rank = 0;
    std::uint32_t made = 0;
  };

  /// Makes room for `count` pairs.
  explicit Merges(std::size_t count = 0);
  /// A pair that was there before gets the new rank.
  void add(std::uint32_t left, std::uint32_t right, Merge merge);
  const Merge* find(std::uint32_t left, std::uint32_t right) const;

  /// Merges the pair of lowest rank (the leftmost of equals) until there is none. O(n log n).
  void apply(std::vector<std::uint32_t>& tokens) const;

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    Merge merge;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  std::size_t slot_of(std::uint64_t pair) const;
  void apply_to_few(std::vector<std::uint32_t>& tokens) const;
  void apply_to_many(std::vector<std::uint32_t>& tokens) const;

  std::vector<Slot> slots_;  ///< a power of two, at most half full, linear probing
};

}  // namespace aha
