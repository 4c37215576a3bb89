#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/model/gguf.h"

namespace aha {

/// The tokenizer in a GGUF file as the files that transformers and `load_tokenizer` read: name,
/// bytes of tokenizer.json, tokenizer_config.json and, when the file has one, chat_template.jinja.
///
/// Byte-level BPE alone (`tokenizer.ggml.model` gpt2). Types of tokens: control and unknown ones
/// become special, user-defined ones added, unused ones (padding of the vocabulary) are left out.
/// `add_bos_token` and `add_eos_token` become a template around texts. UserError naming file and key
/// for what is missing, contradicts itself or is not known.
std::vector<std::pair<std::string, std::string>> gguf_tokenizer_files(const GgufFile& file);

/// What a name in `tokenizer.ggml.pre` stands for.
struct GgufPreTokenizer {
  const char* name;
  const char* normalizer;     ///< JSON of tokenizer.json, as is
  const char* pre_tokenizer;  ///< the same
  bool ignore_merges;         ///< a word that is a token as a whole is not merged
  bool add_bos;               ///< unless `add_bos_token` says otherwise
};

/// Null when the name is not known.
const GgufPreTokenizer* gguf_pre_tokenizer(std::string_view name);

/// "smollm, ...": all that are known, for messages.
std::string gguf_pre_tokenizer_names();

}  // namespace aha
