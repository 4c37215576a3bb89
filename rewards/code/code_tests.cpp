#include "rewards/code/code_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

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
    if (const auto inner = json_within(text)) return of_value(*inner, place);
    if (trimmed(text).empty()) return nothing(fmt::format("'{}' has no tests", name));
    return {{{"", "", text}}, ""};
  }
  if (value.is_array()) return of_list(value, place);
  if (value.is_object()) {
    if (value.contains("test_cases")) return of_value(value["test_cases"], place);
    if (value.contains("inputs") && value.contains("outputs"))
      return of_pairs(value["inputs"], value["outputs"], place);
  }
  return nothing(fmt::format("'{}' is in no form of tests", name));
}

/// HumanEval defines check(candidate) and leaves calling it to the reader.
void call_check(CodeTests& found, const Json& row) {
  const auto entry = text_field(row, "entry_point");
  for (auto& test : found.tests) {
    const auto defined = test.assertion.find("def check(");
    if (defined == std::string::npos) continue;
    if (entry) {
      test.assertion += fmt::format("\ncheck({})\n", *entry);
    } else if (test.assertion.find("check(", defined + 10) == std::string::npos) {
      found = nothing("the tests define check(...), which 'entry_point' says what to call with");
      return;
    }
  }
}

}  // namespace

CodeTests code_tests(const Json& row, const std::string& field, std::size_t most) {
  if (!row.is_object()) return nothing("the row is no object");
  if (row.contains(field)) {
    auto found = of_value(row[field], {field, most});
    call_check(found, row);
    return found;
  }
  if (row.contains("inputs") && row.contains("outputs"))
    return of_pairs(row["inputs"], row["outputs"], {"inputs", most});
  for (const char* name : {"input_output", "test_list", "test", "assert"}) {
    if (!row.contains(name)) continue;
    auto found = of_value(row[name], {name, most});
    if (const auto setup = text_field(row, "test_setup_code"))
      for (auto& test : found.tests)
        if (!test.assertion.empty()) test.assertion = *setup + "\n" + test.assertion;
    call_check(found, row);
    return found;
  }
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
