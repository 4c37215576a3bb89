#pragma once
#include <cstdint>
#include <string_view>

namespace aha {

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 appendix B.4) of `bytes`, going on
/// from the sum of the bytes before them: crc32c(b, crc32c(a)) is that of a + b. By the processor's
/// instruction where it has one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

/// The same without the instruction.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0);

}  // namespace aha
