#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aha {

/// Words seen before and their ids. Forgets everything when it is full. For one thread.
class WordCache {
 public:
  static constexpr std::size_t kMaxWord = 64;  ///< bytes; longer words are not kept

  WordCache();
  /// Valid until the next `insert`.
  std::optional<std::span<const std::uint32_t>> find(std::string_view word) const;
  /// A word that is not there yet.
  void insert(std::string_view word, std::span<const std::uint32_t> ids);

 private:
  struct Slot {
    std::uint64_t hash = 0;  ///< 0: free
    std::uint32_t letters = 0;
    std::uint32_t ids = 0;
    std::uint32_t letter_count = 0;
    std::uint32_t id_count = 0;
  };
  /// The slot of `word`, or the free one where it would stand.
  std::size_t slot_of(std::string_view word, std::uint64_t hash) const;
  void grow();

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::string letters_;
  std::vector<std::uint32_t> ids_;
};

}  // namespace aha
