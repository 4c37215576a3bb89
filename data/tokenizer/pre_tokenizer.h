#pragma once
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/component.h"

namespace aha {

/// A text on its way to words.
struct Words {
  struct Word {
    std::string_view text;
    bool starts_text = false;  ///< stands at the very beginning of what is encoded
  };
  std::vector<Word> list;
  std::deque<std::string> rewritten;  ///< owns the texts that are no longer the caller's
};

/// One step of `pre_tokenizer`: splits words further, or rewrites them.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Words& words) const = 0;
};

/// The steps of a pre-tokenizer, sequences unrolled. What ByteLevel does to the letters is left out
/// if it is the last step: then the model gets the bytes themselves.
struct PreTokenizers {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  bool to_bytes = false;
};

/// None for null. UserError for what we do not have.
PreTokenizers make_pre_tokenizers(const Component& component);

}  // namespace aha
