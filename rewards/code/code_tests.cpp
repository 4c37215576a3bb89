#include "rewards/code/code_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rewards/code/code_calls.h"
#include "rewards/code/python_tokens.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/json_text.h"

namespace aha {
namespace {

CodeTests nothing(std::string problem) {
  return {{}, std::move(problem)};
}

/// A text; or a list of lines.
std::optional<std::string> lines_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return dump_line(value);
  if (!value.is_array()) return std::nullopt;
  std::string text;
  for (const auto& line : value) {
    if (!line.is_string()) return std::nullopt;
    text += line.get<std::string>() + "\n";
  }
  return text;
}

/// How many of `size` tests are read.
std::size_t count_of(std::size_t size, std::size_t most) {
  return most == 0 ? size : std::min(size, most);
}

/// Where tests are, for messages, and how many are wanted.
struct Place {
  std::string name;
  std::size_t most = 0;
  std::string_view written = {};  ///< the tests, where they are JSON in a text
};

CodeTests of_pairs(const Json& inputs, const Json& outputs, const Place& place) {
  const auto& name = place.name;
  if (!inputs.is_array() || !outputs.is_array() || inputs.size() != outputs.size())
    return nothing(fmt::format("'{}' has no inputs and outputs, as many of each", name));
  CodeTests found;
  for (std::size_t i = 0; i < count_of(inputs.size(), place.most); ++i) {
    const auto input = lines_of(inputs[i]);
    const auto output = lines_of(outputs[i]);
    if (!input || !output)
      return nothing(fmt::format("'{}': test {} is neither text nor lines", name, i + 1));
    found.tests.push_back({*input, *output, ""});
  }
  if (found.tests.empty()) return nothing(fmt::format("'{}' has no tests", name));
  return found;
}

CodeTests of_list(const Json& list, const Place& place) {
  const auto& name = place.name;
  CodeTests found;
  Json inputs = Json::array();
  Json outputs = Json::array();
  for (std::size_t i = 0; i < count_of(list.size(), place.most); ++i) {
    const auto& test = list[i];
    if (test.is_string()) {
      found.tests.push_back({"", "", test.get<std::string>()});
    } else if (test.is_object() && test.contains("input") && test.contains("output")) {
      inputs.push_back(test["input"]);
      outputs.push_back(test["output"]);
    } else {
      return nothing(
          fmt::format("'{}': test {} is neither {{input, output}} nor code", name, i + 1));
    }
  }
  if (found.tests.empty()) return of_pairs(inputs, outputs, place);
  if (!inputs.empty()) return nothing(fmt::format("'{}' mixes two kinds of tests", name));
  return found;
}

/// JSON within a text, as data sets that keep tables of texts have it.
std::optional<Json> json_within(const std::string& text) {
  const auto start = trimmed(text);
  if (start.empty() || (start.front() != '[' && start.front() != '{')) return std::nullopt;
  try {
    return parse_row(text, "tests");
  } catch (const UserError&) {
    return std::nullopt;
  }
}

CodeTests of_value(const Json& value, const Place& place) {
  const auto& name = place.name;
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (const auto inner = json_within(text)) return of_value(*inner, {name, place.most, text});
    if (trimmed(text).empty()) return nothing(fmt::format("'{}' has no tests", name));
    return {{{"", "", text}}, ""};
  }
  if (value.is_array()) return of_list(value, place);
  if (value.is_object()) {
    if (value.contains("test_cases")) return of_value(value["test_cases"], {name, place.most});
    if (has_calls(value)) return calls_of(value, place.written, name, place.most);
    if (value.contains("inputs") && value.contains("outputs"))
      return of_pairs(value["inputs"], value["outputs"], place);
  }
  return nothing(fmt::format("'{}' is in no form of tests", name));
}

/// The functions that Python code defines, not indented.
std::vector<std::string_view> functions_of(const std::vector<PythonToken>& tokens) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i)
    if (tokens[i].text == "def" && tokens[i].outermost) names.push_back(tokens[i + 1].text);
  return names;
}

/// Whether it calls a function of this name.
bool calls(const std::vector<PythonToken>& tokens, std::string_view name) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const auto before = i > 0 ? tokens[i - 1].text : "\n";
    if (tokens[i].text == name && tokens[i + 1].text == "(" && before != "def" && before != ".")
      return true;
  }
  return false;
}

/// What HumanEval's tests are about: 'entry_point', else the only function that the prompt defines.
struct Entry {
  std::string name;
  std::string problem;  ///< why there is none
};

Entry entry_of(const Json& row) {
  if (auto named = text_field(row, "entry_point")) return {*std::move(named), ""};
  const auto prompt = text_field(row, "prompt").value_or("");
  const auto defined = functions_of(python_tokens(prompt));
  if (defined.size() == 1) return {std::string(defined.front()), ""};
  return {"", fmt::format("the tests define check(...), and nothing says what to call it with: "
                          "there is no 'entry_point', "
                          "and 'prompt' defines {} functions",
                          defined.empty() ? "no" : std::to_string(defined.size()))};
}

/// HumanEval defines check(candidate) and leaves calling it to the reader.
void call_check(CodeTests& found, const Json& row) {
  const bool named = text_field(row, "entry_point").has_value();
  std::optional<Entry> entry;
  for (auto& test : found.tests) {
    if (test.assertion.find("check") == std::string::npos) continue;
    const auto tokens = python_tokens(test.assertion);
    if (!holds(functions_of(tokens), "check")) continue;
    if (!named && calls(tokens, "check")) continue;
    if (!entry) entry = entry_of(row);
    if (!entry->problem.empty()) {
      found = nothing(entry->problem);
      return;
    }
    test.assertion += fmt::format("\ncheck({})\n", entry->name);
  }
}

/// MBPP has what its assertions need beside them.
void set_up(CodeTests& found, const Json& row) {
  std::string before;
  if (row.contains("test_imports")) before = lines_of(row["test_imports"]).value_or("");
  if (const auto setup = text_field(row, "test_setup_code")) before += *setup + "\n";
  if (trimmed(before).empty()) return;
  for (auto& test : found.tests)
    if (!test.assertion.empty()) test.assertion = before + test.assertion;
}

}  // namespace

CodeTests code_tests(const Json& row, const std::string& field, std::size_t most) {
  if (!row.is_object()) return nothing("the row is no object");
  const auto of_field = [&](const std::string& name) {
    auto found = of_value(row[name], {name, most});
    set_up(found, row);
    call_check(found, row);
    return found;
  };
  if (row.contains(field)) return of_field(field);
  if (has_calls(row)) return calls_of(row, "", "inputs", most);
  if (row.contains("inputs") && row.contains("outputs"))
    return of_pairs(row["inputs"], row["outputs"], {"inputs", most});
  for (const char* name : {"input_output", "test_list", "test", "assert"})
    if (row.contains(name)) return of_field(name);
  return nothing(fmt::format("'{}' is missing", field));
}

std::shared_ptr<const CodeTests> CodeTestsOfRows::of(const Json& row) const {
  constexpr std::size_t kMostRows = 8;
  std::deque<std::shared_ptr<const Known>> known;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
  }
  for (const auto& one : known)
    if (one->row == row) return {one, &one->tests};
  auto made = std::make_shared<const Known>(Known{row, code_tests(row, field_, most_)});
  const std::lock_guard lock(mutex_);
  known_.push_front(made);
  if (known_.size() > kMostRows) known_.pop_back();
  return {made, &made->tests};
}

}  // namespace aha
