#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/core/types/prompt.h"

namespace aha {

/// One entry of tokenizer.json's `added_tokens`.
struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;  ///< matches only between non-word characters
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool normalized = false;   ///< looked for after normalization, so after the others
  bool special = false;      ///< left out by decode(skip_special)
  std::string pattern;       ///< what stands in the text: `content`, normalized if it has to be
};

/// The `added_tokens` of a tokenizer.json: they are found in the text before anything else splits
/// it, leftmost first and of those the longest, as the `tokenizers` library does.
class AddedTokens {
 public:
  AddedTokens() = default;
  /// `entries` is the value of `added_tokens` (null: none); UserError beginning with `where`
  /// otherwise.
  AddedTokens(const Json& entries, std::string_view where);

  /// A part of the text: a token, or text between tokens (never empty).
  struct Piece {
    std::string_view text;
    std::optional<TokenId> id;
  };
  std::vector<Piece> split(std::string_view text) const;
  /// The two steps of `split`, between which the text may be normalized.
  std::vector<Piece> split_plain(std::string_view text) const;
  std::vector<Piece> split_normalized(std::string_view text) const;

  /// Tokens with `normalized` are from now on looked for as `normalize` makes them.
  void normalize(const std::function<std::string(std::string_view)>& normalize);

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const AddedToken* find(TokenId id) const;

 private:
  /// A byte trie over the contents of some tokens.
  class Trie {
   public:
    void add(std::string_view content, std::size_t token);
    bool empty() const { return children_.empty(); }
    /// Token with the longest content that begins at `at`.
    std::optional<std::size_t> longest(std::string_view text, std::size_t at) const;

   private:
    std::unordered_map<std::uint64_t, std::uint32_t> children_;  ///< (node << 8 | byte) -> node
    std::vector<std::optional<std::size_t>> ends_{std::nullopt};
    std::array<bool, 256> first_{};
  };

  void split_by(const Trie& trie, std::string_view text, std::vector<Piece>& pieces) const;

  std::vector<AddedToken> tokens_;
  std::unordered_map<TokenId, std::size_t> by_id_;
  Trie plain_;
  Trie normalized_;
};

/// A whole number in [0, 2^24), or UserError "WHERE: ... ".
TokenId token_id(const Json& value, std::string_view where);

}  // namespace aha
