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

/// Oniguruma's names in small letters without space, '-' and '_', where PCRE2 knows others.
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
    Name{"alpha", R"(\p{Alphabetic})"},
    Name{"alnum", R"(\p{Alphabetic}\p{Nd})"},
    Name{"upper", R"(\p{Uppercase})"},
    Name{"lower", R"(\p{Lowercase})"},
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

}  // namespace

std::string property_items(std::string_view name, bool with_new) {
  std::string plain;
  for (const char c : name)
    if (c != ' ' && c != '-' && c != '_')
      plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const auto known = std::find_if(kProperties.begin(), kProperties.end(),
                                  [&](const Name& entry) { return plain == entry.onig; });
  if (known != kProperties.end()) {
    const std::string items = known->items;
    const auto is_category =
        with_new && items.starts_with("\\p{") && items.find('}') + 1 == items.size();
    return is_category ? items + new_characters(items.substr(3, items.size() - 4)) : items;
  }
  if (plain == "word") return word_items(with_new);
  if (with_new && name.size() <= 2) return fmt::format(R"(\p{{{}}})", name) + new_characters(name);
  // \p{Han} is the script alone; from 10.40 on PCRE2 also takes characters shared with it
  const auto script = fmt::format(R"(\p{{sc:{}}})", name);
  return compiles(script) ? script : fmt::format(R"(\p{{{}}})", name);
}

std::string word_items(bool with_new) {
  // the numbers below U+0100 are among them, other numbers that are no digits are not
  static const std::string kWord =
      (compiles(R"(\p{Alphabetic})") ? R"(\p{Alphabetic})" : R"(\p{L}\p{Nl})") +
      std::string(R"(\p{M}\p{Nd}\p{Pc}\xb2\xb3\xb9\xbc-\xbe)");
  if (!with_new) return kWord;
  return kWord + new_characters("L") + new_characters("M") + new_characters("Nd") +
         new_characters("Nl");
}

}  // namespace aha
