#include "data/tokenizer/word_level.h"

#include <algorithm>

#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

const Json& member(const Json& object, const char* key) {
  static const Json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string type_of(const Json& component) {
  if (component.is_object() && component.contains("type") && component["type"].is_string())
    return component["type"].get<std::string>();
  return brief(component);
}

}  // namespace

WordLevelTokenizer::WordLevelTokenizer(TokenizerFiles files) : files_(std::move(files)) {
  const auto where = files_.path("tokenizer.json");
  const auto* bytes = files_.find("tokenizer.json");
  check(bytes != nullptr, "a tokenizer is made from a tokenizer.json");
  const auto json = parse_json(*bytes, where);
  if (!json.is_object()) fail("{}: expected an object", where);
  for (const char* key : {"normalizer", "decoder"}) {
    if (!member(json, key).is_null())
      fail("{}: {} '{}' is not supported with a WordLevel model, expected null", where, key,
           type_of(member(json, key)));
  }
  const auto& pre = member(json, "pre_tokenizer");
  if (pre.is_null()) {
    split_ = Split::None;
  } else if (type_of(pre) == "WhitespaceSplit") {
    split_ = Split::Spaces;
  } else if (type_of(pre) == "Whitespace") {
    split_ = Split::WordsAndSigns;
  } else {
    fail(
        "{}: pre_tokenizer '{}' is not supported with a WordLevel model, expected "
        "WhitespaceSplit, Whitespace or null",
        where, type_of(pre));
  }
  added_ = AddedTokens(member(json, "added_tokens"), where);
  post_processor_ = PostProcessor(Component(json, where).member("post_processor"));
  read_model(member(json, "model"), where);
  read_added(where);
  post_processor_.check_ids(size_, where);
  for (const auto& [role, content] : special_tokens(files_)) {
    const auto id = id_of(content);
    if (!id) fail("{}: {} '{}' has no id in tokenizer.json", files_.folder, role, content);
    special_.emplace(role, *id);
  }
}

void WordLevelTokenizer::read_model(const Json& model, const std::string& where) {
  if (!model.is_object()) fail("{}: 'model' must be an object", where);
  const auto& vocabulary = member(model, "vocab");
  if (!vocabulary.is_object()) fail("{}: model.vocab must be an object of words and ids", where);
  if (vocabulary.empty()) fail("{}: model.vocab has no words", where);
  for (const auto& [word, id] : vocabulary.items()) {
    const auto place = where + ": model.vocab";
    add(word, token_id(id, fmt::format("{}: '{}'", place, word)), place);
  }
  words_ = ids_;
  const auto& unk = member(model, "unk_token");
  if (unk.is_null()) return;
  if (!unk.is_string()) fail("{}: model.unk_token must be a text", where);
  const auto found = words_.find(unk.get<std::string>());
  if (found != words_.end()) unk_ = found->second;
}

void WordLevelTokenizer::read_added(const std::string& where) {
  // `tokenizers` numbers added tokens itself: after the words and after each other. A file that
  // says otherwise would mean one id here and another there.
  const auto words = std::ssize(words_);
  std::optional<TokenId> largest;
  for (const auto& token : added_.tokens()) {
    add(token.content, token.id, where + ": added_tokens");
    const auto next = largest && *largest >= words ? *largest + 1 : words;
    if (!words_.contains(token.content) && token.id != next)
      fail(
          "{}: added_tokens: '{}' has id {}, but {} is the next after the words and tokens before "
          "it",
          where, token.content, token.id, next);
    largest = std::max(largest.value_or(0), token.id);
  }
}

void WordLevelTokenizer::add(const std::string& token, TokenId id, const std::string& where) {
  const auto [by_word, new_word] = ids_.emplace(token, id);
  if (!new_word && by_word->second != id)
    fail("{}: '{}' has id {} here and id {} before", where, token, id, by_word->second);
  const auto [by_id, new_id] = tokens_.emplace(id, token);
  if (!new_id && by_id->second != token)
    fail("{}: id {} is given to '{}' and to '{}'", where, id, by_id->second, token);
  size_ = std::max(size_, id + 1);
}

std::vector<TokenId> WordLevelTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  for (const auto& piece : added_.split(text)) {
    if (piece.id)
      ids.push_back(*piece.id);
    else
      encode_words(piece.text, ids);
  }
  return ids;
}

void WordLevelTokenizer::encode_words(std::string_view text, std::vector<TokenId>& ids) const {
  if (split_ == Split::None) {
    ids.push_back(word_id(text));
    return;
  }
  enum class Kind { Space, Word, Sign };
  const auto kind_of = [&](std::int32_t c) {
    if (is_space(c)) return Kind::Space;
    return split_ == Split::Spaces || is_word(c) ? Kind::Word : Kind::Sign;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    auto character = character_at(text, at);
    const auto kind = kind_of(character.code_point);
    auto end = at + character.size;
    while (end < text.size()) {
      character = character_at(text, end);
      if (kind_of(character.code_point) != kind) break;
      end += character.size;
    }
    if (kind != Kind::Space) ids.push_back(word_id(text.substr(at, end - at)));
    at = end;
  }
}

TokenId WordLevelTokenizer::word_id(std::string_view word) const {
  const auto found = words_.find(word);
  if (found != words_.end()) return found->second;
  if (!unk_) {
    const bool is_long = word.size() > 60;
    fail("the tokenizer has no id for '{}{}' and no unk token; its {} words are in {}",
         word.substr(0, 60), is_long ? "..." : "", words_.size(), files_.path("tokenizer.json"));
  }
  return *unk_;
}

std::string WordLevelTokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string text;
  bool first = true;
  for (const auto id : ids) {
    const auto found = tokens_.find(id);
    if (found == tokens_.end()) continue;
    if (skip_special && is_special(id)) continue;
    if (!first) text += ' ';
    text += found->second;
    first = false;
  }
  return text;
}

std::optional<TokenId> WordLevelTokenizer::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::optional<TokenId> WordLevelTokenizer::special(const std::string& role) const {
  const auto found = special_.find(role);
  if (found == special_.end()) return std::nullopt;
  return found->second;
}

std::unique_ptr<Tokenizer> make_word_level_tokenizer(std::span<const std::string> words) {
  OrderedJson vocabulary = OrderedJson::object();
  OrderedJson added = OrderedJson::array();
  OrderedJson roles = OrderedJson::object();
  for (std::size_t id = 0; id < words.size(); ++id) {
    check(!vocabulary.contains(words[id]), "a task's vocabulary has no word twice");
    vocabulary[words[id]] = id;
    if (words[id] != "<eos>" && words[id] != "<pad>") continue;
    roles[words[id] == "<eos>" ? "eos_token" : "pad_token"] = words[id];
    added.push_back(OrderedJson{{"id", id},
                                {"content", words[id]},
                                {"single_word", false},
                                {"lstrip", false},
                                {"rstrip", false},
                                {"normalized", false},
                                {"special", true}});
  }
  const OrderedJson tokenizer{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
      {"post_processor", nullptr},
      {"decoder", nullptr},
      {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "<unk>"}}}};
  OrderedJson config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                     {"clean_up_tokenization_spaces", false}};
  config.update(roles);
  TokenizerFiles files{"the task's tokenizer",
                       {{"special_tokens_map.json", roles.dump(2) + "\n"},
                        {"tokenizer.json", tokenizer.dump(2) + "\n"},
                        {"tokenizer_config.json", config.dump(2) + "\n"}}};
  return std::make_unique<WordLevelTokenizer>(std::move(files));
}

}  // namespace aha
