#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/component.h"
#include "data/tokenizer/regex.h"

namespace aha {

/// A text cut at its matches: every byte is in one part.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_match = false;
};

/// `{"String": ...}` or `{"Regex": ...}` of a tokenizer.json.
class Pattern {
 public:
  explicit Pattern(const Component& pattern);

  void find_all(std::string_view text, std::vector<Span>& matches) const;
  /// `text` with `content` for every match.
  std::string replace(std::string_view text, std::string_view content) const;

 private:
  std::string literal_;         ///< when there is no regex
  std::optional<Regex> regex_;  ///< an empty literal is one: it matches between characters
};

/// Turns matches into parts; matches become gaps and gaps matches if `invert`.
void cut(std::string_view text, const std::vector<Span>& matches, bool invert,
         std::vector<Part>& parts);

/// What becomes of the matches: `behavior` of Split and Punctuation.
enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };
SplitBehavior split_behavior(const Component& component);

/// Parts put together by `behavior`; those to be removed are left out.
void apply_behavior(SplitBehavior behavior, std::vector<Part>& parts);

}  // namespace aha
