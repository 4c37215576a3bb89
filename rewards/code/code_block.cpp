#include "rewards/code/code_block.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha {
namespace {

struct Fence {
  char sign = '`';
  std::size_t signs = 0;  ///< 0: the line is none
  std::string_view tag;
  std::string_view indent;
};

/// "<answer>" of "<answer>```python": a tag directly before the fence.
std::string_view without_tag(std::string_view line) {
  if (!line.starts_with('<')) return line;
  const auto end = line.find('>');
  return end == std::string_view::npos ? line : line.substr(end + 1);
}

Fence fence_of(std::string_view line) {
  constexpr std::size_t kLeast = 3;
  const auto indent = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  line = trimmed(without_tag(trimmed(line)));
  if (line.empty() || (line.front() != '`' && line.front() != '~')) return {};
  const auto signs = std::min(line.find_first_not_of(line.front()), line.size());
  if (signs < kLeast) return {};
  const auto tag = trimmed(line.substr(signs));
  // inline code in backticks is no fence
  if (line.front() == '`' && tag.find('`') != std::string_view::npos) return {};
  return {line.front(), signs, tag, indent};
}

/// Whether a fence closes what another has opened: behind it stands nothing, or "</answer>".
bool closes(const Fence& fence, const Fence& open) {
  return fence.sign == open.sign && fence.signs >= open.signs &&
         (fence.tag.empty() || (fence.tag.starts_with("</") && fence.tag.ends_with('>')));
}

/// Lines less the indentation of their fence, where all have it: those of an item of a list.
std::string without_indent(std::string_view lines, std::string_view indent) {
  std::string text;
  for (std::size_t from = 0; !indent.empty() && from < lines.size();) {
    const auto end = std::min(lines.find('\n', from), lines.size() - 1) + 1;
    auto line = lines.substr(from, end - from);
    if (line.starts_with(indent))
      line.remove_prefix(indent.size());
    else if (!trimmed(line).empty())
      return std::string(lines);
    text += line;
    from = end;
  }
  return indent.empty() ? std::string(lines) : text;
}

}  // namespace

std::optional<Language> language_of(std::string_view tag) {
  auto word = lower(tag.substr(0, tag.find_first_of(" \t{,:;")));
  word.erase(word.find_last_not_of("0123456789.") + 1);  // a version
  if (word == "python" || word == "py") return Language::Python;
  if (word == "cpp" || word == "c++" || word == "cc" || word == "cxx") return Language::Cpp;
  return std::nullopt;
}

std::optional<CodeBlock> last_code_block(std::string_view text, std::optional<Language> wanted) {
  struct Found {
    std::string_view lines;
    Fence fence;
    Language language;
  };
  std::optional<Found> tagged;
  std::optional<Found> untagged;
  Fence open;
  std::size_t begin = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto fence = fence_of(text.substr(from, end - from));
    if (open.signs == 0 && fence.signs > 0) {
      open = fence;
      begin = std::min(end + 1, text.size());
    } else if (open.signs > 0 && closes(fence, open)) {
      const auto language =
          open.tag.empty() ? wanted.value_or(Language::Python) : language_of(open.tag);
      if (language && (!wanted || language == wanted))
        (open.tag.empty() ? untagged : tagged) =
            Found{text.substr(begin, from - begin), open, *language};
      open = {};
    }
    from = end + 1;
  }
  const auto& last = tagged ? tagged : untagged;
  if (!last) return std::nullopt;
  return CodeBlock{without_indent(last->lines, last->fence.indent), last->language};
}

}  // namespace aha
