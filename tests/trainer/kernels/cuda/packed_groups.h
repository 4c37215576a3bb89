#pragma once
#include <utility>
#include <vector>

#include "tests/trainer/kernels/cuda/gpu.h"

namespace aha_test {

struct Shape {
  Index H, Hk, D;
};

/// Groups packed as for training: a prompt's rows, then those of its
/// completions, which share its full blocks and have a copy of the last one.
/// Blocks lie in any order.
struct Packed {
  Packed(Random& random, const Shape& shape, const std::vector<std::pair<Index, Ints>>& groups)
      : s(shape) {
    Index blocks = 0;
    for (const auto& [prompt, completions] : groups) {
      blocks += prompt / 16 + 1;
      for (const auto length : completions)
        blocks += length / 16 + 2;
    }
    for (Index b = 0; b < blocks; ++b)
      free.insert(free.begin() + random.between(0, b), static_cast<std::int32_t>(b));
    num_blocks = blocks;
    for (const auto& [prompt, completions] : groups) {
      std::vector<std::int32_t> shared;
      add(shared, 0, prompt);
      for (const auto length : completions) {
        std::vector<std::int32_t> table(shared.begin(), shared.begin() + prompt / 16);
        if (prompt % 16 > 0)
          copies.push_back({shared.back(), free.back(), static_cast<std::int32_t>(prompt % 16)});
        add(table, prompt, length);
      }
      sections.push_back(rows());
    }
    qkv = random.normal(rows() * width());
    dout = random.normal(rows() * s.H * s.D);
    for (const auto i : owner)
      pointers.push_back(tables[i].data());
  }

  void add(std::vector<std::int32_t>& table, Index first, Index count) {
    while (static_cast<Index>(table.size()) * 16 < first + count) {
      table.push_back(free.back());
      free.pop_back();
    }
    for (Index p = first; p < first + count; ++p) {
      positions.push_back(static_cast<std::int32_t>(p));
      owner.push_back(tables.size());
    }
    tables.push_back(table);
  }
  Index rows() const { return static_cast<Index>(positions.size()); }
  Index width() const { return (s.H + 2 * s.Hk) * s.D; }
  Index floats() const { return num_blocks * aha::KvStore{nullptr, s.Hk, s.D}.block_size(); }

  Shape s;
  Index num_blocks = 0;
  std::vector<std::int32_t> free, positions;
  std::vector<std::vector<std::int32_t>> tables;
  std::vector<std::size_t> owner;
  std::vector<const std::int32_t*> pointers;
  std::vector<aha::KvCopy> copies;
  std::vector<Index> sections{0};
  Floats qkv, dout;
};

}  // namespace aha_test
