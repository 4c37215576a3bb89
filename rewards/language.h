#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Words of a text by script. A run of letters of one script is a word; of Han, kana and Thai, which
/// are written without spaces, each character is one. What does not count: tags (<think>) and special
/// tokens (<|im_end|>), single Latin and Greek letters, which are variables, and LaTeX commands.
struct WordCounts {
  std::int64_t target = 0;
  std::int64_t all = 0;
};

/// `language` stands for its script, in which other languages are written as well: en (Latin), zh (Han), ja (kana,
/// and Han in sentences that have kana), ko (Hangul), ru (Cyrillic), el (Greek), ar (Arabic), he (Hebrew), hi
/// (Devanagari), th (Thai). Nothing for another one.
std::optional<WordCounts> words_in_language(std::string_view text, std::string_view language);

/// Language consistency: the share of words in the script of option `language` (en). Scripts are known here and
/// not languages: a French text is wholly "en". Languages that another one of the same script stands for are refused.
///
///   words of the target language / all words
///
/// and 0 for a text without words. `extracted` has the two counts.
///
/// Source: DeepSeek-R1 (arXiv:2501.12948) section 2.3.2.
std::unique_ptr<Reward> make_language_reward(const RewardOptions& options);

}  // namespace aha
