#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text_hash.h"
#include "data/tokenizer/component.h"
#include "data/tokenizer/merges.h"
#include "data/tokenizer/word_cache.h"
#include "trainer/core/types/prompt.h"

namespace aha {

/// `model` of a tokenizer.json whose type is BPE: a word to ids, by merging pairs in the order in
/// which they were learnt. Immutable; safe to share between threads.
class BpeModel {
 public:
  using Vocabulary = std::unordered_map<std::string, TokenId, StringHash, std::equal_to<>>;

  /// `of_bytes`: words come as bytes, and the vocabulary spells them in GPT-2's alphabet.
  BpeModel(const Component& model, bool of_bytes);

  /// Appends the ids of `word`. A character without a token becomes bytes (byte_fallback), or the
  /// unk token, or nothing when the model has none.
  void encode(std::string_view word, std::vector<TokenId>& ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  void read_vocabulary(const Component& model);
  void read_merges(const Component& model);
  void add_merge(const std::string& left, const std::string& right, std::size_t rank,
                 const Component& where);
  void read_bytes();
  std::optional<std::uint32_t> find(std::string_view token) const;
  /// The ids of `word` in `tokens`, for a word that the cache does not know.
  void merge_word(std::string_view word, std::vector<std::uint32_t>& tokens) const;
  void letters_of(std::string_view word, std::vector<std::uint32_t>& tokens) const;
  bool bytes_of(std::string_view letter, std::vector<std::uint32_t>& tokens) const;
  WordCache& cache() const;

  std::string where_;
  std::uint64_t serial_;  ///< differs between models that live or lived
  Vocabulary vocabulary_;
  Merges merges_;
  bool of_bytes_;
  bool bytes_are_letters_ = false;  ///< every byte is a token: no need to spell words
  std::array<std::uint32_t, 256> byte_ids_{};
  std::array<std::optional<std::uint32_t>, 256> fallback_{};  ///< <0x00> to <0xFF>
  bool ignore_merges_;
  bool byte_fallback_;
  bool fuse_unk_;
  std::string unk_token_;
  std::optional<std::uint32_t> unk_;
  std::string prefix_;
  std::string suffix_;
};

}  // namespace aha
