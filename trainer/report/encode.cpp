#include "trainer/report/encode.h"

#include <zlib.h>

#include <vector>

#include "trainer/core/error.h"

namespace aha {

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = (word << 8U) | (k < count ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? kDigits[(word >> (18U - 6U * k)) & 63U] : '=';
  }
  return out;
}

std::string packed(std::string_view text) {
  // 6 is zlib's default; higher ones take twice the time for 2 % of the size
  constexpr int kLevel = 6;
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::vector<std::uint8_t> bytes(size);
  const int code = compress2(bytes.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
                             static_cast<uLong>(text.size()), kLevel);
  check(code == Z_OK, "zlib compresses into a buffer of its own bound");
  return base64(std::span(bytes).first(size));
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string csp_source(std::string_view sha256_hex) {
  check(sha256_hex.size() == 64, "a SHA-256 has 64 hexadecimal digits");
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < sha256_hex.size(); i += 2)
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(sha256_hex.substr(i, 2)), nullptr, 16)));
  return "sha256-" + base64(bytes);
}

}  // namespace aha
