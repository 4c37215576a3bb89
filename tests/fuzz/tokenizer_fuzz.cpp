// First line: a tokenizer.json; the rest: a text for it. Ids are the vocabulary's, and every one can be decoded.
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/word_level.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/core/error.h"

namespace {

void use(const aha::Tokenizer& tokenizer, std::string_view text) {
  const auto ids = tokenizer.with_special_tokens(tokenizer.encode(text));
  for (const auto id : ids)
    aha_fuzz::require(id >= 0 && id < tokenizer.vocabulary_size());
  tokenizer.decode(ids, false);
  tokenizer.decode(ids, true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [json, text] = aha_fuzz::split(aha_fuzz::text_of(data, size));
  const aha::TokenizerFiles files{"fuzz", {{"tokenizer.json", std::string(json)}}};
  try {
    const auto parsed = aha::parse_json(json, "fuzz");
    if (parsed.is_object() && parsed.dump().find("merges") == std::string::npos)
      use(aha::WordLevelTokenizer(files), text);
    else
      use(aha::BpeTokenizer(files, parsed), text);
  } catch (const aha::UserError& error) {
    aha_fuzz::require(!std::string_view(error.what()).empty());
  }
  return 0;
}
