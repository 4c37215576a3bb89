#include <algorithm>

#include "rewards/math/prose_scanner.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::size_t kMostSpans = 64;
constexpr std::size_t kMostItems = 400;

/// Not an equals sign, which may end a line of work; "> 5" is not 5.
bool begins_operand(Part part) {
  return part == Part::Number || part == Part::Operand || part == Part::Prefix ||
         part == Part::Sign || part == Part::Open || part == Part::Relation;
}

}  // namespace

std::vector<Piece> Scanner::spans() {
  while (at_ < text_.size() && !(keep_ == Keep::First && spans_.size() >= kMostSpans)) {
    if (text_[at_] == ' ' || text_[at_] == '\t') {
      space_ = true;
      ++at_;
      continue;
    }
    const auto item = next();
    space_ = false;
    at_ = std::max(item.end, at_ + 1);
    take(item);
  }
  flush();
  return std::move(spans_);
}

void Scanner::take(const Item& item) {
  if (item.part == Part::Break || items_.size() >= kMostItems) flush();
  if (item.part == Part::Break) {
    const char c = text_[item.begin];
    aside_ = c == '(' || (aside_ && c != ')' && c != '\n');
    return;
  }
  if (item.part == Part::Close && depth_ == 0) return;
  if (item.part == Part::Open) ++depth_;
  if (item.part == Part::Close) --depth_;
  items_.push_back(item);
}

/// The items so far are a span; brackets that stay open part it.
void Scanner::flush() {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].part == Part::Open) open.push_back(i);
    if (items_[i].part == Part::Close) open.pop_back();
  }
  std::size_t from = 0;
  for (const auto cut : open) {
    add(from, cut);
    aside_ = aside_ || text_[items_[cut].begin] == '(';
    from = cut + 1;
  }
  add(from, items_.size());
  items_.clear();
  depth_ = 0;
}

bool Scanner::has_number(std::size_t from, std::size_t to) const {
  for (; from < to; ++from)
    if (items_[from].part == Part::Number) return true;
  return false;
}

/// "5 × width" and "x^n": something else is done with the number; not with those of "**5**" and "5/day". So does a "≤".
bool Scanner::operates(const Item& item) const {
  const char c = text_[item.begin];
  if (item.part == Part::Relation) return static_cast<unsigned char>(c) > 127;
  if (item.part != Part::Binary) return false;
  const auto is_space_at = [&](std::size_t at) { return at < text_.size() && text_[at] == ' '; };
  if (c == '*') return item.begin > 0 && is_space_at(item.begin - 1) && is_space_at(item.end);
  if (c == '_') return text_.substr(item.end).starts_with('{');
  return c == '^' || c == '\\' || static_cast<unsigned char>(c) > 127;
}

/// Without the signs at both ends that join nothing.
void Scanner::trim(std::size_t& from, std::size_t& to) const {
  while (from < to && !begins_operand(items_[from].part) && !operates(items_[from]))
    ++from;
  while (from < to && !ends_operand(items_[to - 1].part) && !operates(items_[to - 1]))
    --to;
}

/// The part of some items that an equals sign gives as the value: the last, "x" of "5 = x" aside. "x^2 - 1 = 0" has none.
void Scanner::cut(std::size_t& from, std::size_t& to) const {
  int depth = 0;
  for (auto i = to; i-- > from;) {
    depth += items_[i].part == Part::Close ? 1 : items_[i].part == Part::Open ? -1 : 0;
    if (items_[i].part != Part::Equals || depth != 0) continue;
    if (!has_number(i, to)) {
      to = i;
      continue;
    }
    const bool zero = i + 2 == to && text_[items_[i + 1].begin] == '0' &&
                      items_[i + 1].end == items_[i + 1].begin + 1;
    const auto left = std::count_if(items_.begin() + static_cast<std::ptrdiff_t>(from),
                                    items_.begin() + static_cast<std::ptrdiff_t>(i),
                                    [](const Item& item) { return item.part == Part::Operand; });
    if (!zero || left == 0 || i < from + 3) from = i + 1;
    return;
  }
}

void Scanner::add(std::size_t from, std::size_t to) {
  trim(from, to);
  if (!has_number(from, to)) return;
  if (text_[items_[from].begin] == '^') return;  // of a word
  Piece piece{items_[from].begin, items_[to - 1].end, {}, false, aside_};
  cut(from, to);
  trim(from, to);
  while (from + 1 < to && text_[items_[from].begin] == '$')
    ++from;
  piece.content = text_.substr(items_[from].begin, items_[to - 1].end - items_[from].begin);
  spans_.push_back(piece);
  if (keep_ == Keep::Last && spans_.size() >= 2 * kMostSpans)
    spans_.erase(spans_.begin(), spans_.end() - kMostSpans);
}

std::vector<Piece> spans_of(std::string_view text, Keep keep) {
  const auto may_count = [](char c) {
    return is_digit(c) || c == '\\' || static_cast<unsigned char>(c) > 127;
  };
  if (std::none_of(text.begin(), text.end(), may_count)) return {};
  return Scanner(text, keep).spans();
}

}  // namespace aha::math
