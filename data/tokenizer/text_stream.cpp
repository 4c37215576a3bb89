#include "data/tokenizer/text_stream.h"

#include "data/tokenizer/unicode.h"

namespace aha {
namespace {

constexpr std::size_t kContext =
    4;  // ids before the new ones, for decoders that look at neighbours

/// Such as <0xE2>: a run of them is decoded as a whole.
bool is_byte_token(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

}  // namespace

std::string TextStream::push(TokenId id) {
  if (skip_special_ && tokenizer_.is_special(id)) return "";
  if (const auto bytes = tokenizer_.bytes_of(id)) return push_bytes(*bytes);
  return tokenizer_.token_of(id).empty() ? "" : push_id(id);
}

std::string TextStream::push_bytes(std::string_view bytes) {
  bytes_ += bytes;
  const auto whole = bytes_.size() - incomplete_tail(bytes_);
  auto text = lossy_utf8(std::string_view(bytes_).substr(0, whole));
  bytes_.erase(0, whole);
  return text;
}

std::string TextStream::push_id(TokenId id) {
  ids_.push_back(id);
  if (is_byte_token(tokenizer_.token_of(id))) return "";
  const auto text = tokenizer_.decode(ids_);
  if (!text.starts_with(handed_out_) || text.size() == handed_out_.size()) return "";
  auto fresh = text.substr(handed_out_.size());
  if (ids_.size() > kContext)
    ids_.erase(ids_.begin(), ids_.end() - static_cast<std::ptrdiff_t>(kContext));
  handed_out_ = tokenizer_.decode(ids_);
  return fresh;
}

std::string TextStream::finish() {
  auto text = lossy_utf8(bytes_);
  if (!ids_.empty()) {
    const auto all = tokenizer_.decode(ids_);
    if (all.starts_with(handed_out_)) text += all.substr(handed_out_.size());
  }
  bytes_.clear();
  ids_.clear();
  handed_out_.clear();
  return text;
}

}  // namespace aha
