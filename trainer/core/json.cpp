#include "trainer/core/json.h"

#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::size_t kMaxMessage = 240;

/// Depth of brackets outside strings: checked before parsing, so that neither the parser nor the
/// destructor of the value can recurse deeper.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  if (too_deep(text)) fail("{}: JSON nested deeper than {} levels", where, kMaxDepth);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    std::string what = error.what();  // "[json.exception.parse_error.101] parse error at ...: ..."
    if (const auto end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
    // the parser repeats what it read last, which may be a text of any length
    if (what.size() > kMaxMessage) what = what.substr(0, kMaxMessage) + "...";
    fail("{}: not valid JSON: {}", where, what);
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

std::string dump_line(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string dump_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace aha
