#include "data/tokenizer/bpe.h"

#include <algorithm>
#include <unordered_set>

#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {

BpeTokenizer::BpeTokenizer(TokenizerFiles files, const Json& json)
    : BpeTokenizer(std::move(files), Component(json, files.path("tokenizer.json"))) {}

BpeTokenizer::BpeTokenizer(TokenizerFiles&& files, const Component& root)
    : files_(std::move(files)),
      normalizers_(make_normalizers(root.member("normalizer"))),
      pre_tokenizers_(make_pre_tokenizers(root.member("pre_tokenizer"))),
      model_(root.member("model"), pre_tokenizers_.to_bytes),
      added_(root.member("added_tokens").json(), files_.path("tokenizer.json")),
      post_processor_(root.member("post_processor")),
      decoders_(make_decoders(root.member("decoder"))) {
  added_.normalize([this](std::string_view text) { return normalized(text); });
  check_added_ids(files_.path("tokenizer.json"));
  make_entries();
  post_processor_.check_ids(vocabulary_size(), files_.path("tokenizer.json"));
  for (const auto& [name, content] : special_tokens(files_)) {
    const auto id = id_of(content);
    if (!id) fail("{}: {} '{}' has no id in tokenizer.json", files_.folder, name, content);
    roles_.emplace(name, *id);
  }
}

void BpeTokenizer::check_added_ids(const std::string& where) const {
  // `tokenizers` numbers added tokens itself: those that the model does not know come after its
  // vocabulary and after each other. A file that says otherwise would mean one id here and another
  // there.
  auto next = std::ssize(model_.vocabulary());
  for (const auto& token : added_.tokens()) {
    const auto found = model_.vocabulary().find(token.content);
    const auto expected = found == model_.vocabulary().end() ? next++ : found->second;
    if (token.id != expected)
      fail(
          "{}: added_tokens: '{}' has id {}, but it is token {} by the vocabulary and the tokens "
          "before it",
          where, token.content, token.id, expected);
  }
}

std::string BpeTokenizer::normalized(std::string_view text) const {
  std::string result(text);
  for (const auto& step : normalizers_)
    step->apply(result);
  return result;
}

void BpeTokenizer::make_entries() {
  TokenId largest = -1;
  for (const auto& [token, id] : model_.vocabulary())
    largest = std::max(largest, id);
  for (const auto& token : added_.tokens())
    largest = std::max(largest, token.id);
  entry_of_.assign(static_cast<std::size_t>(largest + 1), -1);
  entries_.reserve(model_.vocabulary().size() + added_.tokens().size());
  for (const auto& [token, id] : model_.vocabulary())
    set_entry(id, token);
  std::unordered_set<std::string_view> special;
  for (const auto& token : added_.tokens()) {
    set_entry(token.id, token.pattern);
    if (token.special) special.insert(token.content);
  }
  for (auto& entry : entries_)
    entry.special = special.contains(entry.token);
}

void BpeTokenizer::set_entry(TokenId id, std::string token) {
  auto& index = entry_of_[static_cast<std::size_t>(id)];
  if (index < 0) {
    index = static_cast<std::int32_t>(entries_.size());
    entries_.emplace_back();
  }
  auto& entry = entries_[static_cast<std::size_t>(index)];
  if (decoders_.to_bytes) entry.bytes = from_byte_level(token).value_or(token);
  entry.token = std::move(token);
}

const BpeTokenizer::Entry* BpeTokenizer::entry(TokenId id) const {
  if (id < 0 || id >= std::ssize(entry_of_)) return nullptr;
  const auto index = entry_of_[static_cast<std::size_t>(id)];
  return index < 0 ? nullptr : &entries_[static_cast<std::size_t>(index)];
}

std::vector<TokenId> BpeTokenizer::encode(std::string_view text) const {
  if (const auto bad = first_invalid_utf8(text))
    fail("the text is not UTF-8: byte {} is 0x{:02x}", *bad,
         static_cast<unsigned char>(text[*bad]));
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 4 + 1);
  for (const auto& piece : added_.split_plain(text)) {
    if (piece.id) {
      ids.push_back(*piece.id);
      continue;
    }
    const bool starts_text = piece.text.data() == text.data();
    std::string owned;
    auto part = piece.text;
    if (!normalizers_.empty()) part = owned = normalized(part);
    for (const auto& finer : added_.split_normalized(part)) {
      if (finer.id)
        ids.push_back(*finer.id);
      else
        encode_words(finer.text, starts_text && finer.text.data() == part.data(), ids);
    }
  }
  return ids;
}

void BpeTokenizer::encode_words(std::string_view text, bool starts_text,
                                std::vector<TokenId>& ids) const {
  Words words;
  words.list.push_back({text, starts_text});
  for (const auto& step : pre_tokenizers_.steps)
    step->apply(words);
  for (const auto& word : words.list)
    model_.encode(word.text, ids);
}

std::string BpeTokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  std::vector<std::string> tokens;
  for (const auto id : ids) {
    const auto* found = entry(id);
    if (found == nullptr || (skip_special && found->special)) continue;
    if (decoders_.to_bytes)
      bytes += found->bytes;
    else
      tokens.push_back(found->token);
  }
  if (decoders_.to_bytes) return lossy_utf8(bytes);
  for (const auto& step : decoders_.steps)
    step->apply(tokens);
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && decoders_.steps.empty()) text += ' ';
    text += tokens[i];
  }
  return text;
}

std::optional<std::string_view> BpeTokenizer::bytes_of(TokenId id) const {
  if (!decoders_.to_bytes) return std::nullopt;
  const auto* found = entry(id);
  return found == nullptr ? std::string_view() : std::string_view(found->bytes);
}

std::optional<TokenId> BpeTokenizer::id_of(std::string_view token) const {
  const auto found = model_.vocabulary().find(token);
  if (found != model_.vocabulary().end()) return found->second;
  for (const auto& added : added_.tokens())
    if (added.content == token) return added.id;
  return std::nullopt;
}

std::optional<TokenId> BpeTokenizer::role(const std::string& name) const {
  const auto found = roles_.find(name);
  if (found == roles_.end()) return std::nullopt;
  return found->second;
}

}  // namespace aha
