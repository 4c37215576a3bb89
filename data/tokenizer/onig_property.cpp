#include "data/tokenizer/onig_property.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "data/tokenizer/unicode_tables.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

struct Name {
  const char* onig;
  const char* items;
};

/// Oniguruma's names in small letters without space, '-' and '_', where PCRE2 knows others. General categories
/// that a property has as a whole stand beside it: theirs are the new characters that are listed.
constexpr std::array kProperties = {
    Name{"letter", R"(\p{L})"},
    Name{"mark", R"(\p{M})"},
    Name{"number", R"(\p{N})"},
    Name{"punctuation", R"(\p{P})"},
    Name{"symbol", R"(\p{S})"},
    Name{"separator", R"(\p{Z})"},
    Name{"other", R"(\p{C})"},
    Name{"uppercaseletter", R"(\p{Lu})"},
    Name{"lowercaseletter", R"(\p{Ll})"},
    Name{"titlecaseletter", R"(\p{Lt})"},
    Name{"modifierletter", R"(\p{Lm})"},
    Name{"otherletter", R"(\p{Lo})"},
    Name{"nonspacingmark", R"(\p{Mn})"},
    Name{"spacingmark", R"(\p{Mc})"},
    Name{"enclosingmark", R"(\p{Me})"},
    Name{"decimalnumber", R"(\p{Nd})"},
    Name{"letternumber", R"(\p{Nl})"},
    Name{"othernumber", R"(\p{No})"},
    Name{"mathsymbol", R"(\p{Sm})"},
    Name{"currencysymbol", R"(\p{Sc})"},
    Name{"modifiersymbol", R"(\p{Sk})"},
    Name{"othersymbol", R"(\p{So})"},
    Name{"spaceseparator", R"(\p{Zs})"},
    Name{"control", R"(\p{Cc})"},
    Name{"format", R"(\p{Cf})"},
    Name{"any", R"(\x00-\x{10ffff})"},
    Name{"alpha", R"(\p{Alphabetic}\p{L}\p{Nl})"},
    Name{"alphabetic", R"(\p{Alphabetic}\p{L}\p{Nl})"},
    Name{"alnum", R"(\p{Alphabetic}\p{L}\p{Nl}\p{Nd})"},
    Name{"upper", R"(\p{Uppercase}\p{Lu})"},
    Name{"uppercase", R"(\p{Uppercase}\p{Lu})"},
    Name{"lower", R"(\p{Lowercase}\p{Ll})"},
    Name{"lowercase", R"(\p{Lowercase}\p{Ll})"},
    Name{"digit", R"(\p{Nd})"},
    Name{"punct", R"(\p{P})"},
    Name{"space", kSpaceItems},
    Name{"whitespace", kSpaceItems},
    Name{"blank", R"(\x09\p{Zs})"},
    Name{"cntrl", R"(\p{Cc})"},
    Name{"xdigit", "0-9a-fA-F"},
    Name{"ascii", R"(\x00-\x7f)"},
};

bool compiles(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto* code = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(),
                               PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  pcre2_code_free_8(code);
  return code != nullptr;
}

/// In small letters without what Oniguruma passes over.
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name)
    if (c != ' ' && c != '-' && c != '_')
      plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return plain;
}

/// `items` and what their properties have in Oniguruma besides.
std::string completed(const std::string& items, bool with_new) {
  std::string more;
  for (auto at = items.find("\\p{"); at != std::string::npos; at = items.find("\\p{", at + 1)) {
    const auto name = items.substr(at + 3, items.find('}', at) - at - 3);
    more += later_characters(plain_name(name));
    if (with_new) more += new_characters(name);
  }
  return items + more;
}

}  // namespace

std::string property_items(std::string_view name, Place place, bool with_new) {
  const auto plain = plain_name(name);
  const auto known = std::find_if(kProperties.begin(), kProperties.end(),
                                  [&](const Name& entry) { return plain == entry.onig; });
  if (known != kProperties.end()) return completed(known->items, with_new);
  if (plain == "word") return word_items(place, with_new);
  // \p{Han} is the script alone; from 10.40 on PCRE2 also takes characters shared with it
  const auto script = fmt::format(R"(\p{{sc:{}}})", name);
  return completed(compiles(script) ? script : fmt::format(R"(\p{{{}}})", name), with_new);
}

std::string word_items(Place place, bool with_new) {
  static const std::string kWord = (compiles(R"(\p{Alphabetic})") ? R"(\p{Alphabetic})" : "") +
                                   std::string(R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc})");
  return completed(kWord, with_new) + (place == Place::Alone ? R"(\xb2\xb3\xb9\xbc-\xbe)" : "");
}

}  // namespace aha
