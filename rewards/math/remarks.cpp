#include "rewards/math/remarks.h"

#include <algorithm>
#include <vector>

#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

using Words = std::vector<std::string_view>;

Words words_of(std::string_view remark) {
  Words words;
  while (!remark.empty()) {
    const auto end = std::min(remark.find(' '), remark.size());
    words.push_back(remark.substr(0, end));
    remark.remove_prefix(std::min(end + 1, remark.size()));
  }
  return words;
}

constexpr std::string_view kFillers[] = {
    "the",      "a",      "an",       "is",        "are",           "it",
    "be",       "answer", "so",       "thus",      "final",         "therefore",
    "hence",    "we",     "have",     "get",       "that",          "about",
    "point",    "points", "values",   "solutions", "approximately", "exactly",
    "for",      "value",  "solution", "interval",  "domain",        "range",
    "equation", "line",   "only"};

// "two" and its like: another number. "one" is none in "for each one".
constexpr std::string_view kNumbers[] = {
    "zero",   "two",    "three",   "four",     "five",    "six",     "seven",   "eight", "nine",
    "ten",    "eleven", "twelve",  "twenty",   "thirty",  "forty",   "fifty",   "sixty", "seventy",
    "eighty", "ninety", "hundred", "thousand", "million", "billion", "trillion"};

// On either side of a number they make it another one.
constexpr std::string_view kChanging[] = {
    "plus",     "minus",   "half",    "than",      "if",       "when",       "where", "unless",
    "whenever", "squared", "cubed",   "factorial", "divided",  "multiplied", "sqrt",  "loss",
    "losses",   "deficit", "debt",    "below",     "west",     "south",      "twice", "thrice",
    "doubled",  "halved",  "tripled", "inverse",   "inverted", "non"};

// Behind it as the last word; "5 even numbers" are counted.
constexpr std::string_view kConditions[] = {
    "odd", "even", "prime", "negative", "hexadecimal", "binary", "octal", "excluded", "excluding"};

// Behind it alone; "5 less" is not "5 fewer eggs", nor "12 power" a unit as "12 watts of power".
constexpr std::string_view kAlone[] = {"power", "root", "less", "gross", "score", "false"};

// Behind it as the first word: there are others.
constexpr std::string_view kOpen[] = {"and", "among", "etc"};

// Right before it; "the area of the square is 5" is a label.
constexpr std::string_view kOperations[] = {"negative", "double", "triple",  "opposite",
                                            "square",   "cube",   "root",    "log",
                                            "under",    "over",   "between", "no"};

// What is of the size of a number, where an operation is of the number: "square root of 5".
constexpr std::string_view kMeasures[] = {
    "total",    "sum",    "value",  "area",        "volume",  "perimeter", "length",
    "distance", "height", "width",  "probability", "cost",    "price",     "profit",
    "speed",    "age",    "number", "maximum",     "minimum", "average"};

constexpr std::pair<std::string_view, int> kParts[] = {
    {"halves", 2},  {"thirds", 3},       {"fourths", 4},        {"fifths", 5},
    {"sixths", 6},  {"sevenths", 7},     {"eighths", 8},        {"ninths", 9},
    {"tenths", 10}, {"hundredths", 100}, {"thousandths", 1000}, {"millionths", 1'000'000}};

constexpr std::string_view kUnitNames[] = {
    "unit",        "units",      "square",      "cubic",     "per",        "meter",
    "meters",      "metre",      "metres",      "inch",      "inches",     "foot",
    "feet",        "yard",       "yards",       "mile",      "miles",      "centimeter",
    "centimeters", "millimeter", "millimeters", "kilometer", "kilometers", "centimetres",
    "kilometres",  "gram",       "grams",       "kilogram",  "kilograms",  "pound",
    "pounds",      "ounce",      "ounces",      "ton",       "tons",       "liter",
    "liters",      "litre",      "litres",      "gallon",    "gallons",    "second",
    "seconds",     "minute",     "minutes",     "hour",      "hours",      "day",
    "days",        "week",       "weeks",       "month",     "months",     "year",
    "years",       "dollar",     "dollars",     "cent",      "cents",      "euro",
    "euros",       "radian",     "radians",     "degrees",   "newtons",    "joules",
    "watts",       "volts",      "amperes",     "kelvin",    "ways",       "people",
    "students",    "sq",         "cu",          "squared",   "cubed",      "hz",
    "kw",          "kj",         "ml",          "pa",        "kpa",        "mol"};

/// Without brackets and the like around it.
std::string_view without_marks(std::string_view word) {
  constexpr std::string_view kMarks = "()[]:!?\"'";
  const auto first = word.find_first_not_of(kMarks);
  if (first == std::string_view::npos) return {};
  return word.substr(first, word.find_last_not_of(kMarks) - first + 1);
}

/// eggs, but not "exists".
bool is_counted(std::string_view word) {
  constexpr std::string_view kVerbs[] = {"exists", "holds",     "divides",  "always",
                                         "times",  "thousands", "millions", "billions"};
  return word.size() >= 4 && word.ends_with('s') && !holds(kVerbs, word);
}

/// "plus-three"; "two-digit" is no number.
bool is_changing(std::string_view word) {
  return holds(kNumbers, word) || holds(kChanging, word.substr(0, word.find('-')));
}

/// A changing word, but for "cm squared", a unit, and "to two decimal places"; or "at least".
bool changes_at(const Words& words, std::size_t i, bool after) {
  const auto next = i + 1 < words.size() ? words[i + 1] : std::string_view();
  if (words[i] == "at") return next == "least" || next == "most";
  if (!is_changing(words[i])) return false;
  if (after && i > 0 && (words[i] == "squared" || words[i] == "cubed")) return false;
  return !(next == "decimal" || next == "decimals" || next == "significant" || next == "places");
}

bool any_changes(const Words& words, bool after) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (changes_at(words, i, after)) return true;
  }
  return false;
}

}  // namespace

std::string plain_remark(std::string_view words) {
  std::string plain;
  std::string word;
  const auto add = [&] {
    const auto bare = choice_of(word) ? std::string_view(word) : without_marks(word);
    if (!bare.empty() && !holds(kFillers, bare)) {
      if (!plain.empty()) plain += ' ';
      plain += bare;
    }
    word.clear();
  };
  for (const char c : words) {
    if (is_space(c) || c == '~' || c == '\\' || c == ',' || c == ';' || c == '$')
      add();
    else if (c != '.' && c != '*')
      word += lower(c);
  }
  add();
  return plain;
}

std::optional<Operation> operation_after(std::string_view remark) {
  if (remark == "squared") return Operation{Act::Power, 2};
  if (remark == "cubed") return Operation{Act::Power, 3};
  if (remark == "factorial") return Operation{Act::Factorial, 1};
  if (remark == "and half") return Operation{Act::Plus, 1, 2};
  const auto words = words_of(remark);
  if (words.empty()) return std::nullopt;
  if (words.size() > 1 && changes_number_before(remark.substr(words[0].size() + 1)))
    return std::nullopt;
  if (words[0] == "dozen" || words[0] == "dozens") return Operation{Act::Times, 12};
  if (words[0] == "tens") return Operation{Act::Times, 10};
  for (const auto& [name, parts] : kParts) {
    if (words[0] == name) return Operation{Act::Times, 1, parts};
  }
  return std::nullopt;
}

std::optional<Operation> operation_before(std::string_view remark) {
  if (remark == "negative" || remark == "minus") return Operation{Act::Times, -1};
  if (remark == "half" || remark == "half of" || remark == "one half of")
    return Operation{Act::Times, 1, 2};
  if (remark == "twice" || remark == "double") return Operation{Act::Times, 2};
  if (remark == "triple" || remark == "thrice") return Operation{Act::Times, 3};
  if (remark == "square root of") return Operation{Act::Power, 1, 2};
  if (remark == "square of") return Operation{Act::Power, 2};
  if (remark == "cube of") return Operation{Act::Power, 3};
  return std::nullopt;
}

bool changes_number_before(std::string_view remark) {
  const auto words = words_of(remark);
  if (words.empty()) return false;
  return any_changes(words, true) || holds(kConditions, words.back()) || holds(kOpen, words[0]) ||
         (words.size() == 1 && holds(kAlone, words[0]));
}

bool changes_number_after(std::string_view remark) {
  const auto words = words_of(remark);
  if (words.empty()) return false;
  if (any_changes(words, false) || holds(kOperations, words.back())) return true;
  return words.back() == "of" && words.size() > 1 && !holds(kMeasures, words[words.size() - 2]);
}

bool is_label(std::string_view words) {
  words = trimmed(words);
  if (words.ends_with(':') || words.ends_with('=')) return true;
  const auto space = words.find_last_of(" ~");
  const auto last = space == std::string_view::npos ? words : words.substr(space + 1);
  return last == "is" || last == "are" || last == "be" || last == "was" || last == "equals";
}

bool is_unit_name(std::string_view remark) {
  const auto is_unit = [](std::string_view word) {
    return holds(kUnitNames, word) || is_short_unit(word) || is_letter_unit(word);
  };
  const auto words = words_of(remark);
  if (words.empty()) return true;
  if (words[0] == "squared" || words[0] == "cubed") return false;
  if (words.size() == 1 && is_counted(words[0]) && !operation_after(remark)) return true;
  return std::all_of(words.begin(), words.end(), [&](std::string_view word) {
    const auto slash = std::min(word.find('/'), word.size());
    return is_unit(word.substr(0, slash)) &&
           (slash == word.size() || is_unit(word.substr(slash + 1)));
  });
}

std::optional<std::string> choice_of(std::string_view remark) {
  if (remark.size() < 3 || remark[0] != '(' || remark[2] != ')' || remark.size() > 4 ||
      (remark.size() == 4 && remark[3] != ':'))
    return std::nullopt;
  if (remark[1] < 'a' || remark[1] > 'j') return std::nullopt;
  return std::string(1, static_cast<char>(remark[1] - 'a' + 'A'));
}

bool is_half_of_day(std::string_view remark) {
  return remark == "am" || remark == "pm";
}

bool is_optional_remark(std::string_view remark) {
  return is_half_of_day(remark) || choice_of(remark);
}

}  // namespace aha::math
