#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/core/types/prompt.h"

namespace aha {

/// The folder in a model's folder that holds chat templates besides chat_template.jinja.
inline constexpr std::string_view kMoreTemplates = "additional_chat_templates";

/// The tokenizer files of a model folder as they stand: what a tokenizer is made from, and what has
/// to be written back for AutoTokenizer to load it.
struct TokenizerFiles {
  std::string folder;                                      ///< for messages
  std::vector<std::pair<std::string, std::string>> bytes;  ///< file name -> content

  /// The content of a file; nullptr when it is not there.
  const std::string* find(std::string_view name) const;
  std::string path(std::string_view name) const { return folder + "/" + std::string(name); }
};

/// Those of the files that a tokenizer and its chat templates may consist of which are there; the
/// templates of additional_chat_templates/ have that folder in their names.
TokenizerFiles present_tokenizer_files(const std::filesystem::path& folder);

/// The same for a tokenizer that is to be loaded: UserError when tokenizer.json is missing.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& folder);

/// A value as JSON on one line for a message, cut after 60 bytes.
std::string brief(const Json& value);

/// Contents of eos_token, pad_token, bos_token: from tokenizer_config.json, else from
/// special_tokens_map.json; a text or an object with `content`. Absent or null: not in the result.
std::map<std::string, std::string> special_tokens(const TokenizerFiles& files);

}  // namespace aha
