#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/tokenizer_files.h"
#include "trainer/core/types/prompt.h"

namespace aha {

/// Text to ids and back, as a Hugging Face tokenizer.json defines it. Immutable; safe to share
/// between threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Special and added tokens that stand in the text become their ids. UserError names a word that
  /// has no id when the model has no unk token.
  virtual std::vector<TokenId> encode(std::string_view text) const = 0;
  /// The ids of a whole text with what the tokenizer puts around one (begin and end tokens).
  virtual std::vector<TokenId> with_special_tokens(const std::vector<TokenId>& ids) const = 0;
  /// Special tokens are kept unless `skip_special`. Ids without a token are skipped.
  virtual std::string decode(std::span<const TokenId> ids, bool skip_special = false) const = 0;

  /// What `id` adds to a decoded text, which may be a part of a character; nothing when decoding is
  /// more than joining bytes.
  virtual std::optional<std::string_view> bytes_of(TokenId id) const = 0;
  /// As the vocabulary spells it; empty when no token has `id`.
  virtual std::string_view token_of(TokenId id) const = 0;
  /// Whether decode(skip_special) leaves `id` out.
  virtual bool is_special(TokenId id) const = 0;

  virtual std::int64_t vocabulary_size() const = 0;  ///< largest id + 1
  virtual std::optional<TokenId> id_of(std::string_view token) const = 0;

  /// From tokenizer_config.json / special_tokens_map.json; nothing when the folder does not say.
  virtual std::optional<TokenId> eos_id() const = 0;
  virtual std::optional<TokenId> pad_id() const = 0;
  virtual std::optional<TokenId> bos_id() const = 0;

  /// What has to stand in a checkpoint so that AutoTokenizer loads it, chat templates among it.
  virtual const TokenizerFiles& files() const = 0;
};

/// Reads the tokenizer of a model folder. UserError for a model type or component we do not have.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder);

}  // namespace aha
