#pragma once
// Arrays on a device, and the table under test: of a GPU, or of a host that plays one.
#include <cstring>
#include <deque>

#include "tests/trainer/kernels/support.h"

namespace aha_test {

/// Null where there is no GPU: the tests then pass without looking.
const aha::Ops* gpu_ops();

/// Whether a row of a product has the same bits whatever other rows there are: cuBLAS does not promise it.
bool products_know_one_row();

/// Device memory of one test.
class Device {
 public:
  explicit Device(const aha::Ops& ops) : memory_(ops.memory) {}
  ~Device() {
    for (void* block : blocks_)
      memory_->release(block);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  template <class T>
  T* put(const std::vector<T>& values) {
    auto* memory =
        static_cast<T*>(blocks_.emplace_back(memory_->allocate(bytes<T>(values.size()))));
    memory_->upload(values.data(), bytes<T>(values.size()), memory);
    return memory;
  }
  template <class T>
  std::vector<T> get(const T* from, std::size_t count) const {
    std::vector<T> values(count);
    memory_->download(from, bytes<T>(count), values.data());
    return values;
  }
  Floats get(const float* from, Index count) const { return get(from, at(count)); }

 private:
  template <class T>
  static std::int64_t bytes(std::size_t count) {
    return static_cast<std::int64_t>(count * sizeof(T));
  }

  const aha::Memory* memory_;
  std::deque<void*> blocks_;
};

inline double gap(const Floats& a, const Floats& b, double floor = 1e-30) {
  return gap(a, std::vector<double>(b.begin(), b.end()), floor);
}

constexpr double kCloseF32 = 1e-4;
constexpr double kClose16 = 1e-2;

/// A weight's elements in a storage type, as bytes, and the same numbers as f32.
struct Stored {
  Stored(const aha::Ops& cpu, const Floats& values, aha::FloatType storage)
      : type(storage), f32(values), bits(2 * values.size()) {
    const auto n = static_cast<Index>(values.size());
    if (type == aha::FloatType::F32) {
      std::memcpy(bits.data(), values.data(), 4 * values.size());
    } else {
      cpu.narrow({}, values.data(), n, type, bits.data());
      cpu.widen({}, bits.data(), type, n, f32.data());
    }
  }
  aha::FloatType type;
  Floats f32;
  std::vector<std::uint16_t> bits;
};

constexpr aha::FloatType kTypes[] = {aha::FloatType::F32, aha::FloatType::BF16,
                                     aha::FloatType::F16};

}  // namespace aha_test
