#include "data/tokenizer/word_cache.h"

#include <cstring>

namespace aha {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kMostSlots = std::size_t{1} << 17;  // at most half of them are used

std::uint64_t word_hash(std::string_view word) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15U;
  std::uint64_t hash = word.size() * kPrime;
  while (!word.empty()) {
    std::uint64_t part = 0;
    const auto size = word.size() < 8 ? word.size() : 8;
    std::memcpy(&part, word.data(), size);
    hash = (hash ^ part) * kPrime;
    hash ^= hash >> 29;
    word.remove_prefix(size);
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace

WordCache::WordCache() : slots_(kFirstSlots) {}

std::size_t WordCache::slot_of(std::string_view word, std::uint64_t hash) const {
  const auto mask = slots_.size() - 1;
  for (auto slot = static_cast<std::size_t>(hash) & mask;; slot = (slot + 1) & mask) {
    const auto& entry = slots_[slot];
    if (entry.hash == 0) return slot;
    if (entry.hash == hash &&
        std::string_view(letters_).substr(entry.letters, entry.letter_count) == word)
      return slot;
  }
}

std::optional<std::span<const std::uint32_t>> WordCache::find(std::string_view word) const {
  const auto& slot = slots_[slot_of(word, word_hash(word))];
  if (slot.hash == 0) return std::nullopt;
  return std::span(ids_).subspan(slot.ids, slot.id_count);
}

void WordCache::insert(std::string_view word, std::span<const std::uint32_t> ids) {
  if (count_ * 2 >= slots_.size()) grow();
  const auto hash = word_hash(word);
  slots_[slot_of(word, hash)] = {
      hash, static_cast<std::uint32_t>(letters_.size()), static_cast<std::uint32_t>(ids_.size()),
      static_cast<std::uint32_t>(word.size()), static_cast<std::uint32_t>(ids.size())};
  letters_ += word;
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  ++count_;
}

void WordCache::grow() {
  if (slots_.size() >= kMostSlots) {
    *this = WordCache();
    return;
  }
  auto old = std::move(slots_);
  slots_.assign(old.size() * 2, Slot{});
  for (const auto& entry : old) {
    if (entry.hash == 0) continue;
    const auto word = std::string_view(letters_).substr(entry.letters, entry.letter_count);
    slots_[slot_of(word, entry.hash)] = entry;
  }
}

}  // namespace aha
