#include "rewards/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "rewards/text_scan.h"
#include "trainer/core/error.h"

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
    Range{0x20000, 0x323AF, Script::Han},  Range{0x750, 0x77F, Script::Arabic},
    Range{0x1F00, 0x1FFF, Script::Greek},  Range{0x2C60, 0x2C7F, Script::Latin},
    Range{0x3131, 0x318E, Script::Hangul}, Range{0x31F0, 0x31FF, Script::Kana},
    Range{0xA960, 0xA97C, Script::Hangul}, Range{0xD7B0, 0xD7FB, Script::Hangul},
    Range{0xFB50, 0xFDFB, Script::Arabic}, Range{0xFE70, 0xFEFC, Script::Arabic},
    Range{0xFF21, 0xFF3A, Script::Latin},  Range{0xFF41, 0xFF5A, Script::Latin},
    Range{0xFF66, 0xFF9F, Script::Kana},   Range{0xFFA1, 0xFFDC, Script::Hangul},
};

struct Language {
  std::string_view name;
  Script script;
  std::string_view script_name = {};  ///< of the language that stands for it
};

// The first of a script stands for it.
constexpr std::array kLanguages = {
    Language{"en", Script::Latin, "Latin"},
    Language{"zh", Script::Han, "Han"},
    Language{"ja", Script::Kana, "kana"},
    Language{"ko", Script::Hangul, "Hangul"},
    Language{"ru", Script::Cyrillic, "Cyrillic"},
    Language{"el", Script::Greek, "Greek"},
    Language{"ar", Script::Arabic, "Arabic"},
    Language{"he", Script::Hebrew, "Hebrew"},
    Language{"hi", Script::Devanagari, "Devanagari"},
    Language{"th", Script::Thai, "Thai"},
    Language{"de", Script::Latin},
    Language{"fr", Script::Latin},
    Language{"es", Script::Latin},
    Language{"it", Script::Latin},
    Language{"pt", Script::Latin},
    Language{"nl", Script::Latin},
    Language{"pl", Script::Latin},
    Language{"vi", Script::Latin},
    Language{"tr", Script::Latin},
    Language{"id", Script::Latin},
    Language{"uk", Script::Cyrillic},
    Language{"bg", Script::Cyrillic},
    Language{"fa", Script::Arabic},
    Language{"ur", Script::Arabic},
    Language{"mr", Script::Devanagari},
};

const Language* find_language(std::string_view name) {
  const auto* const found = std::find_if(kLanguages.begin(), kLanguages.end(),
                                         [&](const Language& l) { return l.name == name; });
  return found == kLanguages.end() ? nullptr : found;
}

/// The language that stands for the script of this one.
const Language& of_script(const Language& language) {
  return *std::find_if(kLanguages.begin(), kLanguages.end(),
                       [&](const Language& l) { return l.script == language.script; });
}

Script script_of(std::uint32_t character) {
  if (character < 0x80)
    return is_letter(static_cast<char>(character)) ? Script::Latin : Script::None;
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

/// A full stop, exclamation or question mark of Japanese, or of ASCII, or a line's end; a point may be a decimal one.
bool ends_sentence(std::uint32_t character) {
  return character == 0x3002 || character == 0xFF01 || character == 0xFF1F || character == '!' ||
         character == '?' || character == '\n';
}

/// ASCII without blanks, and U+2581, which stands for one in the names of special tokens.
bool names_token(std::string_view name) {
  constexpr std::string_view kBlank = "\xE2\x96\x81";
  while (!name.empty()) {
    const bool blank = name.starts_with(kBlank);
    if (!blank && (name[0] <= ' ' || name[0] == '<' || name[0] >= '\x7F')) return false;
    name.remove_prefix(blank ? kBlank.size() : 1);
  }
  return true;
}

/// Bytes of the tag or special token that begins at a '<': <name>, </name>, <|name|>, or with the wide bars of some
/// vocabularies. 0: it is none, as in "a < b".
std::size_t markup_bytes(std::string_view text) {
  constexpr std::size_t kMost = 64;
  constexpr std::string_view kWideBar = "\xEF\xBD\x9C";
  const auto end = text.substr(0, kMost).find('>');
  if (end == std::string_view::npos) return 0;
  auto name = text.substr(1, end - 1);
  for (const std::string_view bar : {std::string_view("|"), kWideBar})
    if (name.size() > 2 * bar.size() && name.starts_with(bar) && name.ends_with(bar))
      return names_token(name.substr(bar.size(), name.size() - 2 * bar.size())) ? end + 1 : 0;
  if (name.starts_with('/')) name.remove_prefix(1);
  const bool is_tag =
      !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '-';
      });
  return is_tag ? end + 1 : 0;
}

struct WordCounts {
  std::int64_t target = 0;
  std::int64_t all = 0;
};

/// Counts words from the left.
class WordCounter {
 public:
  explicit WordCounter(Script target) : target_(target) {}

  WordCounts count(std::string_view text) && {
    for (std::size_t at = 0; at < text.size();) {
      // most of most texts: a word that goes on
      if (run_ == Script::Latin && is_letter(text[at])) {
        ++letters_;
        ++at;
      } else if (const auto markup = text[at] == '<' ? markup_bytes(text.substr(at)) : 0) {
        take(0);
        at += markup;
      } else {
        take(next_character(text, at));
      }
    }
    end_word();
    end_sentence();
    return counts_;
  }

 private:
  void take(std::uint32_t character) {
    const auto script = script_of(character);
    if (script != run_ || by_character(script)) end_word();
    if (script == Script::None)
      command_ = character == '\\';
    else if (character >= 0x80)
      command_ = false;  // its name is ASCII's letters
    run_ = script;
    ++letters_;
    if (target_ == Script::Kana && ends_sentence(character)) end_sentence();
  }

  void end_word() {
    const bool variable = letters_ < 2 && (run_ == Script::Latin || run_ == Script::Greek);
    if (run_ != Script::None && !variable && !command_) {
      ++counts_.all;
      counts_.target += run_ == target_ ? 1 : 0;
      has_kana_ = has_kana_ || run_ == Script::Kana;
      han_ += run_ == Script::Han ? 1 : 0;
    }
    letters_ = 0;
  }

  /// Han is Japanese beside kana.
  void end_sentence() {
    if (target_ == Script::Kana && has_kana_) counts_.target += han_;
    han_ = 0;
    has_kana_ = false;
  }

  Script target_;
  Script run_ = Script::None;
  std::int64_t letters_ = 0;
  bool command_ = false;
  std::int64_t han_ = 0;  ///< words of this sentence
  bool has_kana_ = false;
  WordCounts counts_;
};

class LanguageReward final : public Reward {
 public:
  explicit LanguageReward(Script script) : script_(script) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto counts = WordCounter(script_).count(attempt.completion);
    const auto text = fmt::format("{} of {}", counts.target, counts.all);
    if (counts.all == 0) return {0.0, text, "no words"};
    return {static_cast<double>(counts.target) / static_cast<double>(counts.all), text,
            "words in the script of the language", counts.all};
  }

 private:
  Script script_;
};

std::unique_ptr<Reward> make_language_reward(const RewardOptions& options) {
  const auto* const known = find_language(options.text("language"));
  if (known != nullptr && of_script(*known).name != known->name)
    fail(
        "reward 'language': option 'language' is '{}', which has the {} script as other languages "
        "have, and scripts are all that is told apart here; '{}' stands for that script",
        known->name, of_script(*known).script_name, of_script(*known).name);
  std::vector<std::string> names;
  for (const auto& language : kLanguages)
    if (of_script(language).name == language.name) names.emplace_back(language.name);
  return std::make_unique<LanguageReward>(find_language(options.choice("language", names))->script);
}

}  // namespace

/// Language consistency: the share of words in the script of option `language` (en). Scripts are known here and
/// not languages: a French text is wholly "en". Languages that another one of the same script stands for are refused.
///
///   words of the target language / all words
///
/// and 0 for a text without words. `extracted` has the two counts. A run of letters of one script is a word; of Han, kana
/// and Thai, which are written without spaces, each character is one. What does not count: tags (<think>) and special
/// tokens (<|im_end|>), single Latin and Greek letters, which are variables, and LaTeX commands. The languages and what
/// they stand for: en (Latin), zh (Han), ja (kana, and Han in sentences that have kana), ko (Hangul), ru (Cyrillic), el
/// (Greek), ar (Arabic), he (Hebrew), hi (Devanagari), th (Thai).
///
/// Source: DeepSeek-R1 (arXiv:2501.12948) section 2.3.2.
RewardInfo language_reward() {
  return {"language",
          "share of words in the script of a language; it knows no languages (DeepSeek-R1)",
          {{"language", "en",
            "for its script: en (Latin), zh, ja, ko, ru (Cyrillic), el, ar, he, hi, th"}},
          make_language_reward};
}

}  // namespace aha
