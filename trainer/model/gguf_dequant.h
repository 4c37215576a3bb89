#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace aha {

/// How GGUF stores the values of a tensor: blocks of `block` values in `bytes` bytes, each widened to
/// f32 by itself. A row is a whole number of blocks.
struct GgufFormat {
  std::uint32_t number;  ///< of the type in the file
  const char* name;      ///< F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K or Q6_K
  std::size_t block;     ///< values
  std::size_t bytes;     ///< of a block
  void (*widen)(const std::byte* from, float* to);  ///< one block, no alignment needed
};

/// Null for a type that we do not read.
const GgufFormat* gguf_format(std::uint32_t number);

/// "F32, F16, ...": all that are read, for messages.
std::string gguf_format_names();

/// Widens whole blocks: out.size() is a multiple of the block, `from` holds as many. The arithmetic is
/// that of the `gguf` Python package, every product and sum rounded to f32: the same bits.
void dequantize(const GgufFormat& format, const std::byte* from, std::span<float> out);

}  // namespace aha
