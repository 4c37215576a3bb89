#include "data/tokenizer/added_tokens.h"

#include <algorithm>

#include "data/tokenizer/tokenizer_files.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::int64_t kIdLimit = std::int64_t{1} << 24;
constexpr std::size_t kMaxContent = 4096;

bool flag(const Json& entry, const char* key, bool otherwise, const std::string& where) {
  const auto found = entry.find(key);
  if (found == entry.end()) return otherwise;
  if (!found->is_boolean())
    fail("{}: '{}' is {}, expected true or false", where, key, brief(*found));
  return found->get<bool>();
}

AddedToken added_token(const Json& entry, const std::string& where) {
  if (!entry.is_object()) fail("{}: expected an object with 'id' and 'content'", where);
  AddedToken token;
  const auto id = entry.find("id");
  if (id == entry.end()) fail("{}: 'id' is missing", where);
  token.id = token_id(*id, where + ".id");
  const auto content = entry.find("content");
  if (content == entry.end() || !content->is_string()) fail("{}: 'content' must be a text", where);
  token.content = content->get<std::string>();
  if (token.content.empty() || token.content.size() > kMaxContent)
    fail("{}: 'content' has {} bytes, expected 1 to {}", where, token.content.size(), kMaxContent);
  token.single_word = flag(entry, "single_word", false, where);
  token.lstrip = flag(entry, "lstrip", false, where);
  token.rstrip = flag(entry, "rstrip", false, where);
  token.special = flag(entry, "special", false, where);
  token.normalized = flag(entry, "normalized", !token.special, where);
  token.pattern = token.content;
  return token;
}

bool stands_alone(std::string_view text, std::size_t start, std::size_t end) {
  const bool word_before = start > 0 && is_word(character_before(text, start).code_point);
  const bool word_after = end < text.size() && is_word(character_at(text, end).code_point);
  return !word_before && !word_after;
}

}  // namespace

TokenId token_id(const Json& value, std::string_view where) {
  const bool whole = value.is_number_integer();
  const bool fits =
      value.is_number_unsigned()
          ? value.get<std::uint64_t>() < static_cast<std::uint64_t>(kIdLimit)
          : whole && value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() < kIdLimit;
  if (!fits) fail("{}: id {} is not a whole number in [0, {})", where, brief(value), kIdLimit);
  return value.get<std::int64_t>();
}

AddedTokens::AddedTokens(const Json& entries, std::string_view where) {
  if (entries.is_null()) return;
  if (!entries.is_array()) fail("{}: 'added_tokens' must be a list", where);
  std::unordered_map<std::string, TokenId> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto token = added_token(entries[i], fmt::format("{}: added_tokens[{}]", where, i));
    if (!by_id_.emplace(token.id, tokens_.size()).second)
      fail("{}: added_tokens[{}]: id {} is given to a second token", where, i, token.id);
    if (!seen.emplace(token.content, token.id).second)
      fail("{}: added_tokens[{}]: '{}' is added twice", where, i, token.content);
    (token.normalized ? normalized_ : plain_).add(token.content, tokens_.size());
    tokens_.push_back(std::move(token));
  }
}

const AddedToken* AddedTokens::find(TokenId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

void AddedTokens::Trie::add(std::string_view content, std::size_t token) {
  std::uint32_t node = 0;
  first_[static_cast<unsigned char>(content[0])] = true;
  for (const char byte : content) {
    const auto edge = std::uint64_t{node} << 8 | static_cast<unsigned char>(byte);
    const auto [child, is_new] =
        children_.try_emplace(edge, static_cast<std::uint32_t>(ends_.size()));
    if (is_new) ends_.emplace_back();
    node = child->second;
  }
  ends_[node] = token;
}

std::optional<std::size_t> AddedTokens::Trie::longest(std::string_view text, std::size_t at) const {
  if (!first_[static_cast<unsigned char>(text[at])]) return std::nullopt;
  std::optional<std::size_t> best;
  std::uint32_t node = 0;
  for (; at < text.size(); ++at) {
    const auto child =
        children_.find(std::uint64_t{node} << 8 | static_cast<unsigned char>(text[at]));
    if (child == children_.end()) break;
    node = child->second;
    if (ends_[node]) best = ends_[node];
  }
  return best;
}

void AddedTokens::split_by(const Trie& trie, std::string_view text,
                           std::vector<Piece>& pieces) const {
  if (trie.empty()) {
    if (!text.empty()) pieces.push_back({text, std::nullopt});
    return;
  }
  std::size_t done = 0;  // everything before it is in `pieces`
  std::size_t at = 0;
  while (at < text.size()) {
    const auto found = trie.longest(text, at);
    if (!found) {
      ++at;
      continue;
    }
    const auto& token = tokens_[*found];
    std::size_t start = at;
    std::size_t end = at + token.pattern.size();
    at = end;
    if (token.single_word && !stands_alone(text, start, end)) continue;
    if (token.lstrip) start = space_start(text, start);
    start = std::max(start, done);
    if (token.rstrip) end = space_end(text, end);
    if (start > done) pieces.push_back({text.substr(done, start - done), std::nullopt});
    pieces.push_back({text.substr(start, std::max(end, start) - start), token.id});
    done =
        end;  // also when a token inside the white space that the one before took along ends earlier
  }
  if (done < text.size()) pieces.push_back({text.substr(done), std::nullopt});
}

std::vector<AddedTokens::Piece> AddedTokens::split_plain(std::string_view text) const {
  std::vector<Piece> pieces;
  split_by(plain_, text, pieces);
  return pieces;
}

std::vector<AddedTokens::Piece> AddedTokens::split_normalized(std::string_view text) const {
  std::vector<Piece> pieces;
  split_by(normalized_, text, pieces);
  return pieces;
}

std::vector<AddedTokens::Piece> AddedTokens::split(std::string_view text) const {
  auto pieces = split_plain(text);
  if (normalized_.empty()) return pieces;
  std::vector<Piece> finer;
  for (const auto& piece : pieces) {
    if (piece.id)
      finer.push_back(piece);
    else
      split_by(normalized_, piece.text, finer);
  }
  return finer;
}

void AddedTokens::normalize(const std::function<std::string(std::string_view)>& normalize) {
  normalized_ = Trie();
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    auto& token = tokens_[i];
    if (!token.normalized) continue;
    token.pattern = normalize(token.content);
    if (!token.pattern.empty()) normalized_.add(token.pattern, i);
  }
}

}  // namespace aha
