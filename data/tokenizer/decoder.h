#pragma once
#include <memory>
#include <string>
#include <vector>

#include "data/tokenizer/component.h"

namespace aha {

/// One step of `decoder`: tokens to tokens, which are joined when all steps are done.
class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

/// The steps of a decoder, sequences unrolled.
struct Decoders {
  std::vector<std::unique_ptr<TokenDecoder>> steps;
  bool to_bytes =
      false;  ///< ByteLevel alone: the text is the bytes of the tokens, one after another
};

/// None for null. UserError for what we do not have.
Decoders make_decoders(const Component& component);

}  // namespace aha
