#include "data/tokenizer/bpe_model.h"

#include <atomic>
#include <unordered_set>

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/tokenizer_files.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> next{1};
  return next++;
}

}  // namespace

BpeModel::BpeModel(const Component& model, bool of_bytes)
    : where_(model.where()),
      serial_(next_serial()),
      of_bytes_(of_bytes),
      ignore_merges_(model.flag("ignore_merges", false)),
      byte_fallback_(model.flag("byte_fallback", false)),
      fuse_unk_(model.flag("fuse_unk", false)),
      unk_token_(model.text("unk_token", "")),
      prefix_(model.text("continuing_subword_prefix", "")),
      suffix_(model.text("end_of_word_suffix", "")) {
  const auto dropout = model.member("dropout");
  if (!dropout.is_null() && (!dropout.json().is_number() || dropout.json().get<double>() != 0.0))
    fail("{}: {} is not supported: ids would be drawn at random; expected null", dropout.where(),
         brief(dropout.json()));
  read_vocabulary(model);
  read_merges(model);
  read_bytes();
  unk_ = find(unk_token_);
}

void BpeModel::read_vocabulary(const Component& model) {
  const auto vocabulary = model.member("vocab");
  if (!vocabulary.json().is_object())
    fail("{}: expected an object of tokens and ids", vocabulary.where());
  vocabulary_.reserve(vocabulary.json().size());
  std::unordered_set<TokenId> seen;
  seen.reserve(vocabulary.json().size());
  for (const auto& [token, value] : vocabulary.json().items()) {
    const auto id = token_id(value, vocabulary.where());
    if (!seen.insert(id).second)
      fail("{}: id {} is given to a second token, '{}'", vocabulary.where(), id, token);
    vocabulary_.emplace(token, id);
  }
}

void BpeModel::read_merges(const Component& model) {
  const auto merges = model.member("merges");
  const auto size = model.list_size("merges");
  merges_ = Merges(size);
  std::size_t rank = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto& merge = merges.json()[i];
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      add_merge(merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>(),
                rank++, merges.element(i));
      continue;
    }
    if (!merge.is_string()) merges.element(i).refuse("expected two tokens, found " + brief(merge));
    const auto& line = merge.get_ref<const std::string&>();
    if (line.starts_with("#version")) continue;
    const auto space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
      merges.element(i).refuse("expected two tokens and a space between them, found " +
                               brief(merge));
    add_merge(line.substr(0, space), line.substr(space + 1), rank++, merges.element(i));
  }
}

void BpeModel::add_merge(const std::string& left, const std::string& right, std::size_t rank,
                         const Component& where) {
  const auto token = [&](const std::string& text) {
    const auto id = find(text);
    if (!id) where.refuse("'" + text + "' is not in the vocabulary");
    return *id;
  };
  const auto left_id = token(left);
  const auto right_id = token(right);
  const auto rest = right.size() < prefix_.size() ? right : right.substr(prefix_.size());
  merges_.add(left_id, right_id, {static_cast<std::uint32_t>(rank), token(left + rest)});
}

void BpeModel::read_bytes() {
  for (std::size_t byte = 0; byte < 256; ++byte)
    fallback_[byte] = find(fmt::format("<0x{:02X}>", byte));
  if (!of_bytes_ || !prefix_.empty() || !suffix_.empty()) return;
  bytes_are_letters_ = true;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::string letter;
    append_byte_level(static_cast<unsigned char>(byte), letter);
    const auto id = find(letter);
    if (!id) {
      bytes_are_letters_ = false;
      return;
    }
    byte_ids_[byte] = *id;
  }
}

std::optional<std::uint32_t> BpeModel::find(std::string_view token) const {
  const auto found = vocabulary_.find(token);
  if (found == vocabulary_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found->second);
}

WordCache& BpeModel::cache() const {
  struct Entry {
    std::uint64_t serial = 0;
    WordCache words;
  };
  // A thread works with one model or two; the oldest makes room for a fifth.
  thread_local std::array<Entry, 4> caches;
  thread_local std::size_t oldest = 0;
  for (auto& entry : caches)
    if (entry.serial == serial_) return entry.words;
  auto& entry = caches[oldest];
  oldest = (oldest + 1) % caches.size();
  entry = {serial_, WordCache()};
  return entry.words;
}

void BpeModel::encode(std::string_view word, std::vector<TokenId>& ids) const {
  thread_local std::vector<std::uint32_t> tokens;
  if (word.size() > WordCache::kMaxWord) {
    merge_word(word, tokens);
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    return;
  }
  auto& words = cache();
  if (const auto known = words.find(word)) {
    ids.insert(ids.end(), known->begin(), known->end());
    return;
  }
  merge_word(word, tokens);
  words.insert(word, tokens);
  ids.insert(ids.end(), tokens.begin(), tokens.end());
}

void BpeModel::merge_word(std::string_view word, std::vector<std::uint32_t>& tokens) const {
  tokens.clear();
  std::string spelled;
  if (of_bytes_ && (ignore_merges_ || !bytes_are_letters_)) spelled = to_byte_level(word);
  const std::string_view letters = of_bytes_ ? std::string_view(spelled) : word;
  if (ignore_merges_) {
    if (const auto id = find(letters)) {
      tokens.push_back(*id);
      return;
    }
  }
  if (bytes_are_letters_)
    for (const char byte : word)
      tokens.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  else
    letters_of(letters, tokens);
  merges_.apply(tokens);
}

void BpeModel::letters_of(std::string_view word, std::vector<std::uint32_t>& tokens) const {
  bool unk_is_due =
      false;  // it comes before the next letter that has a token, and not before bytes
  for (std::size_t at = 0; at < word.size();) {
    const auto size = character_at(word, at).size;
    std::string letter(word.substr(at, size));
    if (at > 0) letter.insert(0, prefix_);
    at += size;
    if (at == word.size()) letter += suffix_;
    if (const auto id = find(letter)) {
      if (unk_is_due) tokens.push_back(*unk_);
      unk_is_due = false;
      tokens.push_back(*id);
      continue;
    }
    if (byte_fallback_ && bytes_of(letter, tokens)) continue;
    if (unk_token_.empty()) continue;
    if (!unk_) fail("{}: unk_token '{}' is not in the vocabulary", where_, unk_token_);
    if (unk_is_due && !fuse_unk_) tokens.push_back(*unk_);
    unk_is_due = true;
  }
  if (unk_is_due) tokens.push_back(*unk_);
}

bool BpeModel::bytes_of(std::string_view letter, std::vector<std::uint32_t>& tokens) const {
  for (const char byte : letter)
    if (!fallback_[static_cast<unsigned char>(byte)]) return false;
  for (const char byte : letter)
    tokens.push_back(*fallback_[static_cast<unsigned char>(byte)]);
  return true;
}

}  // namespace aha
