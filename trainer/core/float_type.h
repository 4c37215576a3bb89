#pragma once
#include <cstdint>

namespace aha {

/// How numbers are stored, in memory and in files. What is computed is f32. BF16 and F16 are rounded
/// to nearest, ties to even.
enum class FloatType { F32, BF16, F16 };

constexpr std::int64_t bytes_of(FloatType type) {
  return type == FloatType::F32 ? 4 : 2;
}

/// The first number that rounds to infinity: half a step above the type's largest.
constexpr float first_too_large(FloatType type) {
  return type == FloatType::F16    ? 65520.0F
         : type == FloatType::BF16 ? 3.3961776e38F
                                   : __builtin_inff();
}

}  // namespace aha
