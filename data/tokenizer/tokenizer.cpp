#include "data/tokenizer/tokenizer.h"

#include <array>

#include "data/tokenizer/bpe.h"
#include "data/tokenizer/tokenizer_files.h"
#include "data/tokenizer/word_level.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

/// One more model type is one more line here.
struct ModelType {
  const char* name;
  std::unique_ptr<Tokenizer> (*make)(TokenizerFiles files, const Json& json);
};

constexpr std::array kModelTypes = {
    ModelType{"BPE",
              [](TokenizerFiles files, const Json& json) -> std::unique_ptr<Tokenizer> {
                return std::make_unique<BpeTokenizer>(std::move(files), json);
              }},
    ModelType{"WordLevel",
              [](TokenizerFiles files, const Json&) -> std::unique_ptr<Tokenizer> {
                return std::make_unique<WordLevelTokenizer>(std::move(files));
              }},
};

/// `model.type`; old files leave it out, and then the model's fields tell what it is.
std::string model_type(const Json& json, const std::string& where) {
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object())
    fail("{}: expected an object with a 'model' object", where);
  const auto& model = json["model"];
  const auto type = model.find("type");
  if (type == model.end()) return model.contains("merges") ? "BPE" : "WordLevel";
  if (!type->is_string()) fail("{}: model.type must be a text", where);
  return type->get<std::string>();
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  auto files = read_tokenizer_files(folder);
  const auto where = files.path("tokenizer.json");
  const auto json = parse_json(*files.find("tokenizer.json"), where);
  const auto type = model_type(json, where);
  std::vector<std::string> names;
  for (const auto& known : kModelTypes) {
    if (type == known.name) return known.make(std::move(files), json);
    names.emplace_back(known.name);
  }
  fail("{}: model type '{}' is not supported, expected {}", where, type, join_list(names));
}

}  // namespace aha
