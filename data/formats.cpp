#include "data/formats.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

#include "data/tasks/countdown.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

using Problem = std::optional<std::string>;
using Names = std::initializer_list<const char*>;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

/// The first of these fields that is there and not null.
const Json* field(const Json& row, Names names) {
  for (const char* name : names) {
    const auto found = row.find(name);
    if (found != row.end() && !found->is_null()) return &*found;
  }
  return nullptr;
}

/// The trimmed text of the first of these fields; empty when there is none.
std::string text_of(const Json& row, Names names) {
  const auto* value = field(row, names);
  return value != nullptr && value->is_string() ? trimmed(value->get_ref<const std::string&>())
                                                : "";
}

/// A number or the text of one, without ".0" at its end.
std::string number_of(const Json& row, Names names) {
  const auto* value = field(row, names);
  if (value == nullptr) return "";
  auto text = value->is_number() ? dump_line(*value) : text_of(row, names);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

Problem lacks(const Json& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end()) {
    std::vector<std::string> names;
    for (const auto& [key, unused] : row.items())
      if (names.size() < 12) names.push_back(key);
    return fmt::format("field '{}' is missing; the row has {}", name,
                       names.empty() ? "none" : join_list(names));
  }
  return fmt::format(
      "field '{}' is {}", name,
      found->is_string() ? "empty" : std::string("no text but ") + found->type_name());
}

/// Fills in a field that the row does not have itself.
void fill(Json& row, const char* name, const Json* value) {
  if (value != nullptr && !row.contains(name)) row[name] = *value;
}

Problem as_it_is(Json&) {
  return std::nullopt;
}

Problem import_gsm8k(Json& row) {
  const auto answer = text_of(row, {"answer"});
  if (text_of(row, {"question"}).empty()) return lacks(row, "question");
  if (answer.empty()) return lacks(row, "answer");
  const auto mark = answer.rfind("####");
  if (mark == std::string::npos) return "field 'answer' has no #### before its gold";
  fill(row, "solution", &row["answer"]);
  row["answer"] = trimmed(answer.substr(mark + 4));
  return std::nullopt;
}

Problem import_svamp(Json& row) {
  auto body = text_of(row, {"Body"});
  const auto question = text_of(row, {"Question"});
  const auto answer = number_of(row, {"Answer"});
  if (body.empty()) return lacks(row, "Body");
  if (question.empty()) return lacks(row, "Question");
  if (answer.empty()) return lacks(row, "Answer");
  // the published texts leave the full stop out more often than not
  if (std::string_view(".?!").find(body.back()) == std::string_view::npos) body += ".";
  row["question"] = body + " " + question;
  row["answer"] = answer;
  fill(row, "subject", field(row, {"Type"}));
  return std::nullopt;
}

Problem import_math(Json& row) {
  const auto question = text_of(row, {"problem", "question"});
  if (question.empty()) return lacks(row, row.contains("question") ? "question" : "problem");
  auto answer = number_of(row, {"answer"});
  const auto solution = text_of(row, {"solution"});
  if (answer.empty() && solution.empty()) return lacks(row, "answer");
  if (answer.empty()) {
    const auto boxed = last_boxed(solution);
    if (!boxed || trimmed(*boxed).empty()) return "no gold: 'solution' has no \\boxed{...}";
    answer = trimmed(*boxed);
  }
  row["question"] = question;
  row["answer"] = answer;
  fill(row, "subject", field(row, {"type"}));
  constexpr std::string_view kLevel = "Level ";
  const auto level = text_of(row, {"level"});
  if (level.size() == kLevel.size() + 1 && level.starts_with(kLevel) && level.back() >= '0' &&
      level.back() <= '9')
    row["level"] = level.back() - '0';
  return std::nullopt;
}

Problem import_aime(Json& row) {
  const auto question = text_of(row, {"problem", "Problem", "question"});
  if (question.empty()) return lacks(row, "problem");
  auto answer = number_of(row, {"answer", "Answer"});
  if (answer.empty()) return lacks(row, "answer");
  // one published answer of 2025 says that it is an angle
  for (const std::string_view degree : {"^\\circ", "^{\\circ}", "\xC2\xB0"})
    if (answer.ends_with(degree)) answer.resize(answer.size() - degree.size());
  int whole = 0;
  const auto* end = answer.data() + answer.size();
  const auto [at, error] = std::from_chars(answer.data(), end, whole);
  if (error != std::errc() || at != end || whole < 0 || whole > 999)
    return fmt::format("the answer is '{}', and those of AIME are 0 to 999", answer);
  row["question"] = question;
  row["answer"] = std::to_string(whole);
  return std::nullopt;
}

Problem import_amc(Json& row) {
  const auto question = text_of(row, {"question", "problem", "Problem"});
  if (question.empty()) return lacks(row, "question");
  const auto answer = number_of(row, {"answer", "Answer"});
  if (answer.empty()) return lacks(row, "answer");
  row["question"] = question;
  row["answer"] = answer;
  return std::nullopt;
}

Problem import_countdown(Json& row) {
  const auto* nums = field(row, {"nums"});
  const auto* target = field(row, {"target"});
  if (nums == nullptr) return lacks(row, "nums");
  if (target == nullptr) return lacks(row, "target");
  const bool whole =
      nums->is_array() && !nums->empty() &&
      std::all_of(nums->begin(), nums->end(), [](const Json& n) { return n.is_number_integer(); });
  if (!whole) return "field 'nums' is no list of whole numbers";
  if (!target->is_number_integer()) return "field 'target' is no whole number";
  row["question"] = countdown_question(nums->get<std::vector<std::int64_t>>(),
                                       target->get<std::int64_t>(), "+-*/");
  fill(row, "answer", field(row, {"solution"}));
  return std::nullopt;
}

/// One more format is one more line here, and its name in describe.cpp.
constexpr std::array kFormats = {
    RowFormat{"jsonl", "the fields that data.question_field and data.answer_field name",
              "that field as it is", "", as_it_is},
    RowFormat{"gsm8k", "question, answer", "what follows the last #### of answer", "numeric",
              import_gsm8k},
    RowFormat{"svamp", "Body, Question, Answer", "the number Answer", "numeric", import_svamp},
    RowFormat{"math", "problem, answer or a solution with its gold in \\boxed{}",
              "answer, or what the last box of solution holds", "math", import_math},
    RowFormat{"aime", "problem, answer", "a whole number from 0 to 999", "numeric", import_aime},
    RowFormat{"amc", "question, answer", "the number answer", "numeric", import_amc},
    RowFormat{"countdown", "nums, target", "solution, where there is one", "countdown",
              import_countdown},
};

/// From the brace after a box to its partner.
std::optional<std::string> braced(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;  // \{ and \} are signs of the answer
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return std::string(text.substr(1, i - 1));
    }
  }
  return std::nullopt;
}

}  // namespace

std::span<const RowFormat> format_table() {
  return kFormats;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  names.reserve(kFormats.size());
  for (const auto& format : kFormats)
    names.emplace_back(format.name);
  return names;
}

const RowFormat& row_format(const std::string& name) {
  for (const auto& format : kFormats)
    if (name == format.name) return format;
  const auto names = format_names();
  const auto near = nearest(name, names);
  fail("unknown format '{}', {}", name,
       near.empty() ? "known are " + join_list(names) : "the nearest is '" + near + "'");
}

Problem import_row(const RowFormat& format, Json& row) {
  const auto problem = format.import(row);
  if (!problem) return std::nullopt;
  return fmt::format("{}; format {} reads {}", *problem, format.name, format.reads);
}

const RowFormat& guessed_format(const Json& row) {
  // aime and amc have rows that math reads too
  for (const char* name : {"countdown", "svamp", "gsm8k"}) {
    auto copy = row;
    if (!row_format(name).import(copy)) return row_format(name);
  }
  auto copy = row;
  const bool math = row.contains("problem") && !row_format("math").import(copy);
  return math ? row_format("math") : kFormats.front();
}

std::optional<std::string> last_boxed(std::string_view text) {
  std::optional<std::string> last;
  for (const std::string_view box : {"\\boxed", "\\fbox"}) {
    const auto at = text.rfind(box);
    if (at == std::string_view::npos || last) continue;
    auto rest = text.substr(at + box.size());
    if (rest.starts_with('{')) {
      last = braced(rest);
    } else if (rest.starts_with(' ')) {
      rest.remove_prefix(1);
      last = std::string(rest.substr(0, rest.find_first_of("$ \t\r\n")));
    }
  }
  return last;
}

}  // namespace aha
