#include "data/tokenizer/pre_tokenizer.h"

#include <functional>

#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/pattern.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kKnown =
    "Split, ByteLevel, Digits, Whitespace, WhitespaceSplit, Punctuation, Metaspace or Sequence";

using Finder = std::function<void(std::string_view text, std::vector<Span>& matches)>;

/// Cuts words where `find` matches.
class Splitter final : public PreTokenizer {
 public:
  Splitter(Finder find, SplitBehavior behavior, bool invert)
      : find_(std::move(find)), behavior_(behavior), invert_(invert) {}

  void apply(Words& words) const override {
    std::vector<Words::Word> finer;
    finer.reserve(words.list.size());
    std::vector<Span> matches;
    std::vector<Part> parts;
    for (const auto& word : words.list) {
      find_(word.text, matches);
      cut(word.text, matches, invert_, parts);
      apply_behavior(behavior_, parts);
      for (const auto& part : parts)
        if (part.end > part.begin)
          finer.push_back({word.text.substr(part.begin, part.end - part.begin),
                           word.starts_text && part.begin == 0});
    }
    words.list = std::move(finer);
  }

 private:
  Finder find_;
  SplitBehavior behavior_;
  bool invert_;
};

/// Finds single characters.
Finder each_character(bool (*wanted)(std::int32_t)) {
  return [wanted](std::string_view text, std::vector<Span>& matches) {
    matches.clear();
    for (std::size_t at = 0; at < text.size();) {
      const auto character = character_at(text, at);
      if (wanted(character.code_point)) matches.push_back({at, at + character.size});
      at += character.size;
    }
  };
}

/// Finds \w+ and [^\w\s]+.
void words_and_signs(std::string_view text, std::vector<Span>& matches) {
  matches.clear();
  enum class Kind { Space, Word, Sign };
  auto previous = Kind::Space;
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, size] = character_at(text, at);
    const auto kind = is_word(c) ? Kind::Word : is_space(c) ? Kind::Space : Kind::Sign;
    if (kind != Kind::Space) {
      if (kind == previous)
        matches.back().end = at + size;
      else
        matches.push_back({at, at + size});
    }
    previous = kind;
    at += size;
  }
}

/// Puts a text before the words that do not begin with it.
class Prefix final : public PreTokenizer {
 public:
  Prefix(std::string prefix, bool only_first)
      : prefix_(std::move(prefix)), only_first_(only_first) {}

  void apply(Words& words) const override {
    for (auto& word : words.list) {
      if (word.text.starts_with(prefix_) || (only_first_ && !word.starts_text)) continue;
      words.rewritten.push_back(prefix_ + std::string(word.text));
      word.text = words.rewritten.back();
    }
  }

 private:
  std::string prefix_;
  bool only_first_;
};

/// Writes `content` for every space.
class ReplaceSpaces final : public PreTokenizer {
 public:
  explicit ReplaceSpaces(std::string content) : content_(std::move(content)) {}

  void apply(Words& words) const override {
    for (auto& word : words.list) {
      if (word.text.find(' ') == std::string_view::npos) continue;
      std::string text;
      for (const char byte : word.text)
        if (byte == ' ')
          text += content_;
        else
          text += byte;
      words.rewritten.push_back(std::move(text));
      word.text = words.rewritten.back();
    }
  }

 private:
  std::string content_;
};

class BytesToLetters final : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    for (auto& word : words.list) {
      words.rewritten.push_back(to_byte_level(word.text));
      word.text = words.rewritten.back();
    }
  }
};

using Steps = std::vector<std::unique_ptr<PreTokenizer>>;

void add_splitter(Finder find, SplitBehavior behavior, bool invert, Steps& steps) {
  steps.push_back(std::make_unique<Splitter>(std::move(find), behavior, invert));
}

void add_split(const Component& c, Steps& steps) {
  add_splitter([pattern = Pattern(c.member("pattern"))](
                   std::string_view text, auto& matches) { pattern.find_all(text, matches); },
               split_behavior(c), c.flag("invert", false), steps);
}

void add_byte_level(const Component& c, bool last, Steps& steps) {
  if (c.flag("add_prefix_space")) steps.push_back(std::make_unique<Prefix>(" ", false));
  if (c.flag("use_regex", true))
    add_splitter([regex = Regex(kGpt2Pattern, c.where())](
                     std::string_view text, auto& matches) { regex.find_all(text, matches); },
                 SplitBehavior::Isolated, false, steps);
  if (!last) steps.push_back(std::make_unique<BytesToLetters>());
}

void add_metaspace(const Component& c, Steps& steps) {
  const auto sign = c.character("replacement");
  auto scheme = c.text("prepend_scheme", "always");
  if (scheme != "always" && scheme != "first" && scheme != "never")
    fail("{}.prepend_scheme: '{}' is not known, expected always, first or never", c.where(),
         scheme);
  if (!c.flag("add_prefix_space", true)) {
    if (scheme != "never" && !c.member("prepend_scheme").is_null())
      c.refuse("add_prefix_space and prepend_scheme contradict each other");
    scheme = "never";
  }
  steps.push_back(std::make_unique<ReplaceSpaces>(sign));
  if (scheme != "never") steps.push_back(std::make_unique<Prefix>(sign, scheme == "first"));
  if (c.flag("split", true))
    add_splitter(
        [sign](std::string_view text, std::vector<Span>& matches) {
          matches.clear();
          for (auto at = text.find(sign); at != std::string_view::npos;
               at = text.find(sign, at + sign.size()))
            matches.push_back({at, at + sign.size()});
        },
        SplitBehavior::MergedWithNext, false, steps);
}

/// `last`: nothing comes after it.
void add(const Component& c, bool last, PreTokenizers& all) {
  auto& steps = all.steps;
  const auto type = c.type();
  if (type == "Sequence") {
    const auto list = c.member("pretokenizers");
    const auto size = c.list_size("pretokenizers");
    for (std::size_t i = 0; i < size; ++i)
      add(list.element(i), last && i + 1 == size, all);
  } else if (type == "Split") {
    add_split(c, steps);
  } else if (type == "ByteLevel") {
    add_byte_level(c, last, steps);
    all.to_bytes = last;
  } else if (type == "Digits") {
    add_splitter(each_character(is_number),
                 c.flag("individual_digits") ? SplitBehavior::Isolated : SplitBehavior::Contiguous,
                 false, steps);
  } else if (type == "WhitespaceSplit") {
    add_splitter(each_character(is_space), SplitBehavior::Removed, false, steps);
  } else if (type == "Whitespace") {
    add_splitter(words_and_signs, SplitBehavior::Removed, true, steps);
  } else if (type == "Punctuation") {
    add_splitter(each_character(is_punctuation),
                 c.member("behavior").is_null() ? SplitBehavior::Isolated : split_behavior(c),
                 false, steps);
  } else if (type == "Metaspace") {
    add_metaspace(c, steps);
  } else {
    c.refuse_type("pre_tokenizer", kKnown);
  }
}

}  // namespace

PreTokenizers make_pre_tokenizers(const Component& component) {
  PreTokenizers all;
  if (!component.is_null()) add(component, true, all);
  return all;
}

}  // namespace aha
