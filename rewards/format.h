#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "rewards/registry.h"

namespace aha {

/// What a format rule says of a text.
struct FormatVerdict {
  double score = 0.0;
  const char* reason = "";
};

/// A rule on the shape of a completion, by its name. The published ones give what their originals
/// give on the same text (they are regular expressions there and linear scanners here; white space
/// and digits are ASCII's).
struct FormatVariant {
  const char* name;
  const char* what;
  FormatVerdict (*rule)(std::string_view text);
};

/// Name and rule of each:
///
///   think_answer               ours: the text is <think>...</think> and then <answer>...</answer>,
///                              neither of them empty, white space between and around allowed,
///                              each of the four tags exactly once: 1, else 0
///   hash_answer                ours, for GSM8K's way of ending: "####" occurs once, and after it, white
///                              space on the line aside, a number: 1, else 0
///   open-r1.format_reward      ^<think>\n.*?\n</think>\n<answer>\n.*?\n</answer>$ : 1, else 0
///                              (`$` is the end of a line: lines after </answer> do not matter)
///   open-r1.tag_count_reward   .25 for each of "<think>\n", "\n</think>\n", "\n<answer>\n" and
///                              "\n</answer>" that occurs exactly once
///   trl.think_format_reward    starts with <think>, has a later </think> and no second <think>:
///                              1, else 0
///   nemo_rl.format_reward      .25 for a <think>...</think> plus .75 for an <answer>...</answer>,
///                              anywhere
///   mini-r1.format_reward      ^<think>([^<]*(?:<(?!/?think>)[^<]*)*)</think>\n
///                              <answer>([\s\S]*?)</answer>$ : 1, else 0
///                              (`$` is the end, or one newline before it)
///   nano-aha.format_reward     the same, but .5 where the answer holds more than digits,
///                              + - * / ( ) . and white space, or nothing
///   oat.answer_tag_format      "</think> <answer>" and "</answer>" occur: 1, else 0 (the condition
///                              under which its answer_tag reward looks at an answer)
///
/// From open-r1 1416fa0, TRL f2cd577, NeMo-RL 7ea279a, and the recipes of Mini-R1, nano-aha-moment
/// and oat-zero.
std::span<const FormatVariant> format_variants();

/// Those of the published rules, each under its own name and without options.
std::vector<RewardInfo> published_formats();

}  // namespace aha
