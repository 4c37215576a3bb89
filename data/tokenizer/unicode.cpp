#include "data/tokenizer/unicode.h"

#include <utf8proc.h>

namespace aha {
namespace {

constexpr std::int32_t kReplacement = 0xFFFD;

/// Size of the well-formed character at `at`, its code point in `code_point`; 0 when there is none.
std::size_t well_formed(std::string_view text, std::size_t at, std::int32_t& code_point) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
  const auto left = text.size() - at;
  const auto size =
      utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(left < 4 ? left : 4), &code_point);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

}  // namespace

Character character_at(std::string_view text, std::size_t at) {
  std::int32_t code_point = 0;
  const auto size = well_formed(text, at, code_point);
  return size == 0 ? Character{kReplacement, 1} : Character{code_point, size};
}

Character character_before(std::string_view text, std::size_t end) {
  for (std::size_t size = 1; size <= 4 && size <= end; ++size) {
    const auto found = character_at(text.substr(0, end), end - size);
    if (found.size == size && found.code_point != kReplacement) return found;
  }
  return {kReplacement, 1};
}

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    std::int32_t code_point = 0;
    const auto size = well_formed(text, at, code_point);
    if (size == 0) return at;
    at += size;
  }
  return std::nullopt;
}

bool is_space(std::int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_word(std::int32_t c) {
  if (c < 0x80)
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  if (c == 0x200C || c == 0x200D) return true;
  // enclosed letters: symbols by category, alphabetic all the same
  if ((c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
      (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189))
    return true;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

}  // namespace aha
