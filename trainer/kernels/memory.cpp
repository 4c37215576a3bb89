#include "trainer/kernels/memory.h"

#include <cstddef>
#include <cstring>
#include <new>

#include "trainer/kernels/out_of_memory.h"

namespace aha {
namespace {

constexpr std::align_val_t kAlignment{64};

void* allocate(std::int64_t bytes) {
  const auto size = static_cast<std::size_t>(bytes);
  void* memory = ::operator new(size, kAlignment, std::nothrow);
  if (memory == nullptr)
    throw OutOfMemory(fmt::format("memory: {} bytes more are not to be had", bytes));
  std::memset(memory, 0, size);
  return memory;
}

void release(void* memory) {
  ::operator delete(memory, kAlignment);
}

void copy(const void* from, std::int64_t bytes, void* to) {
  if (from != to) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace

const Memory kHostMemory{true, allocate, release, copy, copy};

}  // namespace aha
