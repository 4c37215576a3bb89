#include "rewards/script.h"

#include <algorithm>
#include <array>

#include "rewards/text_scan.h"

namespace aha {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
  Script script;
};

// Beyond ASCII, in ascending order; letters only where a block mixes.
constexpr std::array kRanges = {
    Range{0xC0, 0x2B8, Script::Latin},         Range{0x2E0, 0x2E4, Script::Latin},
    Range{0x370, 0x3FF, Script::Greek},        Range{0x400, 0x52F, Script::Cyrillic},
    Range{0x531, 0x58F, Script::Other},        Range{0x5D0, 0x5F2, Script::Hebrew},
    Range{0x620, 0x6FF, Script::Arabic},       Range{0x700, 0x74F, Script::Other},
    Range{0x750, 0x77F, Script::Arabic},       Range{0x780, 0x86F, Script::Other},
    Range{0x870, 0x8FF, Script::Arabic},       Range{0x904, 0x97F, Script::Devanagari},
    Range{0x980, 0xDFF, Script::Other},        Range{0xE01, 0xE3A, Script::Thai},
    Range{0xE40, 0xE4E, Script::Thai},         Range{0xE81, 0x10FF, Script::Other},
    Range{0x1100, 0x11FF, Script::Hangul},     Range{0x1200, 0x1C7F, Script::Other},
    Range{0x1C80, 0x1C8F, Script::Cyrillic},   Range{0x1C90, 0x1CFF, Script::Other},
    Range{0x1D00, 0x1DBF, Script::Latin},      Range{0x1E00, 0x1EFF, Script::Latin},
    Range{0x1F00, 0x1FFF, Script::Greek},      Range{0x2090, 0x209C, Script::Latin},
    Range{0x2102, 0x214E, Script::Latin},      Range{0x249C, 0x24E9, Script::Latin},
    Range{0x2800, 0x28FF, Script::Other},      Range{0x2C00, 0x2C5F, Script::Other},
    Range{0x2C60, 0x2C7F, Script::Latin},      Range{0x2C80, 0x2DDE, Script::Other},
    Range{0x2E80, 0x2FDF, Script::Han},        Range{0x3005, 0x3007, Script::Han},
    Range{0x3041, 0x30FF, Script::Kana},       Range{0x3105, 0x312F, Script::Other},
    Range{0x3131, 0x318E, Script::Hangul},     Range{0x31A0, 0x31BF, Script::Other},
    Range{0x31F0, 0x31FF, Script::Kana},       Range{0x3400, 0x4DBF, Script::Han},
    Range{0x4E00, 0x9FFF, Script::Han},        Range{0xA000, 0xA63F, Script::Other},
    Range{0xA640, 0xA69F, Script::Cyrillic},   Range{0xA6A0, 0xA6F1, Script::Other},
    Range{0xA722, 0xA7FF, Script::Latin},      Range{0xA800, 0xA8DF, Script::Other},
    Range{0xA8E0, 0xA8FF, Script::Devanagari}, Range{0xA900, 0xA95F, Script::Other},
    Range{0xA960, 0xA97C, Script::Hangul},     Range{0xA980, 0xAB2E, Script::Other},
    Range{0xAB30, 0xAB6F, Script::Latin},      Range{0xAB70, 0xABFF, Script::Other},
    Range{0xAC00, 0xD7A3, Script::Hangul},     Range{0xD7B0, 0xD7FB, Script::Hangul},
    Range{0xF900, 0xFAFF, Script::Han},        Range{0xFB00, 0xFB06, Script::Latin},
    Range{0xFB13, 0xFB17, Script::Other},      Range{0xFB1D, 0xFB4F, Script::Hebrew},
    Range{0xFB50, 0xFDFB, Script::Arabic},     Range{0xFE70, 0xFEFC, Script::Arabic},
    Range{0xFF21, 0xFF3A, Script::Latin},      Range{0xFF41, 0xFF5A, Script::Latin},
    Range{0xFF66, 0xFF9F, Script::Kana},       Range{0xFFA1, 0xFFDC, Script::Hangul},
    Range{0x10000, 0x1AFEF, Script::Other},    Range{0x1AFF0, 0x1B16F, Script::Kana},
    Range{0x1B170, 0x1BCFF, Script::Other},    Range{0x1D400, 0x1D7CB, Script::Latin},
    Range{0x1DF00, 0x1DF2A, Script::Latin},    Range{0x1E000, 0x1EDFF, Script::Other},
    Range{0x1EE00, 0x1EEFF, Script::Arabic},   Range{0x1F110, 0x1F189, Script::Latin},
    Range{0x20000, 0x323AF, Script::Han},
};
static_assert(std::is_sorted(kRanges.begin(), kRanges.end(),
                             [](const Range& a, const Range& b) { return a.last < b.first; }));

}  // namespace

Script script_of(std::uint32_t character) {
  if (character < 0x80)
    return is_letter(static_cast<char>(character)) ? Script::Latin : Script::None;
  if (character == 0xD7 || character == 0xF7) return Script::None;  // times and division signs
  const auto* const range = std::partition_point(
      kRanges.begin(), kRanges.end(), [&](const Range& r) { return r.last < character; });
  return range != kRanges.end() && character >= range->first ? range->script : Script::None;
}

bool is_mark(std::uint32_t character) {
  const auto within = [&](std::uint32_t first, std::uint32_t last) {
    return character >= first && character <= last;
  };
  return within(0x300, 0x36F) || within(0x1AB0, 0x1AFF) || within(0x1DC0, 0x1DFF) ||
         within(0x200B, 0x200D) || within(0x20D0, 0x20FF) || within(0xFE00, 0xFE0F) ||
         within(0xFE20, 0xFE2F) || character == 0xAD || character == 0x2060;
}

}  // namespace aha
