#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

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
std::unique_ptr<Reward> make_language_reward(const RewardOptions& options);

}  // namespace aha
