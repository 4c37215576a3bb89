#include "rewards/code/code_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rewards/code/python_tokens.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/json_text.h"

namespace aha {
namespace {

/// The names that begin with underscores are none of the answer's (python_driver.h).
constexpr const char* kTest = R"python(try:
    __call__ = __answers__("Solution")().{0}
except (AttributeError, KeyError):
    __call__ = __answers__("{0}")
import json as __json__
def __lists__(value):
    if isinstance(value, (list, tuple)):
        return [__lists__(one) for one in value]
    if isinstance(value, dict):
        return {{key: __lists__(value[key]) for key in value}}
    return value
def __numbers__(value):
    try:
        return {{int(key): value[key] for key in value}} if isinstance(value, dict) else value
    except ValueError:
        return value
__given__ = [__numbers__(one) for one in __json__.loads({1})]
__wanted__ = __numbers__(__json__.loads({2}))
__result__ = __lists__(__call__(*__given__))
assert __result__ == __wanted__ or (
    type(__wanted__) is list and len(__wanted__) == 1 and __result__ == __numbers__(__wanted__[0])), (
    f"{0}(...) gave {{__result__!r:.100}}")
)python";

/// The items of a list as they are written.
std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> items;
  int depth = 0;
  std::size_t begin = 1;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '"')
      while (++i < list.size() && list[i] != '"')
        i += list[i] == '\\' ? 1 : 0;
    else if (c == '[' || c == '{')
      ++depth;
    else if (c == ']' || c == '}')
      --depth;
    if ((c == ',' && depth == 1) || (c == ']' && depth == 0)) {
      items.emplace_back(trimmed(list.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  return items;
}

/// The items of a member that is a list, in JSON: as they are written where that is known.
std::vector<std::string> items_of(const Json& value, std::string_view written, const char* name) {
  const auto& list = value[name];
  if (!written.empty()) {
    std::vector<std::string> others;
    for (const auto& member : value.items())
      if (member.key() != name) others.push_back(member.key());
    const std::vector<std::string_view> without(others.begin(), others.end());
    const auto member = members_as_written(written, without);
    auto items =
        items_of(std::string_view(member).substr(std::min(member.find('['), member.size())));
    if (items.size() == list.size()) return items;
  }
  std::vector<std::string> items;
  for (const auto& item : list)
    items.push_back(dump_line(item));
  return items;
}

bool is_identifier(const std::string& name) {
  const auto tokens = python_tokens(name);
  return tokens.size() == 1 && tokens.front().text == name && is_python_name(name);
}

CodeTests nothing(std::string problem) {
  return {{}, std::move(problem)};
}

}  // namespace

bool has_calls(const Json& value) {
  return value.is_object() && value.contains("fn_name") && value["fn_name"].is_string() &&
         value.contains("inputs") && value.contains("outputs");
}

CodeTests calls_of(const Json& value, std::string_view written, const std::string& field,
                   std::size_t most) {
  const auto name = value["fn_name"].get<std::string>();
  const auto& inputs = value["inputs"];
  const auto& outputs = value["outputs"];
  if (!is_identifier(name)) return nothing(fmt::format("'{}': 'fn_name' is no name", field));
  if (!inputs.is_array() || !outputs.is_array() || inputs.size() != outputs.size() ||
      inputs.empty())
    return nothing(fmt::format("'{}' has no inputs and outputs, as many of each", field));
  const auto given = items_of(value, written, "inputs");
  const auto wanted = items_of(value, written, "outputs");
  CodeTests found;
  for (std::size_t i = 0; i < (most == 0 ? given.size() : std::min(most, given.size())); ++i) {
    if (!inputs[i].is_array())
      return nothing(
          fmt::format("'{}': input {} is no list of arguments for {}", field, i + 1, name));
    // a text of JSON is one of Python, too
    found.tests.push_back({"", "",
                           fmt::format(fmt::runtime(kTest), name, dump_line(Json(given[i])),
                                       dump_line(Json(wanted[i])))});
  }
  return found;
}

}  // namespace aha
