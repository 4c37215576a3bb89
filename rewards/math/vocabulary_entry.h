#pragma once
#include "rewards/math/vocabulary.h"

namespace aha::math {

/// A row of a table of words: what is written, and what it means.
struct Entry {
  std::string_view word;
  TokenKind kind;
  std::string_view text = {};
};

using K = TokenKind;

}  // namespace aha::math
