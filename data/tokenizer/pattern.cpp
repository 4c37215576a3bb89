#include "data/tokenizer/pattern.h"

#include <algorithm>
#include <array>
#include <utility>

#include "data/tokenizer/tokenizer_files.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::array kBehaviors = {
    std::pair{"Removed", SplitBehavior::Removed},
    std::pair{"Isolated", SplitBehavior::Isolated},
    std::pair{"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
    std::pair{"MergedWithNext", SplitBehavior::MergedWithNext},
    std::pair{"Contiguous", SplitBehavior::Contiguous},
};

/// Joins a part to the one before it where `joins(previous is a match, this is a match)`.
template <class Joins>
void join(std::vector<Part>& parts, bool previous, Joins joins) {
  std::size_t kept = 0;
  for (const auto part : parts) {
    if (kept > 0 && joins(previous, part.is_match))
      parts[kept - 1].end = part.end;
    else
      parts[kept++] = part;
    previous = part.is_match;
  }
  parts.resize(kept);
}

/// The same from right to left.
void join_to_next(std::vector<Part>& parts) {
  std::size_t kept = parts.size();
  bool next_is_match = false;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const auto part = parts[i];
    if (kept < parts.size() && part.is_match && !next_is_match)
      parts[kept].begin = part.begin;
    else
      parts[--kept] = part;
    next_is_match = part.is_match;
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(kept));
}

}  // namespace

Pattern::Pattern(const Component& pattern) {
  const auto regex = pattern.member("Regex");
  if (!regex.is_null()) {
    regex_.emplace(pattern.text("Regex"), regex.where());
    return;
  }
  if (pattern.member("String").is_null())
    pattern.refuse("expected {\"String\": ...} or {\"Regex\": ...}, found " +
                   brief(pattern.json()));
  literal_ = pattern.text("String");
  if (literal_.empty()) regex_.emplace("", pattern.where());
}

void Pattern::find_all(std::string_view text, std::vector<Span>& matches) const {
  if (regex_) return regex_->find_all(text, matches);
  matches.clear();
  for (auto at = text.find(literal_); at != std::string_view::npos;
       at = text.find(literal_, at + literal_.size()))
    matches.push_back({at, at + literal_.size()});
}

std::string Pattern::replace(std::string_view text, std::string_view content) const {
  thread_local std::vector<Span> matches;
  find_all(text, matches);
  std::string replaced;
  std::size_t done = 0;
  for (const auto& match : matches) {
    replaced += text.substr(done, match.begin - done);
    replaced += content;
    done = match.end;
  }
  replaced += text.substr(done);
  return replaced;
}

void cut(std::string_view text, const std::vector<Span>& matches, bool invert,
         std::vector<Part>& parts) {
  parts.clear();
  std::size_t done = 0;
  for (const auto& match : matches) {
    if (match.begin > done) parts.push_back({done, match.begin, invert});
    parts.push_back({match.begin, match.end, !invert});
    done = match.end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), invert});
}

SplitBehavior split_behavior(const Component& component) {
  const auto name = component.text("behavior");
  for (const auto& [known, behavior] : kBehaviors)
    if (name == known) return behavior;
  fail(
      "{}.behavior: '{}' is not known, expected Removed, Isolated, MergedWithPrevious, "
      "MergedWithNext or Contiguous",
      component.where(), name);
}

void apply_behavior(SplitBehavior behavior, std::vector<Part>& parts) {
  switch (behavior) {
    case SplitBehavior::Isolated:
      return;
    case SplitBehavior::Removed:
      std::erase_if(parts, [](const Part& part) { return part.is_match; });
      return;
    case SplitBehavior::Contiguous:
      return join(parts, false, [](bool previous, bool is_match) { return previous == is_match; });
    case SplitBehavior::MergedWithPrevious:
      return join(parts, false, [](bool previous, bool is_match) { return is_match && !previous; });
    case SplitBehavior::MergedWithNext:
      return join_to_next(parts);
  }
}

}  // namespace aha
