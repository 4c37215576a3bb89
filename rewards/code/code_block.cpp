#include "rewards/code/code_block.h"

#include <algorithm>
#include <cctype>

#include "rewards/text_scan.h"

namespace aha {
namespace {

struct Fence {
  std::size_t ticks = 0;  ///< 0: the line is none
  std::string_view tag;
};

Fence fence_of(std::string_view line) {
  constexpr std::size_t kLeast = 3;
  line = trimmed(line);
  const auto ticks = std::min(line.find_first_not_of('`'), line.size());
  if (ticks < kLeast) return {};
  const auto tag = trimmed(line.substr(ticks));
  // inline code in backticks is no fence
  if (tag.find('`') != std::string_view::npos) return {};
  return {ticks, tag};
}

}  // namespace

std::optional<Language> language_of(std::string_view tag) {
  std::string word(tag.substr(0, tag.find_first_of(" \t{")));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "python" || word == "py" || word == "python3") return Language::Python;
  if (word == "cpp" || word == "c++" || word == "cc" || word == "cxx") return Language::Cpp;
  return std::nullopt;
}

std::optional<CodeBlock> last_code_block(std::string_view text, std::optional<Language> wanted) {
  std::optional<CodeBlock> last;
  Fence open;
  std::size_t begin = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto fence = fence_of(text.substr(from, end - from));
    if (open.ticks == 0 && fence.ticks > 0) {
      open = fence;
      begin = std::min(end + 1, text.size());
    } else if (open.ticks > 0 && fence.ticks >= open.ticks && fence.tag.empty()) {
      const auto language =
          open.tag.empty() ? wanted.value_or(Language::Python) : language_of(open.tag);
      if (language && (!wanted || language == wanted))
        last = CodeBlock{text.substr(begin, from - begin), *language};
      open = {};
    }
    from = end + 1;
  }
  return last;
}

}  // namespace aha
