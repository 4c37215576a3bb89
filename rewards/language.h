#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Words of a text by script. A run of letters of one script is a word; of Han, kana and Thai, which
/// are written without spaces, each character is one. Single Latin and Greek letters, which are
/// variables, and LaTeX commands do not count.
struct WordCounts {
  std::int64_t target = 0;
  std::int64_t all = 0;
};

/// `language`: en, de, fr, es, it, pt, nl, pl, vi (Latin script), zh, ja, ko, ru, uk, bg (Cyrillic),
/// el, ar, fa (Arabic), he, hi (Devanagari), th. Nothing for another one. Languages of one script
/// are not told apart.
std::optional<WordCounts> words_in_language(std::string_view text, std::string_view language);

/// Language consistency: the share of words in the script of option `language` (en),
///
///   words of the target language / all words
///
/// and 0 for a text without words. `extracted` has the two counts.
///
/// Source: DeepSeek-R1 (arXiv:2501.12948) section 2.3.2.
std::unique_ptr<Reward> make_language_reward(const RewardOptions& options);

}  // namespace aha
