#include "rewards/language.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace aha {
namespace {

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
  Han
};

struct Range {
  std::uint32_t first;
  std::uint32_t last;
  Script script;
};

// Blocks of the Unicode Standard 15 beyond ASCII, letters only where a block mixes.
constexpr std::array kRanges = {
    Range{0xC0, 0x24F, Script::Latin},     Range{0x370, 0x3FF, Script::Greek},
    Range{0x400, 0x52F, Script::Cyrillic}, Range{0x5D0, 0x5EA, Script::Hebrew},
    Range{0x620, 0x6FF, Script::Arabic},   Range{0x904, 0x97F, Script::Devanagari},
    Range{0xE01, 0xE3A, Script::Thai},     Range{0x1100, 0x11FF, Script::Hangul},
    Range{0x1E00, 0x1EFF, Script::Latin},  Range{0x3041, 0x30FF, Script::Kana},
    Range{0x3400, 0x4DBF, Script::Han},    Range{0x4E00, 0x9FFF, Script::Han},
    Range{0xAC00, 0xD7A3, Script::Hangul}, Range{0xF900, 0xFAFF, Script::Han},
    Range{0x20000, 0x323AF, Script::Han},
};

struct Language {
  std::string_view name;
  Script script;
  Script also = Script::None;
};

constexpr std::array kLanguages = {
    Language{"en", Script::Latin},
    Language{"de", Script::Latin},
    Language{"fr", Script::Latin},
    Language{"es", Script::Latin},
    Language{"it", Script::Latin},
    Language{"pt", Script::Latin},
    Language{"nl", Script::Latin},
    Language{"pl", Script::Latin},
    Language{"vi", Script::Latin},
    Language{"zh", Script::Han},
    Language{"ja", Script::Kana, Script::Han},
    Language{"ko", Script::Hangul},
    Language{"ru", Script::Cyrillic},
    Language{"uk", Script::Cyrillic},
    Language{"bg", Script::Cyrillic},
    Language{"el", Script::Greek},
    Language{"ar", Script::Arabic},
    Language{"fa", Script::Arabic},
    Language{"he", Script::Hebrew},
    Language{"hi", Script::Devanagari},
    Language{"th", Script::Thai},
};

bool ascii_letter(char c) {
  return (static_cast<unsigned char>(c) | 0x20U) - 'a' < 26U;
}

Script script_of(std::uint32_t character) {
  if (character < 0x80)
    return ascii_letter(static_cast<char>(character)) ? Script::Latin : Script::None;
  if (character == 0xD7 || character == 0xF7) return Script::None;  // times and division signs
  for (const auto& range : kRanges) {
    if (character >= range.first && character <= range.last) return range.script;
  }
  return Script::None;
}

/// The character at `at`, which moves behind it; 0 for a byte that is no UTF-8.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0;
  if (more == 0 || at + more > text.size()) return 0;
  std::uint32_t value = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
    value = value << 6U | (byte(at + i) & 0x3FU);
  }
  at += more;
  return value;
}

bool by_character(Script script) {
  return script == Script::Han || script == Script::Kana || script == Script::Thai;
}

class LanguageReward final : public Reward {
 public:
  explicit LanguageReward(std::string language) : language_(std::move(language)) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto counts = words_in_language(attempt.completion, language_).value_or(WordCounts{});
    const auto text = fmt::format("{} of {}", counts.target, counts.all);
    if (counts.all == 0) return {0.0, text, "no words"};
    return {static_cast<double>(counts.target) / static_cast<double>(counts.all), text,
            "words of the language", counts.all};
  }

 private:
  std::string language_;
};

}  // namespace

std::optional<WordCounts> words_in_language(std::string_view text, std::string_view language) {
  const auto* const known = std::find_if(kLanguages.begin(), kLanguages.end(),
                                         [&](const Language& l) { return l.name == language; });
  if (known == kLanguages.end()) return std::nullopt;
  WordCounts counts;
  Script run = Script::None;
  std::int64_t letters = 0;
  bool command = false;
  const auto close = [&] {
    const bool variable = letters < 2 && (run == Script::Latin || run == Script::Greek);
    if (run != Script::None && !variable && !command) {
      ++counts.all;
      counts.target += run == known->script || run == known->also ? 1 : 0;
    }
    letters = 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    // most of most texts: a word that goes on
    if (run == Script::Latin && ascii_letter(text[at])) {
      ++letters;
      ++at;
      continue;
    }
    const bool backslash = text[at] == '\\';
    const auto script = script_of(next_character(text, at));
    if (script != run || by_character(script)) close();
    if (script == Script::None) command = backslash;
    run = script;
    ++letters;
  }
  close();
  return counts;
}

std::unique_ptr<Reward> make_language_reward(const RewardOptions& options) {
  std::vector<std::string> names;
  names.reserve(std::size(kLanguages));
  for (const auto& language : kLanguages)
    names.emplace_back(language.name);
  return std::make_unique<LanguageReward>(options.choice("language", names));
}

}  // namespace aha
