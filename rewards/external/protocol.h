#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "rewards/reward.h"

namespace aha {

// What is said to a scorer outside of this process and what it answers: one JSON object each, over pipes
// a line, over HTTP a body. rewards/README.md shows them.
//
//   us      {"protocol": "aha-scorer", "version": 1}
//   scorer  {"protocol": "aha-scorer", "version": 1}                        once, at the start
//   us      {"id": text, "prompt": text, "completion": text, "row": object}
//   scorer  {"id": the same, "score": number or null, "breakdown": object or text}

/// Bytes of an answer at most: what it is judged from is a number and a few words.
inline constexpr std::size_t kMostAnswerBytes = std::size_t{1} << 20;

/// What is said first.
std::string greeting();

/// What is wrong with the answer to it, such as another version; nothing when it is as it should be.
std::optional<std::string> greeting_problem(std::string_view answer);

std::string request_text(std::string_view id, const Attempt& attempt);

/// What a scorer said of one request.
struct ScorerAnswer {
  std::optional<std::string> id;
  RewardPart part;
};

/// A score may be true or false (1, 0). `breakdown` says what `extracted` and `reason` are: its fields of
/// these names where they are texts, else all of it is the reason. An answer without a usable score cannot
/// be judged, and the reason says why. UserError for what is no JSON object.
ScorerAnswer read_answer(std::string_view text);

}  // namespace aha
