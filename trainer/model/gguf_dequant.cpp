#include "trainer/model/gguf_dequant.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::size_t kBlock = 32;        // values of the simple formats
constexpr std::size_t kSuperBlock = 256;  // values of the K formats

unsigned byte_at(const std::byte* from, std::size_t i) {
  return std::to_integer<unsigned>(from[i]);
}

int signed_byte(const std::byte* from, std::size_t i) {
  return static_cast<std::int8_t>(byte_at(from, i));
}

template <class Stored>
Stored stored(const std::byte* from) {
  Stored value;
  std::memcpy(&value, from, sizeof(Stored));
  return value;
}

float half_at(const std::byte* from) {
  return c10::detail::fp16_ieee_to_fp32_value(stored<std::uint16_t>(from));
}

/// Value i of 32 in 16 bytes: the low halves of all bytes first, then the high ones.
unsigned nibble(const std::byte* from, std::size_t i) {
  return (byte_at(from, i % 16) >> (i < 16 ? 0U : 4U)) & 0x0FU;
}

/// A nibble with its fifth bit from a mask of 32.
unsigned five_bits(const std::byte* low, std::uint32_t high, std::size_t i) {
  return nibble(low, i) | (((high >> i) & 1U) << 4U);
}

void widen_f32(const std::byte* from, float* to) {
  *to = stored<float>(from);
}

void widen_f16(const std::byte* from, float* to) {
  *to = half_at(from);
}

void widen_bf16(const std::byte* from, float* to) {
  *to = c10::detail::f32_from_bits(stored<std::uint16_t>(from));
}

/// d, then 32 signed bytes q: d q.
void widen_q8_0(const std::byte* from, float* to) {
  const float d = half_at(from);
  for (std::size_t i = 0; i < kBlock; ++i)
    to[i] = d * static_cast<float>(signed_byte(from + 2, i));
}

/// d, 32 nibbles q: d (q - 8).
void widen_q4_0(const std::byte* from, float* to) {
  const float d = half_at(from);
  for (std::size_t i = 0; i < kBlock; ++i)
    to[i] = d * static_cast<float>(static_cast<int>(nibble(from + 2, i)) - 8);
}

/// d, m, 32 nibbles q: d q + m.
void widen_q4_1(const std::byte* from, float* to) {
  const float d = half_at(from);
  const float m = half_at(from + 2);
  for (std::size_t i = 0; i < kBlock; ++i)
    to[i] = d * static_cast<float>(nibble(from + 4, i)) + m;
}

/// d, 32 fifth bits, 32 nibbles: d (q - 16).
void widen_q5_0(const std::byte* from, float* to) {
  const float d = half_at(from);
  const auto high = stored<std::uint32_t>(from + 2);
  for (std::size_t i = 0; i < kBlock; ++i)
    to[i] = d * static_cast<float>(static_cast<int>(five_bits(from + 6, high, i)) - 16);
}

/// d, m, 32 fifth bits, 32 nibbles: d q + m.
void widen_q5_1(const std::byte* from, float* to) {
  const float d = half_at(from);
  const float m = half_at(from + 2);
  const auto high = stored<std::uint32_t>(from + 4);
  for (std::size_t i = 0; i < kBlock; ++i)
    to[i] = d * static_cast<float>(five_bits(from + 8, high, i)) + m;
}

/// d, m, then 8 scales s and 8 minima t of 6 bits in 12 bytes, then 8 groups of 32 nibbles, two
/// groups to 32 bytes: (d s) q - (m t).
void widen_q4_k(const std::byte* from, float* to) {
  const float d = half_at(from);
  const float m = half_at(from + 2);
  const std::byte* const packed = from + 4;
  const std::byte* const nibbles = from + 16;
  for (std::size_t group = 0; group < 8; ++group) {
    unsigned scale = byte_at(packed, group % 4) & 0x3FU;
    unsigned minimum = byte_at(packed, 4 + group % 4) & 0x3FU;
    if (group >= 4) {  // four bits of their own, and the two that the first four groups leave
      const unsigned low = byte_at(packed, 4 + group);
      scale = (low & 0x0FU) | ((byte_at(packed, group - 4) >> 2U) & 0x30U);
      minimum = (low >> 4U) | ((byte_at(packed, group) >> 2U) & 0x30U);
    }
    const float step = d * static_cast<float>(scale);
    const float below = m * static_cast<float>(minimum);
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned q =
          (byte_at(nibbles, group / 2 * 32 + i) >> (group % 2 == 0 ? 0U : 4U)) & 0x0FU;
      to[group * 32 + i] = step * static_cast<float>(q) - below;
    }
  }
}

/// 128 bytes of low nibbles, 64 of high pairs of bits, 16 signed scales s (one for 16 values), d:
/// (d s) (q - 32).
void widen_q6_k(const std::byte* from, float* to) {
  const std::byte* const low = from;
  const std::byte* const high = from + 128;
  const std::byte* const scales = from + 192;
  const float d = half_at(from + 208);
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const std::size_t half = i / 128;
    const unsigned four = (byte_at(low, half * 64 + i % 64) >> (i / 64 % 2 == 0 ? 0U : 4U)) & 0x0FU;
    const unsigned two = (byte_at(high, half * 32 + i % 32) >> (2 * (i / 32 % 4))) & 0x03U;
    const int q = static_cast<int>(four | (two << 4U)) - 32;
    to[i] = d * static_cast<float>(signed_byte(scales, i / 16)) * static_cast<float>(q);
  }
}

constexpr std::array kFormats = {
    GgufFormat{0, "F32", 1, 4, widen_f32},
    GgufFormat{1, "F16", 1, 2, widen_f16},
    GgufFormat{30, "BF16", 1, 2, widen_bf16},
    GgufFormat{8, "Q8_0", kBlock, 34, widen_q8_0},
    GgufFormat{2, "Q4_0", kBlock, 18, widen_q4_0},
    GgufFormat{3, "Q4_1", kBlock, 20, widen_q4_1},
    GgufFormat{6, "Q5_0", kBlock, 22, widen_q5_0},
    GgufFormat{7, "Q5_1", kBlock, 24, widen_q5_1},
    GgufFormat{12, "Q4_K", kSuperBlock, 144, widen_q4_k},
    GgufFormat{14, "Q6_K", kSuperBlock, 210, widen_q6_k},
};

}  // namespace

const GgufFormat* gguf_format(std::uint32_t number) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const GgufFormat& f) { return f.number == number; });
  return found == kFormats.end() ? nullptr : &*found;
}

std::string gguf_format_names() {
  std::vector<std::string> names;
  for (const auto& format : kFormats)
    names.emplace_back(format.name);
  return join_list(names);
}

void dequantize(const GgufFormat& format, const std::byte* from, std::span<float> out) {
  check(out.size() % format.block == 0, "whole blocks are widened");
  for (std::size_t i = 0; i < out.size(); i += format.block, from += format.bytes)
    format.widen(from, out.data() + i);
}

}  // namespace aha
