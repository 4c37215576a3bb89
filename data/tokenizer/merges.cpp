#include "data/tokenizer/merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kFew = 40;  // up to here shifting arrays is faster than a heap

std::uint64_t pair_of(std::uint32_t left, std::uint32_t right) {
  return std::uint64_t{left} << 32 | right;
}

/// A pair that may be merged: `left` at `at` with what follows it.
struct Candidate {
  std::uint32_t rank = 0;
  std::uint32_t at = 0;
  std::uint32_t made = 0;
};

/// For std heaps: the lowest rank, then the leftmost, is on top.
bool comes_later(const Candidate& a, const Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
}

}  // namespace

Merges::Merges(std::size_t count) : slots_(std::bit_ceil(std::max<std::size_t>(count, 4) * 2)) {}

std::size_t Merges::slot_of(std::uint64_t pair) const {
  const auto mask = slots_.size() - 1;
  auto slot = static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15U) >> 32) & mask;
  while (slots_[slot].pair != pair && slots_[slot].pair != kEmpty)
    slot = (slot + 1) & mask;
  return slot;
}

void Merges::add(std::uint32_t left, std::uint32_t right, Merge merge) {
  auto& slot = slots_[slot_of(pair_of(left, right))];
  slot.pair = pair_of(left, right);
  slot.merge = merge;
}

const Merges::Merge* Merges::find(std::uint32_t left, std::uint32_t right) const {
  const auto& slot = slots_[slot_of(pair_of(left, right))];
  return slot.pair == kEmpty ? nullptr : &slot.merge;
}

void Merges::apply(std::vector<std::uint32_t>& tokens) const {
  if (tokens.size() < 2) return;
  if (tokens.size() <= kFew)
    apply_to_few(tokens);
  else
    apply_to_many(tokens);
}

void Merges::apply_to_few(std::vector<std::uint32_t>& tokens) const {
  std::array<Merge, kFew> pairs{};  // of tokens i and i + 1
  const auto look_up = [&](std::size_t i) {
    const auto* merge = find(tokens[i], tokens[i + 1]);
    pairs[i] = merge == nullptr ? Merge{kNone, 0} : *merge;
  };
  auto size = tokens.size();
  for (std::size_t i = 0; i + 1 < size; ++i)
    look_up(i);
  while (size > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < size; ++i)
      if (pairs[i].rank < pairs[best].rank) best = i;
    if (pairs[best].rank == kNone) break;
    tokens[best] = pairs[best].made;
    for (auto i = best + 1; i + 1 < size; ++i) {
      tokens[i] = tokens[i + 1];
      pairs[i - 1] = pairs[i];
    }
    --size;
    if (best > 0) look_up(best - 1);
    if (best + 1 < size) look_up(best);
  }
  tokens.resize(size);
}

void Merges::apply_to_many(std::vector<std::uint32_t>& tokens) const {
  check(tokens.size() < kNone, "a word has less than 2^32 tokens");
  const auto size = static_cast<std::uint32_t>(tokens.size());
  std::vector<std::uint32_t> previous(size);
  std::vector<std::uint32_t> next(size);
  std::vector<Candidate> heap;
  heap.reserve(size);
  const auto look_up = [&](std::uint32_t at) {
    const auto* merge = find(tokens[at], tokens[next[at]]);
    if (merge == nullptr) return false;
    heap.push_back({merge->rank, at, merge->made});
    return true;
  };
  for (std::uint32_t i = 0; i < size; ++i) {
    previous[i] = i == 0 ? kNone : i - 1;
    next[i] = i + 1 == size ? kNone : i + 1;
    if (next[i] != kNone) look_up(i);
  }
  std::make_heap(heap.begin(), heap.end(), comes_later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    const auto top = heap.back();
    heap.pop_back();
    const auto right = next[top.at];
    if (tokens[top.at] == kNone || right == kNone) continue;
    const auto* merge = find(tokens[top.at], tokens[right]);
    if (merge == nullptr || merge->made != top.made) continue;  // the pair is no longer there
    tokens[top.at] = top.made;
    tokens[right] = kNone;
    next[top.at] = next[right];
    if (next[right] != kNone) previous[next[right]] = top.at;
    if (previous[top.at] != kNone && look_up(previous[top.at]))
      std::push_heap(heap.begin(), heap.end(), comes_later);
    if (next[top.at] != kNone && look_up(top.at))
      std::push_heap(heap.begin(), heap.end(), comes_later);
  }
  std::erase(tokens, kNone);
}

}  // namespace aha
