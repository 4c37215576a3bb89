#include "rewards/math/retraction.h"

#include <algorithm>
#include <string>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::size_t kReach = 400;  // an answer is taken back soon, if at all
constexpr auto kNone = std::string_view::npos;

// What may stand between a word that takes back and the number which it leads to.
constexpr std::string_view kLinks[] = {"it",     "it's",   "is",     "be",    "the",    "that",
                                       "that's", "this",   "answer", "value", "result", "right",
                                       "would",  "have",   "been",   "must",  "so",     "but",
                                       "on",     "second", "i",      "oh",    "no",     "hmm"};

constexpr std::string_view kMarkers[] = {"wait",    "oops",       "sorry", "really", "actually",
                                         "thought", "correction", "meant", "should"};

// These take back only with a noun: "the correct value is", but not "this is correct: 6 * 7 = 42".
constexpr std::string_view kQualities[] = {"correct", "actual", "real", "true"};
constexpr std::string_view kNouns[] = {"answer", "value", "result"};

constexpr std::string_view kSubjects[] = {"it", "it's", "that", "that's", "this", "which"};

bool in_word(char c) {
  return is_letter(c) || c == '\'';
}

bool ends_clause(char c) {
  return std::string_view(".!?\n").find(c) != kNone;
}

/// The word, in small letters, that ends before a place, marks and commas passed over; empty at the end of a sentence, a
/// number or the beginning. `at` goes before it.
std::string word_before(std::string_view text, std::size_t& at) {
  while (at > 0 && !in_word(text[at - 1]) && !ends_clause(text[at - 1]) && !is_digit(text[at - 1]))
    --at;
  const auto end = at;
  while (at > 0 && in_word(text[at - 1]))
    --at;
  return lower(text.substr(at, end - at));
}

/// The number that begins at or behind a place, as written, without a sign; empty where there is none.
std::string_view number_at(std::string_view text, std::size_t at) {
  at = text.find_first_of("0123456789", at);
  if (at == kNone) return {};
  auto end = std::min(text.find_first_not_of("0123456789.,", at), text.size());
  while (!is_digit(text[end - 1]))
    --end;
  return text.substr(at, end - at);
}

bool has_sign(std::string_view text, std::size_t at) {
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '$'))
    --at;
  return at > 0 && text[at - 1] == '-';
}

/// True where a number is a value, and not the beginning of a calculation.
bool stands_alone(std::string_view text, std::size_t end) {
  const auto next = text.find_first_not_of(' ', end);
  return next == kNone || std::string_view("+-*/^=<>\\\xC3\xC2").find(text[next]) == kNone;
}

/// True of a place that begins a sentence, or what a dash or bracket sets off.
bool begins_clause(std::string_view text, std::size_t at) {
  if (at == 0 || ends_clause(text[at - 1])) return true;
  const auto word =
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), in_word);
  const auto gap = text.substr(at, static_cast<std::size_t>(word - text.begin()) - at);
  return gap.find_first_of("-(\xE2") != kNone;
}

/// Whether words lead from a number back to one that takes an answer back, with nothing else in their clause.
bool is_led_to(std::string_view text, std::size_t at) {
  bool marked = false;
  bool noun = false;
  for (;;) {
    const auto word = word_before(text, at);
    if (word.empty()) return marked && begins_clause(text, at);
    const bool marks = holds(kMarkers, word) || (noun && holds(kQualities, word));
    marked = marked || marks;
    noun = noun || holds(kNouns, word);
    // "But checking, it's really 7"
    if (!marks && !holds(kLinks, word))
      return marked && std::string_view(",;:").find(text[at + word.size()]) != kNone;
  }
}

/// "is wrong", "that is not right": said of the answer where nothing, its number or a subject stands before.
bool is_called_wrong(std::string_view text, std::size_t at, std::string_view word) {
  const auto rest = trimmed(text.substr(at + word.size()));
  if (!rest.empty() && is_letter(rest[0]) && !rest.starts_with("because")) return false;
  bool subject = false;
  bool denied = false;
  for (;;) {
    const auto before = word_before(text, at);
    if (before == "not" || before == "isn't")
      denied = true;
    else if (holds(kSubjects, before))
      subject = true;
    else if (before != "is" && before != "was") {
      if (!before.empty() || denied != (word == "correct" || word == "right")) return false;
      return at == 0 || subject ||
             std::none_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), in_word);
    }
  }
}

}  // namespace

bool is_taken_back(std::string_view behind, std::string_view answer) {
  constexpr std::string_view kJudged[] = {"wrong", "incorrect", "false", "correct", "right"};
  const auto text = behind.substr(0, kReach);
  const auto own = number_at(answer, 0);
  for (std::size_t at = 0; at < text.size();) {
    const auto from = at;
    if (is_digit(text[at])) {
      const auto number = number_at(text, at);
      const bool other =
          number != own || has_sign(text, at) != (answer.find('-') != std::string_view::npos);
      // an answer in words is not corrected by a number
      if (!own.empty() && other && stands_alone(text, at + number.size()) && is_led_to(text, at))
        return true;
      at += number.size();
      continue;
    }
    while (at < text.size() && in_word(text[at]))
      ++at;
    const auto word = lower(text.substr(from, at - from));
    if (holds(kJudged, word) && is_called_wrong(text, from, word)) return true;
    at += at == from ? 1 : 0;
  }
  return false;
}

}  // namespace aha::math
