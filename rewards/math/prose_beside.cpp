// What the words beside a number in running text say of it.
#include <algorithm>

#include "rewards/math/prose.h"
#include "rewards/math/prose_words.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

/// The word that ends at the end of a text; apostrophes belong to it, and what is not of ASCII as they may be.
std::string_view last_word(std::string_view text) {
  const auto in_word = [](char c) {
    return is_letter(c) || c == '\'' || static_cast<unsigned char>(c) > 127;
  };
  auto from = text.size();
  while (from > 0 && in_word(text[from - 1]))
    --from;
  return text.substr(from);
}

bool denies(std::string_view word) {
  return is_in(word, {"no", "unlikely", "impossible", "hardly"}) || is_negation(word) ||
         word.ends_with("n't") || word.ends_with("n\u2019t");
}

constexpr std::string_view kParts[] = {
    "half",        "halves",  "third",  "thirds",  "fourth",   "fourths",   "quarter",
    "quarters",    "fifth",   "fifths", "sixth",   "sixths",   "seventh",   "sevenths",
    "eighth",      "eighths", "ninth",  "ninths",  "tenth",    "tenths",    "hundredths",
    "thousandths", "percent", "cent",   "twelfth", "twelfths", "hundredth", "thousandth"};

// "the root of": what is of the size of a number, such as "a total of", is not among them.
constexpr std::string_view kOperations[] = {
    "root", "square",    "cube",    "reciprocal", "inverse", "negative",   "negation", "opposite",
    "log",  "logarithm", "ln",      "factorial",  "double",  "triple",     "multiple", "multiples",
    "none", "loss",      "out",     "instead",    "short",   "complement", "divisors", "factors",
    "sine", "cosine",    "tangent", "sin",        "cos",     "tan"};

constexpr std::string_view kChangingBefore[] = {
    "than",  "twice",  "thrice", "half",  "double", "triple",  "minus", "plus",
    "times", "under",  "over",   "above", "below",  "root",    "log",   "ln",
    "hex",   "binary", "octal",  "mod",   "modulo", "between", "choose"};

constexpr std::string_view kChangingBehind[] = {
    "squared",    "cubed",       "factorial", "inverse",    "minus",     "plus",   "raised",
    "mod",        "modulo",      "twice",     "thrice",     "remainder", "halves", "thirds",
    "fourths",    "fifths",      "sixths",    "sevenths",   "eighths",   "ninths", "tenths",
    "hundredths", "thousandths", "tens",      "hundreds",   "thousands", "grand",  "gross",
    "etc",        "otherwise",   "added",     "subtracted", "inverted"};

constexpr std::string_view kCompared[] = {"more",   "less",    "fewer",   "greater", "smaller",
                                          "larger", "older",   "younger", "higher",  "lower",
                                          "longer", "shorter", "taller"};

// Of what is measured in two units: 12 feet 3 inches.
constexpr std::string_view kMeasures[] = {
    "feet",   "foot",  "ft",      "yards",  "inches",  "inch",   "miles",   "pounds", "pound",
    "lbs",    "lb",    "ounces",  "oz",     "gallons", "quarts", "pints",   "hours",  "hour",
    "hr",     "hrs",   "minutes", "minute", "min",     "mins",   "seconds", "second", "sec",
    "days",   "day",   "weeks",   "week",   "months",  "month",  "years",   "year",   "dollars",
    "dollar", "cents", "degrees", "meters", "cm",      "km",     "kg",      "grams"};

bool is_number_word(std::string_view word) {
  return is_in(word, {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
                      "eleven", "twelve", "zero"});
}

/// A number, or a letter or word that stands for one.
bool is_value(std::string_view word) {
  return word == "#" || word == "pi" || word == "sqrt" || word == "frac" || is_number_word(word) ||
         (word.size() == 1 && is_letter(word[0]) && word != "a" && word != "i");
}

/// "up to" and "5 to"; but "add up to".
bool is_bound(const Words& words) {
  if (at(words, 1) == "#") return true;
  return at(words, 1) == "up" &&
         !is_in(at(words, 2), {"add", "adds", "adding", "added", "sum", "sums", "summing", "come",
                               "comes", "round", "rounds", "rounded", "go", "goes"});
}

/// "the root of", "10% of", "3 of".
bool is_operation_of(const Words& words) {
  const auto of = at(words, 1);
  return of == "#" || of == "%" || is_number_word(of) || holds(kOperations, of) ||
         holds(kParts, of);
}

bool is_changed_before(const Words& words, std::string_view behind) {
  const auto last = at(words, 0);
  const auto before = at(words, 1);
  if (holds(kChangingBefore, last)) return true;
  if (last == "to") return is_bound(words);
  if (last == "of") return is_operation_of(words) || (before == "power" && at(words, 3) == "to");
  if (last == "least" || last == "most") return before == "at";
  if (last == "by") return before == "divided" || before == "multiplied";
  if (last == "as") return before == "such";
  if (last == "base") return before == "in" || before == "#";
  if (last == "point") return before == "#";
  if (last == "example" || last == "instance") return before == "for";
  if (last == "after" || last == "before") return before == "number" || before == "integer";
  if (!holds(kMeasures, behind)) return last == "and" && before == "dozen" && at(words, 2) == "#";
  const std::size_t unit = last == "and" || last == "," ? 1 : 0;
  return holds(kMeasures, at(words, unit)) && at(words, unit + 1) == "#";
}

/// "and a half", "and three quarters".
bool adds_part(const Words& words) {
  const bool counted = at(words, 1) == "a" || at(words, 1) == "an" || is_number_word(at(words, 1));
  return holds(kParts, at(words, counted ? 2 : 1));
}

bool has_remainder(const Words& words) {
  const bool article = at(words, 1) == "a" || at(words, 1) == "the";
  return at(words, article ? 2 : 1) == "remainder";
}

/// "in base 5", "in binary", "in 25".
bool counts_in(const Words& words) {
  return is_in(at(words, 1), {"base", "hexadecimal", "hex", "binary", "octal"}) ||
         (at(words, 1) == "#" && words.size() == 2);
}

/// "to 15", "to the power of 3", "to the 3rd", "to the fifth"; but "to the nearest".
bool goes_to(const Words& words) {
  if (at(words, 1) == "the")
    return at(words, 2) == "power" || at(words, 2) == "#" || holds(kParts, at(words, 2));
  return at(words, 1) == "#" || at(words, 1) == "power";
}

bool is_changed_behind(const Words& words) {
  const auto first = at(words, 0);
  const auto next = at(words, 1);
  if (holds(kChangingBehind, first)) return true;
  if (holds(kCompared, first))
    return next == "than" ? is_value(at(words, 2)) : first == "less" && is_value(next);
  if (is_in(first, {"over", "times", "choose", "point", "base", "short", "below"}))
    return is_value(at(words, next == "of" ? 2 : 1));
  if (first == "in" && counts_in(words)) return true;
  if (first == "to") return goes_to(words);
  if (first == "if" || first == "unless") return is_value(next);
  if (first == "of" || first == "r") return next == "#";
  if (first == "out") return next == "of" && at(words, 2) == "#";
  if (first == "divided" || first == "multiplied") return next == "by";
  if (first == "per") return next == "cent" || next == "#";
  if (first == "with") return has_remainder(words);
  if (first == "and") return adds_part(words) || has_remainder(words);
  if (first == "or") return holds(kCompared, next) || is_in(next, {"above", "below", "over"});
  if (first == "at") return is_in(at(words, next == "the" ? 2 : 1), {"least", "most"});
  if (next == "below") return at(words, 2) == "zero";
  return holds(kMeasures, first) && next == "#" && holds(kMeasures, at(words, 2));
}

/// The line that holds a number, at most so much of it on either side.
std::string_view line_of(std::string_view text, const Piece& piece) {
  constexpr std::size_t kMostOfLine = 200;
  const auto from = piece.begin - std::min(piece.begin, kMostOfLine);
  const auto before = text.substr(from, piece.begin - from);
  const auto stop = std::max(before.rfind('\n') + 1, before.rfind(". ") + 1);
  const auto rest = text.substr(from + stop, piece.end - from - stop + kMostOfLine);
  return rest.substr(0, rest.find('\n', piece.end - from - stop));
}

/// "12 for boys and 13 for girls", "12 when n is even and 13 otherwise": one case of several.
bool is_case(std::string_view text, const Piece& piece, std::string_view condition) {
  if (!is_in(condition, {"for", "when", "where", "on"})) return false;
  constexpr std::string_view kDigits = "0123456789";
  const auto line = line_of(text, piece);
  int cases = 0;
  for (auto number = line.find_first_of(kDigits); number != kNone;) {
    const auto end = std::min(line.find_first_not_of("0123456789.", number), line.size());
    const auto behind = words_behind(line, end);
    const auto word = at(behind, 0);
    const auto joined = words_before(line, number);
    if (cases > 0 && !is_in(at(joined, 0), {"and", "or", "but"})) cases = 0;
    if (word == condition || word == "otherwise") ++cases;
    if (cases > 1) return true;
    number = line.find_first_of(kDigits, end);
  }
  return false;
}

/// "The remainder is 10 when divided by" 13; but 20 when divided by 4 is not 20.
bool is_remainder(std::string_view text, const Piece& value, std::string_view gap) {
  const auto before = words_before(text, value.begin);
  if (std::find(before.begin(), before.end(), "remainder") == before.end()) return false;
  const auto words = words_behind(gap, 0);
  return words.size() == 3 && at(words, 2) == "by" &&
         ((at(words, 0) == "when" && at(words, 1) == "divided") ||
          (is_in(at(words, 0), {"on", "upon"}) && at(words, 1) == "division"));
}

/// "Those not sold", "the apples that were not sold": a negation of what a verb behind it is not about. "The answer that is
/// not right" denies what follows.
bool denies_others(std::string_view text) {
  const auto said = last_word(trimmed(text));
  if (said.empty() || is_in(said, {"right", "correct", "true", "valid", "really", "it", "so"}))
    return false;
  text = trimmed(text.substr(0, text.rfind(said)));
  const auto negation = last_word(text);
  const bool verb = negation.ends_with("n't") || negation.ends_with("n\u2019t");
  if (!verb && negation != "not") return false;
  text = trimmed(text.substr(0, text.size() - negation.size()));
  auto subject = last_word(text);
  if (is_in(subject, {"is", "are", "was", "were", "did", "do", "does"}))
    subject = last_word(trimmed(text.substr(0, text.size() - subject.size())));
  return is_in(subject, {"that", "which", "who", "those", "Those", "ones"});
}

/// Behind an equals sign: what stands before the equation is not said of its value, and "24/12 = 2 dozen" counts dozens.
bool is_result(std::string_view text, const Piece& piece) {
  const auto whole = text.substr(piece.begin, piece.end - piece.begin);
  return whole.find('=') != kNone;
}

}  // namespace

bool is_denied(std::string_view text, const Piece& piece) {
  constexpr std::size_t kReach = 48;
  constexpr int kMostBetween = 3;
  const auto reach = std::min(piece.begin, kReach);
  auto before = text.substr(piece.begin - reach, reach);
  for (int i = 0; i < kMostBetween; ++i) {
    while (!before.empty() && std::string_view(" $()*-\"").find(before.back()) != kNone)
      before.remove_suffix(1);
    const auto word = last_word(before);
    if (denies(word)) return true;
    if (i == 0 && is_in(word, {"is", "are", "was", "were"}) &&
        denies_others(before.substr(0, before.size() - word.size())))
      return false;
    if (word.empty() || is_in(word, {"so", "then", "thus", "hence", "therefore", "since", "because",
                                     "and", "if", "when"}))
      return false;
    before.remove_suffix(word.size());
    if (word == "but")
      return is_in(last_word(trimmed(before)), {"anything", "everything", "nothing"});
  }
  return false;
}

bool is_changed(std::string_view text, const Piece& piece) {
  const auto rest = text.substr(std::min(piece.end, text.size()));
  if (rest.starts_with("..")) return true;
  auto behind = words_behind(text, piece.end);
  const bool base = at(behind, 0) == "(" && (at(behind, 1) == "base" || at(behind, 1) == "mod");
  if (base || at(behind, 0) == ",") behind.erase(behind.begin());
  const auto next = at(behind, 0);
  if (is_changed_behind(behind)) return true;
  if (is_result(text, piece)) return false;
  auto before = words_before(text, piece.begin);
  if (at(before, 0) == "(" || at(before, 0) == "negative") before.erase(before.begin());
  return is_changed_before(before, next) || next.starts_with("dozen") || is_case(text, piece, next);
}

bool is_negative(std::string_view text, const Piece& piece) {
  const auto before = words_before(text, piece.begin);
  return at(before, 0) == "negative";
}

bool is_condition(std::string_view text, const Piece& value, const Piece& piece) {
  constexpr std::size_t kMostBetween = 3;
  if (is_remainder(text, value, text.substr(value.end, piece.begin - value.end))) return true;
  const auto said = text.substr(piece.begin, piece.end - piece.begin);
  const auto name = said.find_first_not_of("$\\( ");
  const auto equals = name == kNone ? kNone : said.find_first_not_of(' ', name + 1);
  if (equals == kNone || said[equals] != '=' || !is_letter(said[name])) return false;
  const bool number = std::any_of(value.content.begin(), value.content.end(), is_digit);
  if (!number || is_result(text, value)) return false;
  const auto gap = text.substr(value.end, piece.begin - value.end);
  if (gap.find_first_of(".:;\n") != kNone) return false;
  auto between = words_behind(gap, 0);
  if (at(between, 0) == ",") between.erase(between.begin());
  if (between.size() > kMostBetween ||
      !is_in(at(between, 0), {"when", "at", "for", "attained", "achieved", "reached", "occurring"}))
    return false;
  const auto before = words_before(text, value.begin);
  return before.empty() || is_in(at(before, 0), {"is", "are", "equals", "was", "be", "get", "of"});
}

}  // namespace aha::math
