#pragma once
#include <cstdint>

namespace aha {

/// Scripts that languages are told apart by. Other: any that stands for none of the languages here.
enum class Script {
  None,
  Latin,
  Greek,
  Cyrillic,
  Hebrew,
  Arabic,
  Devanagari,
  Thai,
  Hangul,
  Kana,
  Han,
  Other
};

/// Of a letter, by the blocks of the Unicode Standard 15; None for anything else. Letters of mathematics and within circles are Latin.
Script script_of(std::uint32_t character);

/// Accents and joiners, which belong to the letter before them.
bool is_mark(std::uint32_t character);

}  // namespace aha
