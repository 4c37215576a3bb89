#include "rewards/math/vocabulary_entry.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr Entry kCharacters[] = {
    {"\u00D7", K::Operator, "x"},            // multiplication sign
    {"\u00F7", K::Operator, "/"},            // division sign
    {"\u00B7", K::Operator, "*"},            // middle dot
    {"\u22C5", K::Operator, "*"},            // dot operator
    {"\u2217", K::Operator, "*"},            // asterisk operator
    {"\u2212", K::Operator, "-"},            // minus sign
    {"\u2013", K::Operator, "-"},            // en dash
    {"\u00B1", K::Operator, "p"},            // plus-minus sign
    {"\u2213", K::Operator, "q"},            // minus-or-plus sign
    {"\u2044", K::Operator, "/"},            // fraction slash
    {"\u2215", K::Operator, "/"},            // division slash
    {"\u221A", K::Command, "sqrt"},          // square root
    {"\u221B", K::Command, "cbrt"},          // cube root
    {"\u03C0", K::Constant, "pi"},           // greek small letter pi
    {"\u221E", K::Constant, "infinity"},     // infinity
    {"\u211D", K::Constant, "reals"},        // double-struck capital r
    {"\u2124", K::Constant, "integers"},     // double-struck capital z
    {"\u2205", K::Constant, "empty"},        // empty set
    {"\u2264", K::Relation, "L"},            // less-than or equal to
    {"\u2265", K::Relation, "G"},            // greater-than or equal to
    {"\u2260", K::Relation, "!"},            // not equal to
    {"\u2248", K::Relation, "~"},            // almost equal to
    {"\u2208", K::Relation, "e"},            // element of
    {"\u222A", K::SetSign, "union"},         // union
    {"\u2229", K::SetSign, "intersection"},  // intersection
    {"\u230A", K::Open, "f"},                // left floor
    {"\u230B", K::Close, "f"},               // right floor
    {"\u2308", K::Open, "c"},                // left ceiling
    {"\u2309", K::Close, "c"},               // right ceiling
    {"\u2220", K::Command, "angle"},         // angle
    {"\u00B0", K::Degree},                   // degree sign
    {"\u2032", K::Prime},                    // prime
    {"\u2026", K::Ellipsis},                 // horizontal ellipsis
    {"\uFF0C", K::Separator},                // fullwidth comma
    {"\uFF1B", K::Separator},                // fullwidth semicolon
    {"\u3001", K::Separator},                // ideographic comma
    {"\uFF1C", K::Relation, "<"},            // fullwidth less-than sign
    {"\uFF1E", K::Relation, ">"},            // fullwidth greater-than sign
    {"\u2103", K::Degree},                   // degree celsius
    {"\u2109", K::Degree},                   // degree fahrenheit
    {"\u00A0", K::Skip},                     // no-break space
    {"\u2009", K::Skip},                     // thin space
    {"\u202F", K::Skip},                     // narrow no-break space
    {"\u200B", K::Skip},                     // zero width space
    {"\u00A2", K::Skip},                     // cent sign
    {"\u00A3", K::Skip},                     // pound sign
    {"\u20AC", K::Skip},                     // euro sign
    {"\u00A5", K::Skip},                     // yen sign
    {"\u20B9", K::Skip},                     // rupee sign
    {"\u03B1", K::Symbol, "alpha"},          // greek small letter alpha
    {"\u03B2", K::Symbol, "beta"},           // greek small letter beta
    {"\u03B3", K::Symbol, "gamma"},          // greek small letter gamma
    {"\u03B8", K::Symbol, "theta"},          // greek small letter theta
    {"\u03BB", K::Symbol, "lambda"},         // greek small letter lamda
    {"\u03C6", K::Symbol, "phi"},            // greek small letter phi
    {"\u03C9", K::Symbol, "omega"},          // greek small letter omega
};

/// What the marks of places (####, <answer>, $) and separators are made of stays as it is.
bool has_narrow_form(char c) {
  return is_digit(c) || is_letter(c) ||
         std::string_view("!%()*+-./:=[]^_{|}").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<std::string> narrowed(std::string_view text) {
  // U+FF01 to U+FF5E are the printable characters of ASCII: EF BC 81 to EF BD 9E.
  const auto is_wide = [&](std::size_t at) {
    return at + 2 < text.size() && text[at] == '\xEF' &&
           (text[at + 1] == '\xBC' || text[at + 1] == '\xBD');
  };
  if (text.find("\xEF\xBC") == std::string_view::npos &&
      text.find("\xEF\xBD") == std::string_view::npos)
    return std::nullopt;
  std::string narrow;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_wide(at)) {
      const int high = text[at + 1] == '\xBC' ? 0 : 64;
      const auto low = static_cast<unsigned char>(text[at + 2]);
      const auto c = static_cast<char>(0x20 + high + (low & 0x3F));
      if (low >= 0x80 && low < 0xC0 && has_narrow_form(c)) {
        narrow += c;
        at += 2;
        continue;
      }
    }
    narrow += text[at];
  }
  return narrow;
}

std::optional<Meaning> character_meaning(std::string_view text, std::size_t& size) {
  for (const auto& entry : kCharacters) {
    if (!text.starts_with(entry.word)) continue;
    size = entry.word.size();
    return Meaning{entry.kind, entry.text};
  }
  return std::nullopt;
}

}  // namespace aha::math
