#include "data/tokenizer/jinja_string.h"

#include <utf8proc.h>

#include <algorithm>

#include "data/tokenizer/jinja_case.h"
#include "data/tokenizer/unicode.h"

namespace aha::jinja {
namespace {

enum class Case { Upper, Title };

const SpecialCase* special_case(std::int32_t c) {
  if (c < 0xDF) return nullptr;
  const auto found = std::lower_bound(
      kSpecialCases.begin(), kSpecialCases.end(), c,
      [](const SpecialCase& entry, auto point) { return entry.code_point < point; });
  return found != kSpecialCases.end() && found->code_point == c ? &*found : nullptr;
}

void append_cased(std::int32_t c, Case to, std::string& out) {
  if (const auto* special = special_case(c))
    out += to == Case::Upper ? special->upper : special->title;
  else
    append_utf8(to == Case::Upper ? utf8proc_toupper(c) : utf8proc_totitle(c), out);
}

bool is_cased(std::int32_t c) {
  const auto category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

/// Looks over marks, as the rule of the final sigma does.
bool cased_before(std::string_view text, std::size_t at) {
  while (at > 0) {
    const auto c = character_before(text, at);
    if (is_cased(c.code_point)) return true;
    const auto category = utf8proc_category(c.code_point);
    const bool ignorable = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
                           category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_LM ||
                           category == UTF8PROC_CATEGORY_SK || c.code_point == '\'' ||
                           c.code_point == '.' || c.code_point == ':';
    if (!ignorable) return false;
    at -= c.size;
  }
  return false;
}

bool cased_after(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  return is_cased(character_at(text, at).code_point);
}

void append_lower(std::string_view text, std::size_t at, std::int32_t c, std::string& out) {
  constexpr std::int32_t kSigma = 0x3A3;
  if (c == kSigma) {
    const bool final = cased_before(text, at) && !cased_after(text, at + 2);
    append_utf8(final ? 0x3C2 : 0x3C3, out);
  } else {
    append_utf8(utf8proc_tolower(c), out);
    if (c == 0x130) out += "\u0307";
  }
}

template <class Each>
void for_each_character(std::string_view text, const Each& each) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = character_at(text, at);
    each(at, c.code_point);
    at += c.size;
  }
}

/// Bytes of white space, or of characters in `set`, that begin or end the text.
template <class In>
std::string_view stripped_if(std::string_view text, Side side, const In& in) {
  while (side != Side::Right && !text.empty()) {
    const auto c = character_at(text, 0);
    if (!in(c.code_point, text.substr(0, c.size))) break;
    text.remove_prefix(c.size);
  }
  while (side != Side::Left && !text.empty()) {
    const auto c = character_before(text, text.size());
    if (!in(c.code_point, text.substr(text.size() - c.size))) break;
    text.remove_suffix(c.size);
  }
  return text;
}

bool is_line_end(std::int32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

}  // namespace

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> all;
  all.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto size = character_at(text, at).size;
    all.push_back(text.substr(at, size));
    at += size;
  }
  return all;
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::size_t byte_offset(std::string_view text, std::size_t character) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    if (character-- == 0) break;
  }
  return at;
}

bool is_python_space(std::int32_t c) {
  return is_space(c) || (c >= 0x1C && c <= 0x1F);
}

bool is_printable(std::int32_t c) {
  if (c < 0x7F) return c >= 0x20;
  const auto category = utf8proc_category(c);
  return category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZS;
}

std::string upper(std::string_view text) {
  std::string out;
  for_each_character(text, [&](auto, auto c) { append_cased(c, Case::Upper, out); });
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  for_each_character(text, [&](auto at, auto c) { append_lower(text, at, c, out); });
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool inside = false;
  for_each_character(text, [&](auto at, auto c) {
    if (inside)
      append_lower(text, at, c, out);
    else
      append_cased(c, Case::Title, out);
    inside = is_cased(c);
  });
  return out;
}

std::string capitalize(std::string_view text) {
  std::string out;
  for_each_character(text, [&](auto at, auto c) {
    if (at == 0)
      append_cased(c, Case::Title, out);
    else
      append_lower(text, at, c, out);
  });
  return out;
}

std::string_view stripped(std::string_view text, Side side) {
  return stripped_if(text, side, [](auto c, auto) { return is_python_space(c); });
}

std::string_view stripped(std::string_view text, Side side, std::string_view set) {
  return stripped_if(text, side, [&](auto, std::string_view character) {
    return set.find(character) != std::string_view::npos;
  });
}

std::vector<std::string_view> split_space(std::string_view text, std::int64_t limit,
                                          bool from_right) {
  std::vector<std::string_view> parts;
  const auto near = from_right ? Side::Right : Side::Left;
  text = stripped(text, near);
  while (!text.empty()) {
    if (limit >= 0 && std::ssize(parts) == limit) {
      parts.push_back(text);
      break;
    }
    const auto rest = stripped_if(text, near, [](auto c, auto) { return !is_python_space(c); });
    const auto size = text.size() - rest.size();
    parts.push_back(from_right ? text.substr(rest.size()) : text.substr(0, size));
    text = stripped(rest, near);
  }
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator,
                                       std::int64_t limit, bool from_right) {
  std::vector<std::string_view> parts;
  while (limit < 0 || std::ssize(parts) < limit) {
    const auto at = from_right ? text.rfind(separator) : text.find(separator);
    if (at == std::string_view::npos) break;
    const auto before = text.substr(0, at);
    const auto after = text.substr(at + separator.size());
    parts.push_back(from_right ? after : before);
    text = from_right ? before : after;
  }
  parts.push_back(text);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = character_at(text, at);
    auto end = at + c.size;
    if (is_line_end(c.code_point)) {
      if (c.code_point == '\r' && end < text.size() && text[end] == '\n') ++end;
      lines.push_back(text.substr(begin, (keep_ends ? end : at) - begin));
      begin = end;
    }
    at = end;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     std::int64_t limit) {
  std::string out;
  if (from.empty()) {  // before every character and at the end
    for (const auto character : characters(text)) {
      if (limit != 0) out += to;
      if (limit > 0) --limit;
      out += character;
    }
    return limit != 0 ? out += to : out;
  }
  while (limit != 0) {
    const auto at = text.find(from);
    if (at == std::string_view::npos) break;
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
    --limit;
  }
  return out.append(text);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&#34;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

}  // namespace aha::jinja
