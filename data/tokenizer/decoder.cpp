#include "data/tokenizer/decoder.h"

#include <algorithm>
#include <optional>

#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/pattern.h"
#include "data/tokenizer/unicode.h"

namespace aha {
namespace {

constexpr const char* kKnown =
    "ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace or Sequence";

class ByteLevelDecoder final : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const auto& token : tokens)
      bytes += from_byte_level(token).value_or(token);
    tokens = {lossy_utf8(bytes)};
  }
};

std::optional<char> byte_of(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  int value = 0;
  for (const char c : {token[3], token[4]}) {
    const char lower = static_cast<char>(c | 0x20);
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && (lower < 'a' || lower > 'f')) return std::nullopt;
    value = value * 16 + (decimal ? c - '0' : lower - 'a' + 10);
  }
  return static_cast<char>(value);
}

/// Runs of tokens such as <0xE2> become the text they spell, or one U+FFFD for each.
class ByteFallback final : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> decoded;
    std::string run;
    const auto end_run = [&] {
      if (run.empty()) return;
      if (first_invalid_utf8(run))
        decoded.insert(decoded.end(), run.size(), "\uFFFD");
      else
        decoded.push_back(run);
      run.clear();
    };
    for (auto& token : tokens) {
      if (const auto byte = byte_of(token)) {
        run += *byte;
        continue;
      }
      end_run();
      decoded.push_back(std::move(token));
    }
    end_run();
    tokens = std::move(decoded);
  }
};

class Fuse final : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const auto& token : tokens)
      all += token;
    tokens = {std::move(all)};
  }
};

class ReplaceDecoder final : public TokenDecoder {
 public:
  explicit ReplaceDecoder(const Component& c)
      : pattern_(c.member("pattern")), content_(c.text("content")) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (auto& token : tokens)
      token = pattern_.replace(token, content_);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

/// Takes up to `start` signs from the front of every token and up to `stop` from its end.
class StripDecoder final : public TokenDecoder {
 public:
  explicit StripDecoder(const Component& c)
      : sign_(c.character("content")), start_(c.count("start")), stop_(c.count("stop")) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (auto& token : tokens) {
      std::string_view rest = token;
      for (std::size_t i = 0; i < start_ && rest.starts_with(sign_); ++i)
        rest.remove_prefix(sign_.size());
      for (std::size_t i = 0; i < stop_ && rest.ends_with(sign_); ++i)
        rest.remove_suffix(sign_.size());
      token = std::string(rest);
    }
  }

 private:
  std::string sign_;
  std::size_t start_;
  std::size_t stop_;
};

class MetaspaceDecoder final : public TokenDecoder {
 public:
  explicit MetaspaceDecoder(const Component& c)
      : sign_(c.character("replacement")),
        prepends_(c.text("prepend_scheme", "always") != "never" &&
                  c.flag("add_prefix_space", true)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = with_spaces(tokens[i], i == 0 && prepends_ ? "" : " ");
  }

 private:
  std::string with_spaces(const std::string& token, std::string_view space) const {
    std::string text;
    std::size_t done = 0;
    for (auto at = token.find(sign_); at != std::string::npos; at = token.find(sign_, done)) {
      text.append(token, done, at - done);
      text += space;
      done = at + sign_.size();
    }
    return text.append(token, done);
  }

  std::string sign_;
  bool prepends_;
};

std::unique_ptr<TokenDecoder> make_one(const Component& c) {
  const auto type = c.type();
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
  if (type == "ByteFallback") return std::make_unique<ByteFallback>();
  if (type == "Fuse") return std::make_unique<Fuse>();
  if (type == "Replace") return std::make_unique<ReplaceDecoder>(c);
  if (type == "Strip") return std::make_unique<StripDecoder>(c);
  if (type == "Metaspace") return std::make_unique<MetaspaceDecoder>(c);
  c.refuse_type("decoder", kKnown);
}

void add(const Component& c, Decoders& all) {
  if (c.type() == "Sequence") {
    const auto list = c.member("decoders");
    for (std::size_t i = 0; i < c.list_size("decoders"); ++i)
      add(list.element(i), all);
    return;
  }
  all.to_bytes = all.steps.empty() ? c.type() == "ByteLevel" : all.to_bytes && c.type() == "Fuse";
  all.steps.push_back(make_one(c));
}

}  // namespace

Decoders make_decoders(const Component& component) {
  Decoders all;
  if (!component.is_null()) add(component, all);
  return all;
}

}  // namespace aha
