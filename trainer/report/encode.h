#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aha {

/// RFC 4648, with padding.
std::string base64(std::span<const std::uint8_t> bytes);

/// `text` in the zlib format (RFC 1950), as base64: what DecompressionStream("deflate") reads. The
/// result has no character that HTML knows.
std::string packed(std::string_view text);

/// Text between tags: & < > and quotes as entities.
std::string html_escaped(std::string_view text);

/// "sha256-..." of a Content-Security-Policy, from the hash as 64 hexadecimal digits.
std::string csp_source(std::string_view sha256_hex);

}  // namespace aha
