#include "rewards/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "rewards/latex_commands.h"
#include "rewards/script.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

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

bool is_blank(std::uint32_t character) {
  return character == ' ' || (character >= '\t' && character <= '\r') || character == 0xA0 ||
         (character >= 0x2000 && character <= 0x200A) || character == 0x3000;
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

/// A tag or a special token: <name>, </name>, <|name|>, or with the wide bars of some vocabularies.
struct Markup {
  std::size_t bytes = 0;  ///< 0: it is none, as in "a < b"
  std::string_view name;
};

/// What begins at a '<'.
Markup markup_at(std::string_view text) {
  constexpr std::size_t kMost = 64;
  constexpr std::string_view kWideBar = "\xEF\xBD\x9C";
  constexpr int kMostParts = 4;  // as of <begin_of_thought>; a sentence has more
  const auto end = text.substr(0, kMost).find('>');
  if (end == std::string_view::npos) return {};
  auto name = text.substr(1, end - 1);
  for (const std::string_view bar : {std::string_view("|"), kWideBar}) {
    if (name.size() <= 2 * bar.size() || !name.starts_with(bar) || !name.ends_with(bar)) continue;
    name = name.substr(bar.size(), name.size() - 2 * bar.size());
    return names_token(name) ? Markup{end + 1, name} : Markup{};
  }
  if (name.starts_with('/')) name.remove_prefix(1);
  int parts = 1;
  for (const char c : name) {
    if (c == '_' || c == '-')
      ++parts;
    else if (!is_letter(c) && !is_digit(c))
      return {};
  }
  if (name.empty() || !is_letter(name.front()) || parts > kMostParts) return {};
  return {end + 1, name};
}

struct WordCounts {
  std::int64_t target = 0;
  std::int64_t all = 0;
};

/// Counts words from the left.
class WordCounter {
 public:
  WordCounter(std::string_view text, Script target) : text_(text), target_(target) {}

  WordCounts count() && {
    while (at_ < text_.size()) {
      // most of most texts: a word that goes on
      if (run_ == Script::Latin && is_letter(text_[at_])) {
        ++letters_;
        ++at_;
      } else if (!skip_markup()) {
        take();
      }
    }
    end_word(at_);
    end_sentence();
    return counts_;
  }

 private:
  /// True where markup was passed over: of as many names as a template may have, so that none hides a text.
  bool skip_markup() {
    constexpr std::size_t kMostNames = 8;
    if (text_[at_] != '<') return false;
    const Markup markup = markup_at(text_.substr(at_));
    if (markup.bytes == 0) return false;
    if (std::find(names_.begin(), names_.end(), markup.name) == names_.end()) {
      if (names_.size() == kMostNames) return false;
      names_.push_back(markup.name);
    }
    end_word(at_);
    run_ = Script::None;
    command_ = false;
    at_ += markup.bytes;
    return true;
  }

  void take() {
    const auto begin = at_;
    const auto character = next_character(text_, at_);
    if (run_ != Script::None && is_mark(character)) return;
    const auto script = script_of(character);
    if (script != run_ || by_character(script)) {
      end_word(begin);
      word_ = begin;
    }
    if (script == Script::None) {
      command_ = character == '\\';
      if (!is_blank(character)) in_a_row_ = 0;
    }
    run_ = script;
    ++letters_;
    if (target_ == Script::Kana && ends_sentence(character)) end_sentence();
  }

  /// Of the run of one script that ends at `end`: a single letter is a variable, but not one of a row of them.
  bool is_word(std::size_t end) {
    constexpr int kMostInARow = 8;  // as of points: A B C D E F
    if (run_ == Script::None) return false;
    if (command_ && is_latex_command(text_.substr(word_, end - word_))) return false;
    if (letters_ > 1 || (run_ != Script::Latin && run_ != Script::Greek)) {
      in_a_row_ = 0;
      return true;
    }
    return ++in_a_row_ > kMostInARow;
  }

  void end_word(std::size_t end) {
    if (is_word(end)) {
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

  std::string_view text_;
  Script target_;
  std::size_t at_ = 0;
  Script run_ = Script::None;
  std::size_t word_ = 0;  ///< where the run begins
  std::int64_t letters_ = 0;
  int in_a_row_ = 0;  ///< single letters
  bool command_ = false;
  std::vector<std::string_view> names_;  ///< of markup, each once
  std::int64_t han_ = 0;                 ///< words of this sentence
  bool has_kana_ = false;
  WordCounts counts_;
};

class LanguageReward final : public Reward {
 public:
  explicit LanguageReward(Script script) : script_(script) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto counts = WordCounter(attempt.completion, script_).count();
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
/// tokens (<|im_end|>), of eight names at most, single Latin and Greek letters, which are variables (but not after eight in a row),
/// and commands of LaTeX's mathematics. The languages and what
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
