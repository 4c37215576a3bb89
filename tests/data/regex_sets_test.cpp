// Against the sets of Oniguruma: tests/golden/data/regex_sets.py.
#include "data/tokenizer/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "data/tokenizer/unicode.h"
#include "data/tokenizer/unicode_tables.h"
#include "tests/support/catch.h"
#include "trainer/core/json.h"

using namespace aha;  // NOLINT

namespace {

std::string utf8(std::int32_t code_point) {
  std::string text;
  append_utf8(code_point, text);
  return text;
}

/// Every character, or those that PCRE2 knows: a text of these is matched by another expression.
std::string characters(bool with_new) {
  std::string text;
  for (std::int32_t c = 0; c < 0x110000; ++c)
    if ((c < 0xD800 || c >= 0xE000) && (with_new || !has_new_characters(utf8(c))))
      append_utf8(c, text);
  return text;
}

/// Code points of a text of single matches.
std::vector<std::int32_t> matched(const Regex& regex, const std::string& text) {
  std::vector<Span> spans;
  regex.find_all(text, spans);
  std::vector<std::int32_t> found;
  for (const auto& span : spans)
    found.push_back(character_at(text, span.begin).code_point);
  return found;
}

/// Of "61-7a aa".
std::vector<std::int32_t> expanded(const std::string& ranges, bool with_new) {
  std::vector<std::int32_t> points;
  std::istringstream words(ranges);
  for (std::string word; words >> word;) {
    const auto dash = word.find('-');
    const auto last =
        std::stoi(dash == std::string::npos ? word : word.substr(dash + 1), nullptr, 16);
    for (auto c = std::stoi(word, nullptr, 16); c <= last; ++c)
      if (with_new || !has_new_characters(utf8(c))) points.push_back(c);
  }
  return points;
}

/// The first few that one has and the other has not.
std::string difference(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::vector<std::int32_t> only;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
  std::string text;
  for (std::size_t i = 0; i < only.size() && i < 8; ++i)
    text += fmt::format(" {:x}", only[i]);
  return text;
}

}  // namespace

TEST_CASE("regex: a set has the characters that Oniguruma gives it, of all", "[tokenizer]") {
  const auto golden = read_json(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/regex_sets.json");
  for (const bool with_new : {false, true}) {
    const auto text = characters(with_new);
    for (const auto& set : golden["sets"]) {
      const auto wanted = expanded(set["matches"].get<std::string>(), with_new);
      for (const auto& pattern : set["patterns"]) {
        CAPTURE(with_new, pattern.get<std::string>());
        CHECK(difference(matched(Regex(pattern.get<std::string>(), "t"), text), wanted).empty());
      }
    }
  }
}
