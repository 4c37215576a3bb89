#include "data/tokenizer/unicode_tables.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <iterator>

#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

struct Range {
  std::int32_t first;
  std::int32_t last;
};

struct NewRange {
  std::int32_t first;
  std::int32_t last;
  const char* category;  ///< or property
};

/// Found by asking `tokenizers` 0.23.3 for every character, like those below.
constexpr std::array kLeftByNormalizers = {
    Range{0x7FD, 0x7FD},     Range{0x898, 0x89F},     Range{0x8CA, 0x8D3},
    Range{0x9FE, 0x9FE},     Range{0xC3C, 0xC3C},     Range{0xD3B, 0xD3C},
    Range{0xEBA, 0xEBA},     Range{0x1715, 0x1715},   Range{0x1ABF, 0x1ACE},
    Range{0x1DF6, 0x1DFA},   Range{0x32FF, 0x32FF},   Range{0xA7F2, 0xA7F4},
    Range{0xA82C, 0xA82C},   Range{0xAB69, 0xAB69},   Range{0x10781, 0x10785},
    Range{0x10787, 0x107B0}, Range{0x107B2, 0x107BA}, Range{0x10D24, 0x10D27},
    Range{0x10EAB, 0x10EAC}, Range{0x10EFD, 0x10EFF}, Range{0x10F46, 0x10F50},
    Range{0x10F82, 0x10F85}, Range{0x11070, 0x11070}, Range{0x1133B, 0x1133B},
    Range{0x1145E, 0x1145E}, Range{0x11839, 0x1183A}, Range{0x11938, 0x11938},
    Range{0x1193D, 0x1193E}, Range{0x11943, 0x11943}, Range{0x119E0, 0x119E0},
    Range{0x11A34, 0x11A34}, Range{0x11A47, 0x11A47}, Range{0x11A99, 0x11A99},
    Range{0x11D42, 0x11D42}, Range{0x11D44, 0x11D45}, Range{0x11D97, 0x11D97},
    Range{0x11F41, 0x11F42}, Range{0x16FF0, 0x16FF1}, Range{0x1E030, 0x1E06D},
    Range{0x1E08F, 0x1E08F}, Range{0x1E130, 0x1E136}, Range{0x1E2AE, 0x1E2AE},
    Range{0x1E2EC, 0x1E2EF}, Range{0x1E4EC, 0x1E4EF}, Range{0x1F16C, 0x1F16C},
    Range{0x1FBF0, 0x1FBF9},
};

constexpr std::array kNew = {
    NewRange{0x897, 0x897, "Mn"},     NewRange{0xCF3, 0xCF3, "Mc"},
    NewRange{0xECE, 0xECE, "Mn"},     NewRange{0x1B4E, 0x1B4F, "Po"},
    NewRange{0x1B7F, 0x1B7F, "Po"},   NewRange{0x1C89, 0x1C89, "Lu"},
    NewRange{0x1C8A, 0x1C8A, "Ll"},   NewRange{0x2427, 0x2429, "So"},
    NewRange{0x2FFC, 0x2FFF, "So"},   NewRange{0x31E4, 0x31E5, "So"},
    NewRange{0x31EF, 0x31EF, "So"},   NewRange{0xA7CB, 0xA7CC, "Lu"},
    NewRange{0xA7CD, 0xA7CD, "Ll"},   NewRange{0xA7DA, 0xA7DA, "Lu"},
    NewRange{0xA7DB, 0xA7DB, "Ll"},   NewRange{0xA7DC, 0xA7DC, "Lu"},
    NewRange{0x105C0, 0x105F3, "Lo"}, NewRange{0x10D40, 0x10D49, "Nd"},
    NewRange{0x10D4A, 0x10D4D, "Lo"}, NewRange{0x10D4E, 0x10D4E, "Lm"},
    NewRange{0x10D4F, 0x10D4F, "Lo"}, NewRange{0x10D50, 0x10D65, "Lu"},
    NewRange{0x10D69, 0x10D6D, "Mn"}, NewRange{0x10D6E, 0x10D6E, "Pd"},
    NewRange{0x10D6F, 0x10D6F, "Lm"}, NewRange{0x10D70, 0x10D85, "Ll"},
    NewRange{0x10D8E, 0x10D8F, "Sm"}, NewRange{0x10EC2, 0x10EC4, "Lo"},
    NewRange{0x10EFC, 0x10EFF, "Mn"}, NewRange{0x1123F, 0x11240, "Lo"},
    NewRange{0x11241, 0x11241, "Mn"}, NewRange{0x11380, 0x11389, "Lo"},
    NewRange{0x1138B, 0x1138B, "Lo"}, NewRange{0x1138E, 0x1138E, "Lo"},
    NewRange{0x11390, 0x113B5, "Lo"}, NewRange{0x113B7, 0x113B7, "Lo"},
    NewRange{0x113B8, 0x113BA, "Mc"}, NewRange{0x113BB, 0x113C0, "Mn"},
    NewRange{0x113C2, 0x113C2, "Mc"}, NewRange{0x113C5, 0x113C5, "Mc"},
    NewRange{0x113C7, 0x113CA, "Mc"}, NewRange{0x113CC, 0x113CD, "Mc"},
    NewRange{0x113CE, 0x113CE, "Mn"}, NewRange{0x113CF, 0x113CF, "Mc"},
    NewRange{0x113D0, 0x113D0, "Mn"}, NewRange{0x113D1, 0x113D1, "Lo"},
    NewRange{0x113D2, 0x113D2, "Mn"}, NewRange{0x113D3, 0x113D3, "Lo"},
    NewRange{0x113D4, 0x113D5, "Po"}, NewRange{0x113D7, 0x113D8, "Po"},
    NewRange{0x113E1, 0x113E2, "Mn"}, NewRange{0x116D0, 0x116E3, "Nd"},
    NewRange{0x11B00, 0x11B09, "Po"}, NewRange{0x11BC0, 0x11BE0, "Lo"},
    NewRange{0x11BE1, 0x11BE1, "Po"}, NewRange{0x11BF0, 0x11BF9, "Nd"},
    NewRange{0x11F00, 0x11F01, "Mn"}, NewRange{0x11F02, 0x11F02, "Lo"},
    NewRange{0x11F03, 0x11F03, "Mc"}, NewRange{0x11F04, 0x11F10, "Lo"},
    NewRange{0x11F12, 0x11F33, "Lo"}, NewRange{0x11F34, 0x11F35, "Mc"},
    NewRange{0x11F36, 0x11F3A, "Mn"}, NewRange{0x11F3E, 0x11F3F, "Mc"},
    NewRange{0x11F40, 0x11F40, "Mn"}, NewRange{0x11F41, 0x11F41, "Mc"},
    NewRange{0x11F42, 0x11F42, "Mn"}, NewRange{0x11F43, 0x11F4F, "Po"},
    NewRange{0x11F50, 0x11F59, "Nd"}, NewRange{0x11F5A, 0x11F5A, "Mn"},
    NewRange{0x1342F, 0x1342F, "Lo"}, NewRange{0x13439, 0x1343F, "Cf"},
    NewRange{0x13440, 0x13440, "Mn"}, NewRange{0x13441, 0x13446, "Lo"},
    NewRange{0x13447, 0x13455, "Mn"}, NewRange{0x13460, 0x143FA, "Lo"},
    NewRange{0x16100, 0x1611D, "Lo"}, NewRange{0x1611E, 0x16129, "Mn"},
    NewRange{0x1612A, 0x1612C, "Mc"}, NewRange{0x1612D, 0x1612F, "Mn"},
    NewRange{0x16130, 0x16139, "Nd"}, NewRange{0x16D40, 0x16D42, "Lm"},
    NewRange{0x16D43, 0x16D6A, "Lo"}, NewRange{0x16D6B, 0x16D6C, "Lm"},
    NewRange{0x16D6D, 0x16D6F, "Po"}, NewRange{0x16D70, 0x16D79, "Nd"},
    NewRange{0x18CFF, 0x18CFF, "Lo"}, NewRange{0x1B132, 0x1B132, "Lo"},
    NewRange{0x1B155, 0x1B155, "Lo"}, NewRange{0x1CC00, 0x1CCEF, "So"},
    NewRange{0x1CCF0, 0x1CCF9, "Nd"}, NewRange{0x1CD00, 0x1CEB3, "So"},
    NewRange{0x1D2C0, 0x1D2D3, "No"}, NewRange{0x1DF25, 0x1DF2A, "Ll"},
    NewRange{0x1E030, 0x1E06D, "Lm"}, NewRange{0x1E08F, 0x1E08F, "Mn"},
    NewRange{0x1E4D0, 0x1E4EA, "Lo"}, NewRange{0x1E4EB, 0x1E4EB, "Lm"},
    NewRange{0x1E4EC, 0x1E4EF, "Mn"}, NewRange{0x1E4F0, 0x1E4F9, "Nd"},
    NewRange{0x1E5D0, 0x1E5ED, "Lo"}, NewRange{0x1E5EE, 0x1E5EF, "Mn"},
    NewRange{0x1E5F0, 0x1E5F0, "Lo"}, NewRange{0x1E5F1, 0x1E5FA, "Nd"},
    NewRange{0x1E5FF, 0x1E5FF, "Po"}, NewRange{0x1F6DC, 0x1F6DC, "So"},
    NewRange{0x1F774, 0x1F776, "So"}, NewRange{0x1F77B, 0x1F77F, "So"},
    NewRange{0x1F7D9, 0x1F7D9, "So"}, NewRange{0x1F8B2, 0x1F8BB, "So"},
    NewRange{0x1F8C0, 0x1F8C1, "So"}, NewRange{0x1FA75, 0x1FA77, "So"},
    NewRange{0x1FA87, 0x1FA89, "So"}, NewRange{0x1FA8F, 0x1FA8F, "So"},
    NewRange{0x1FAAD, 0x1FAAF, "So"}, NewRange{0x1FABB, 0x1FABF, "So"},
    NewRange{0x1FAC6, 0x1FAC6, "So"}, NewRange{0x1FACE, 0x1FACF, "So"},
    NewRange{0x1FADA, 0x1FADC, "So"}, NewRange{0x1FADF, 0x1FADF, "So"},
    NewRange{0x1FAE8, 0x1FAE9, "So"}, NewRange{0x1FAF7, 0x1FAF8, "So"},
    NewRange{0x1FBCB, 0x1FBEF, "So"}, NewRange{0x2B739, 0x2B739, "Lo"},
    NewRange{0x2EBF0, 0x2EE5D, "Lo"}, NewRange{0x31350, 0x323AF, "Lo"},
};

/// What later_characters knows: first, last, property. Found in the same way.
constexpr std::array kLater = {
    NewRange{0x363, 0x36F, "alphabetic"},
    NewRange{0x897, 0x897, "alphabetic"},
    NewRange{0xC04, 0xC04, "alphabetic"},
    NewRange{0xCF3, 0xCF3, "alphabetic"},
    NewRange{0xF82, 0xF83, "alphabetic"},
    NewRange{0x1DD3, 0x1DE6, "alphabetic"},
    NewRange{0x10D69, 0x10D69, "alphabetic"},
    NewRange{0x10EFC, 0x10EFC, "alphabetic"},
    NewRange{0x11080, 0x11081, "alphabetic"},
    NewRange{0x11241, 0x11241, "alphabetic"},
    NewRange{0x113B8, 0x113C0, "alphabetic"},
    NewRange{0x113C2, 0x113C2, "alphabetic"},
    NewRange{0x113C5, 0x113C5, "alphabetic"},
    NewRange{0x113C7, 0x113CA, "alphabetic"},
    NewRange{0x113CC, 0x113CD, "alphabetic"},
    NewRange{0x11F00, 0x11F01, "alphabetic"},
    NewRange{0x11F03, 0x11F03, "alphabetic"},
    NewRange{0x11F34, 0x11F3A, "alphabetic"},
    NewRange{0x11F3E, 0x11F40, "alphabetic"},
    NewRange{0x1611E, 0x1612E, "alphabetic"},
    NewRange{0x1E08F, 0x1E08F, "alphabetic"},
    NewRange{0x10FC, 0x10FC, "lowercase"},
    NewRange{0xA7F2, 0xA7F4, "lowercase"},
    NewRange{0xAB69, 0xAB69, "lowercase"},
    NewRange{0x1E030, 0x1E06D, "lowercase"},
    NewRange{0x897, 0x897, "sc:arabic"},
    NewRange{0x10EC2, 0x10EC4, "sc:arabic"},
    NewRange{0x10EFC, 0x10EFF, "sc:arabic"},
    NewRange{0x1C89, 0x1C8A, "sc:cyrillic"},
    NewRange{0x1E030, 0x1E06D, "sc:cyrillic"},
    NewRange{0x1E08F, 0x1E08F, "sc:cyrillic"},
    NewRange{0x11B00, 0x11B09, "sc:devanagari"},
    NewRange{0x2B739, 0x2B739, "sc:han"},
    NewRange{0x2EBF0, 0x2EE5D, "sc:han"},
    NewRange{0x31350, 0x323AF, "sc:han"},
    NewRange{0x1B132, 0x1B132, "sc:hiragana"},
    NewRange{0xCF3, 0xCF3, "sc:kannada"},
    NewRange{0x1B155, 0x1B155, "sc:katakana"},
    NewRange{0xECE, 0xECE, "sc:lao"},
    NewRange{0xA7CB, 0xA7CD, "sc:latin"},
    NewRange{0xA7DA, 0xA7DC, "sc:latin"},
    NewRange{0x1DF25, 0x1DF2A, "sc:latin"},
    NewRange{0x116D0, 0x116E3, "sc:myanmar"},
    NewRange{0x1B4E, 0x1B4F, "sc:balinese"},
    NewRange{0x1B7F, 0x1B7F, "sc:balinese"},
    NewRange{0x1342F, 0x1342F, "sc:egyptianhieroglyphs"},
    NewRange{0x13439, 0x13455, "sc:egyptianhieroglyphs"},
    NewRange{0x13460, 0x143FA, "sc:egyptianhieroglyphs"},
    NewRange{0x1123F, 0x11241, "sc:khojki"},
    NewRange{0x2427, 0x2429, "sc:common"},
    NewRange{0x2FFC, 0x2FFF, "sc:common"},
    NewRange{0x31E4, 0x31E5, "sc:common"},
    NewRange{0x31EF, 0x31EF, "sc:common"},
    NewRange{0x1CC00, 0x1CCF9, "sc:common"},
    NewRange{0x1CD00, 0x1CEB3, "sc:common"},
    NewRange{0x1D2C0, 0x1D2D3, "sc:common"},
    NewRange{0x1F6DC, 0x1F6DC, "sc:common"},
    NewRange{0x1F774, 0x1F776, "sc:common"},
    NewRange{0x1F77B, 0x1F77F, "sc:common"},
    NewRange{0x1F7D9, 0x1F7D9, "sc:common"},
    NewRange{0x1F8B2, 0x1F8BB, "sc:common"},
    NewRange{0x1F8C0, 0x1F8C1, "sc:common"},
    NewRange{0x1FA75, 0x1FA77, "sc:common"},
    NewRange{0x1FA87, 0x1FA89, "sc:common"},
    NewRange{0x1FA8F, 0x1FA8F, "sc:common"},
    NewRange{0x1FAAD, 0x1FAAF, "sc:common"},
    NewRange{0x1FABB, 0x1FABF, "sc:common"},
    NewRange{0x1FAC6, 0x1FAC6, "sc:common"},
    NewRange{0x1FACE, 0x1FACF, "sc:common"},
    NewRange{0x1FADA, 0x1FADC, "sc:common"},
    NewRange{0x1FADF, 0x1FADF, "sc:common"},
    NewRange{0x1FAE8, 0x1FAE9, "sc:common"},
    NewRange{0x1FAF7, 0x1FAF8, "sc:common"},
    NewRange{0x1FBCB, 0x1FBEF, "sc:common"},
};

template <class Ranges>
bool holds(const Ranges& ranges, std::int32_t code_point) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code_point,
                       [](std::int32_t c, const auto& range) { return c < range.first; });
  return after != ranges.begin() && std::prev(after)->last >= code_point;
}

/// Blocks of 256 characters that have a new one.
std::bitset<0x1100> pages_with_new() {
  std::bitset<0x1100> pages;
  for (const auto& range : kNew)
    for (auto page = range.first >> 8; page <= range.last >> 8; ++page)
      pages.set(static_cast<std::size_t>(page));
  return pages;
}

/// The ranges that are wanted, as they stand in a PCRE2 class.
template <class Ranges, class Wanted>
std::string class_items(const Ranges& ranges, const Wanted& wanted) {
  std::string items;
  for (const auto& range : ranges)
    if (wanted(range.category))
      items += fmt::format(R"(\x{{{:x}}}-\x{{{:x}}})", range.first, range.last);
  return items;
}

}  // namespace

bool is_left_by_normalizers(std::int32_t code_point) {
  return holds(kLeftByNormalizers, code_point);
}

bool has_new_characters(std::string_view text) {
  static const auto kPages = pages_with_new();
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0xE0) {  // all of them have three or four bytes
      ++at;
      continue;
    }
    const auto [code_point, size] = character_at(text, at);
    if (kPages.test(static_cast<std::size_t>(code_point) >> 8) && holds(kNew, code_point))
      return true;
    at += size;
  }
  return false;
}

std::string new_characters(std::string_view category) {
  return class_items(kNew, [&](std::string_view own) { return own.starts_with(category); });
}

std::string later_characters(std::string_view property) {
  return class_items(kLater, [&](std::string_view own) { return own == property; });
}

}  // namespace aha
