#include "trainer/kernels/scratch.h"

#include <array>
#include <cstddef>
#include <memory>
#include <new>

namespace aha {
namespace {

constexpr std::align_val_t kAlignment{64};

struct Release {
  void operator()(float* p) const { ::operator delete(p, kAlignment); }
};

struct Block {
  std::unique_ptr<float, Release> data;
  std::int64_t capacity = 0;
};

}  // namespace

float* scratch(ScratchSlot slot, std::int64_t floats) {
  thread_local std::array<Block, static_cast<std::size_t>(ScratchSlot::Count)> blocks;
  auto& block = blocks[static_cast<std::size_t>(slot)];
  if (block.capacity < floats) {
    block.data.reset();
    block.capacity = 0;
    const auto capacity = floats + floats / 4;
    block.data.reset(static_cast<float*>(
        ::operator new(static_cast<std::size_t>(capacity) * sizeof(float), kAlignment)));
    block.capacity = capacity;
  }
  return block.data.get();
}

}  // namespace aha
