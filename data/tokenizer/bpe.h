#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/bpe_model.h"
#include "data/tokenizer/decoder.h"
#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/post_processor.h"
#include "data/tokenizer/pre_tokenizer.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/tokenizer_files.h"

namespace aha {

/// A tokenizer.json whose model is `BPE`. Encoding, as the `tokenizers` library does it:
/// text -> added tokens that are not normalized are cut out -> normalizer -> the normalized ones are
/// cut out -> pre_tokenizer -> words -> model -> ids. `truncation` and `padding` are not applied, as
/// transformers applies them only when asked.
class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(TokenizerFiles files, const Json& json);

  /// UserError for a text that is not UTF-8.
  std::vector<TokenId> encode(std::string_view text) const override;
  std::vector<TokenId> with_special_tokens(const std::vector<TokenId>& ids) const override {
    return post_processor_.apply(ids);
  }
  std::string decode(std::span<const TokenId> ids, bool skip_special) const override;
  std::optional<std::string_view> bytes_of(TokenId id) const override;
  std::string_view token_of(TokenId id) const override {
    const auto* found = entry(id);
    return found == nullptr ? std::string_view() : std::string_view(found->token);
  }
  bool is_special(TokenId id) const override {
    const auto* found = entry(id);
    return found != nullptr && found->special;
  }

  std::int64_t vocabulary_size() const override { return std::ssize(entry_of_); }
  std::optional<TokenId> id_of(std::string_view token) const override;
  std::optional<TokenId> eos_id() const override { return role("eos_token"); }
  std::optional<TokenId> pad_id() const override { return role("pad_token"); }
  std::optional<TokenId> bos_id() const override { return role("bos_token"); }
  const TokenizerFiles& files() const override { return files_; }

 private:
  /// How an id is decoded.
  struct Entry {
    std::string token;
    std::string bytes;     ///< what it adds to the text, when the decoder joins bytes
    bool special = false;  ///< left out by decode(skip_special)
  };

  BpeTokenizer(TokenizerFiles&& files, const Component& root);
  std::string normalized(std::string_view text) const;
  void check_added_ids(const std::string& where) const;
  void make_entries();
  void set_entry(TokenId id, std::string token);
  const Entry* entry(TokenId id) const;
  void encode_words(std::string_view text, bool starts_text, std::vector<TokenId>& ids) const;
  std::optional<TokenId> role(const std::string& name) const;

  TokenizerFiles files_;
  std::vector<std::unique_ptr<Normalizer>> normalizers_;
  PreTokenizers pre_tokenizers_;
  BpeModel model_;
  AddedTokens added_;
  PostProcessor post_processor_;
  Decoders decoders_;
  std::vector<Entry> entries_;
  std::vector<std::int32_t> entry_of_;  ///< by id; -1: no token has it
  std::map<std::string, TokenId> roles_;
};

}  // namespace aha
