#include "data/tokenizer/tokenizer_files.h"

#include <algorithm>
#include <array>

#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFileNames = {
    "added_tokens.json",       "chat_template.jinja", "merges.txt",
    "special_tokens_map.json", "tokenizer.json",      "tokenizer.model",
    "tokenizer_config.json",   "vocab.json",
};
constexpr std::array kRoles = {"eos_token", "pad_token", "bos_token"};

std::optional<std::string> token_text(const Json& value, const std::string& where) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) {
    const auto content = value.find("content");
    if (content != value.end() && content->is_string()) return content->get<std::string>();
  }
  fail("{}: expected a text or an object with 'content', found {}", where, brief(value));
}

/// Files of additional_chat_templates/ in the order of their names, which no folder promises.
std::vector<std::string> template_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder / kMoreTemplates, ignored))
    if (entry.path().extension() == ".jinja")
      names.push_back(std::string(kMoreTemplates) + "/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string brief(const Json& value) {
  auto text = dump_line(value);
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  return text;
}

const std::string* TokenizerFiles::find(std::string_view name) const {
  const auto found = std::find_if(bytes.begin(), bytes.end(),
                                  [&](const auto& file) { return file.first == name; });
  return found == bytes.end() ? nullptr : &found->second;
}

TokenizerFiles present_tokenizer_files(const fs::path& folder) {
  TokenizerFiles files{folder.string(), {}};
  std::error_code ignored;
  for (const auto& name : template_names(folder))
    files.bytes.emplace_back(name, read_file(folder / name));
  for (const char* name : kFileNames)
    if (fs::exists(folder / name, ignored))
      files.bytes.emplace_back(name, read_file(folder / name));
  return files;
}

TokenizerFiles read_tokenizer_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) fail("{}: there is no such folder", folder.string());
  auto files = present_tokenizer_files(folder);
  if (files.find("tokenizer.json") == nullptr)
    fail(
        "{}: there is no tokenizer.json; a tokenizer in another form is converted by "
        "transformers' AutoTokenizer.from_pretrained(...).save_pretrained(...)",
        folder.string());
  return files;
}

std::map<std::string, std::string> special_tokens(const TokenizerFiles& files) {
  std::map<std::string, std::string> tokens;
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const auto* bytes = files.find(name);
    if (bytes == nullptr) continue;
    const auto json = parse_json(*bytes, files.path(name));
    if (!json.is_object()) fail("{}: expected an object", files.path(name));
    for (const char* role : kRoles) {
      const auto value = json.find(role);
      if (value == json.end()) continue;
      const auto text = token_text(*value, fmt::format("{}: {}", files.path(name), role));
      if (text) tokens.emplace(role, *text);
    }
  }
  return tokens;
}

}  // namespace aha
