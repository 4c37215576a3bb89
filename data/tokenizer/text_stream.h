#pragma once
#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace aha {

/// Decodes ids one by one, for output while they are sampled. What is handed out never ends in half
/// a character, and all of it together is decode() of all ids.
class TextStream {
 public:
  /// `tokenizer` must outlive it.
  explicit TextStream(const Tokenizer& tokenizer, bool skip_special = false)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  /// The text that is certain once `id` has come; often that of `id`, sometimes nothing.
  std::string push(TokenId id);
  /// What was held back. The stream begins anew.
  std::string finish();

 private:
  std::string push_bytes(std::string_view bytes);
  std::string push_id(TokenId id);

  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string bytes_;         ///< the beginning of a character
  std::vector<TokenId> ids_;  ///< the last ids handed out, then those that were not
  std::string handed_out_;    ///< text of the former
};

}  // namespace aha
