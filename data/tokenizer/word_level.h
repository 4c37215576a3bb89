#pragma once
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/text_hash.h"
#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/post_processor.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/tokenizer_files.h"

namespace aha {

/// A tokenizer.json whose model is `WordLevel`: the text is split at added tokens, then at white
/// space, and each word has an id. Decoding joins the tokens by a space.
///
/// Taken: pre_tokenizer null, WhitespaceSplit (white space alone) or Whitespace (\w+ or other
/// signs); normalizer null; decoder null. Anything else is a UserError, as are ids that repeat or
/// leave [0, 2^24).
class WordLevelTokenizer final : public Tokenizer {
 public:
  explicit WordLevelTokenizer(TokenizerFiles files);

  std::vector<TokenId> encode(std::string_view text) const override;
  std::vector<TokenId> with_special_tokens(const std::vector<TokenId>& ids) const override {
    return post_processor_.apply(ids);
  }
  std::string decode(std::span<const TokenId> ids, bool skip_special) const override;
  std::optional<std::string_view> bytes_of(TokenId) const override { return std::nullopt; }
  std::string_view token_of(TokenId id) const override {
    const auto found = tokens_.find(id);
    return found == tokens_.end() ? std::string_view() : std::string_view(found->second);
  }
  bool is_special(TokenId id) const override {
    const auto* added = added_.find(id);
    return added != nullptr && added->special;
  }

  std::int64_t vocabulary_size() const override { return size_; }
  std::optional<TokenId> id_of(std::string_view token) const override;
  std::optional<TokenId> eos_id() const override { return special("eos_token"); }
  std::optional<TokenId> pad_id() const override { return special("pad_token"); }
  std::optional<TokenId> bos_id() const override { return special("bos_token"); }
  const TokenizerFiles& files() const override { return files_; }

 private:
  enum class Split { None, Spaces, WordsAndSigns };

  void read_model(const Json& model, const std::string& where);
  void read_added(const std::string& where);
  void add(const std::string& token, TokenId id, const std::string& where);
  void encode_words(std::string_view text, std::vector<TokenId>& ids) const;
  TokenId word_id(std::string_view word) const;
  std::optional<TokenId> special(const std::string& role) const;

  TokenizerFiles files_;
  AddedTokens added_;
  PostProcessor post_processor_;
  Split split_ = Split::Spaces;
  std::unordered_map<std::string, TokenId, StringHash, std::equal_to<>> words_;  ///< the model's
  std::unordered_map<std::string, TokenId, StringHash, std::equal_to<>> ids_;    ///< and the added
  std::unordered_map<TokenId, std::string> tokens_;
  std::map<std::string, TokenId> special_;
  std::optional<TokenId> unk_;
  std::int64_t size_ = 0;
};

/// A tokenizer for a task's own vocabulary, ids in the order of `words` (distinct, without white
/// space). "<eos>" and "<pad>" among them become special added tokens. `files()` of the result
/// makes a folder that transformers' AutoTokenizer loads.
std::unique_ptr<Tokenizer> make_word_level_tokenizer(std::span<const std::string> words);

}  // namespace aha
