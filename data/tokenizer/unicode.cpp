#include "data/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "data/tokenizer/unicode_tables.h"
#include "trainer/core/error.h"

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

/// The bytes at `at` that can begin a well-formed character, though the character is not there: at
/// least 1.
std::size_t maximal_subpart(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto left = text.size() - at;
  const auto lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4 || left < 2) return 1;
  // second bytes that make an overlong form, a surrogate or a code point beyond U+10FFFF
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (lead < 0xE0 || byte(1) < low || byte(1) > high) return 1;
  const std::size_t size = lead < 0xF0 ? 3 : 4;
  std::size_t count = 2;
  while (count < std::min(size, left) && (byte(count) & 0xC0) == 0x80)
    ++count;
  return count;
}

void decompose(std::string_view text, bool compatible, std::vector<utf8proc_int32_t>& points) {
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE |
                                                      (compatible ? UTF8PROC_COMPAT : 0));
  std::array<utf8proc_int32_t, 64> parts{};  // 18 are the most that a character has
  int boundary = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    at += character.size;
    if (is_left_by_normalizers(character.code_point)) {
      points.push_back(character.code_point);
      continue;
    }
    const auto count = utf8proc_decompose_char(character.code_point, parts.data(),
                                               std::ssize(parts), options, &boundary);
    check(count >= 0 && count <= std::ssize(parts), "a decomposition is short");
    points.insert(points.end(), parts.begin(), parts.begin() + count);
  }
}

/// Canonical order: marks between two starters sorted by their class.
void order_marks(std::vector<utf8proc_int32_t>& points) {
  const auto mark_class = [](utf8proc_int32_t c) {
    return is_left_by_normalizers(c) ? 0 : int{utf8proc_get_property(c)->combining_class};
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (mark_class(points[i]) == 0) continue;
    auto end = i + 1;
    while (end < points.size() && mark_class(points[end]) != 0)
      ++end;
    if (end - i > 1)
      std::stable_sort(points.begin() + static_cast<std::ptrdiff_t>(i),
                       points.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](auto a, auto b) { return mark_class(a) < mark_class(b); });
    i = end;
  }
}

/// No form changes ASCII, NFC nothing below U+0300 (its bytes are below 0xCC).
bool is_inert(std::string_view text, NormalForm form) {
  const unsigned char limit = form == NormalForm::NFC ? 0xCC : 0x80;
  return std::all_of(text.begin(), text.end(),
                     [&](char byte) { return static_cast<unsigned char>(byte) < limit; });
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

void append_utf8(std::int32_t code_point, std::string& text) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  auto size = utf8proc_encode_char(code_point, bytes.data());
  if (size == 0) size = utf8proc_encode_char(kReplacement, bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

std::string lossy_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (const auto bad = first_invalid_utf8(bytes)) {
    text += bytes.substr(0, *bad);
    append_utf8(kReplacement, text);
    bytes.remove_prefix(*bad + maximal_subpart(bytes, *bad));
  }
  text += bytes;
  return text;
}

std::size_t incomplete_tail(std::string_view bytes) {
  for (std::size_t size = 1; size <= 3 && size <= bytes.size(); ++size) {
    const auto at = bytes.size() - size;
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if ((lead & 0xC0) == 0x80) continue;
    const std::size_t whole = lead < 0xC2    ? 1
                              : lead < 0xE0  ? 2
                              : lead < 0xF0  ? 3
                              : lead <= 0xF4 ? 4
                                             : 1;
    return size < whole && maximal_subpart(bytes, at) == size ? size : 0;
  }
  return 0;
}

bool is_space(std::int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::size_t space_start(std::string_view text, std::size_t end) {
  while (end > 0) {
    const auto character = character_before(text, end);
    if (!is_space(character.code_point)) break;
    end -= character.size;
  }
  return end;
}

std::size_t space_end(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const auto character = character_at(text, at);
    if (!is_space(character.code_point)) break;
    at += character.size;
  }
  return at;
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

bool is_number(std::int32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(std::int32_t c) {
  if (c < 0x80)
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

std::string normal_form(std::string_view text, NormalForm form) {
  if (is_inert(text, form)) return std::string(text);
  const bool compatible = form == NormalForm::NFKC || form == NormalForm::NFKD;
  const bool composed = form == NormalForm::NFC || form == NormalForm::NFKC;
  std::vector<utf8proc_int32_t> points;
  points.reserve(text.size());
  decompose(text, compatible, points);
  order_marks(points);
  if (composed) {
    const auto size = utf8proc_normalize_utf32(
        points.data(), std::ssize(points),
        static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    check(size >= 0, "composition makes no error");
    points.resize(static_cast<std::size_t>(size));
  }
  std::string normal;
  normal.reserve(text.size());
  for (const auto point : points)
    append_utf8(point, normal);
  return normal;
}

std::string lower_case(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    append_utf8(utf8proc_tolower(character.code_point), lower);
    if (character.code_point == 0x130) lower += "\u0307";  // its small letter is two characters
    at += character.size;
  }
  return lower;
}

}  // namespace aha
