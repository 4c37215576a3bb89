#include "trainer/metrics/reflection.h"

#include <algorithm>
#include <limits>

#include "trainer/core/error.h"
#include "trainer/metrics/reduce.h"

namespace aha {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_word_char(char c) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

std::string normalised(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (!is_space(c))
      out += lower(c);
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// Length of the match of `word` at `at`, 0 for none. The characters before `at` are the caller's.
std::size_t match_length(std::string_view text, std::size_t at, std::string_view word) {
  std::size_t i = at;
  for (const char c : word) {
    if (i >= text.size()) return 0;
    if (c == ' ') {
      if (!is_space(text[i])) return 0;
      while (i < text.size() && is_space(text[i]))
        ++i;
    } else if (lower(text[i++]) != c) {
      return 0;
    }
  }
  const bool cut = is_word_char(word.back()) && i < text.size() && is_word_char(text[i]);
  return cut ? 0 : i - at;
}

/// Means over the completions with or without reflection that are judged.
struct Accuracy {
  std::int64_t judged = 0;
  std::int64_t correct = 0;

  void add(std::optional<bool> right) {
    if (right) ++judged;
    if (right.value_or(false)) ++correct;
  }
};

double quotient(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ReflectionWords::ReflectionWords(std::span<const std::string> words) {
  for (const auto& word : words) {
    words_.push_back(normalised(word));
    if (words_.back().empty())
      fail("log.reflection_words: '{}' is empty, expected a word or a phrase", word);
  }
  std::stable_sort(words_.begin(), words_.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::int64_t ReflectionWords::count(std::string_view text) const {
  std::int64_t found = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    const bool inside = at > 0 && is_word_char(text[at - 1]) && is_word_char(text[at]);
    for (const auto& word : words_) {
      if (inside || lower(text[at]) != word.front()) continue;
      length = match_length(text, at, word);
      if (length > 0) break;
    }
    if (length > 0) ++found;
    at += std::max<std::size_t>(length, 1);
  }
  return found;
}

MetricValues reflection_metrics(std::span<const Group> groups, const ReflectionWords& words) {
  static const ReflectionWords kWait(std::vector<std::string>{"wait"});
  std::int64_t completions = 0, tokens = 0, reflecting = 0, found = 0, waits = 0;
  Accuracy with, without;
  for (const auto& group : groups) {
    for (std::size_t i = 0; i < group.completions.size(); ++i) {
      const auto& completion = group.completions[i];
      const auto here = words.count(completion.text);
      ++completions;
      tokens += completion.length();
      found += here;
      waits += kWait.count(completion.text);
      if (here > 0) ++reflecting;
      if (i < group.scores.size()) (here > 0 ? with : without).add(is_correct(group.scores[i]));
    }
  }
  return {{"reflection/share", quotient(reflecting, completions)},
          {"reflection/per_completion", quotient(found, completions)},
          {"reflection/per_1k_tokens", 1000.0 * quotient(found, tokens)},
          {"reflection/wait", quotient(waits, completions)},
          {"reflection/accuracy_with", quotient(with.correct, with.judged)},
          {"reflection/accuracy_without", quotient(without.correct, without.judged)}};
}

}  // namespace aha
