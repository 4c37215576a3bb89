#include "trainer/model/gguf_tokenizer.h"

#include <optional>
#include <unordered_set>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Types of tokens, by their numbers in the file.
enum TokenType : std::int64_t { Normal = 1, Unknown, Control, UserDefined, Unused, Byte };

struct Vocabulary {
  std::vector<std::string_view> tokens;
  std::vector<std::int64_t> types;  ///< of each token
  std::vector<std::string_view> merges;
  const GgufPreTokenizer* pre = nullptr;
};

std::string needed_text(const GgufFile& file, const char* key, std::string_view wanted) {
  const auto found = file.text(key);
  if (!found) fail("{}: \"{}\" is missing, expected {}", file.path().string(), key, wanted);
  return std::string(*found);
}

void check_tokens(const Vocabulary& v, const std::string& where) {
  if (v.tokens.empty()) fail("{}: \"tokenizer.ggml.tokens\" is missing or empty", where);
  if (v.types.size() != v.tokens.size())
    fail("{}: \"tokenizer.ggml.token_type\" has {} entries, expected one for each of {} tokens",
         where, v.types.size(), v.tokens.size());
  std::unordered_set<std::string_view> seen;
  for (std::size_t id = 0; id < v.tokens.size(); ++id) {
    const auto type = v.types[id];
    if (type < TokenType::Normal || type >= TokenType::Byte)
      fail("{}: token {} {} is of type {}, expected 1 to 5 (byte-level BPE has no others)", where,
           id, gguf_shown(v.tokens[id]), type);
    if (type == TokenType::Unused) continue;
    if (v.tokens[id].empty()) fail("{}: token {} is empty", where, id);
    if (!seen.insert(v.tokens[id]).second)
      fail("{}: token {} {} occurs twice", where, id, gguf_shown(v.tokens[id]));
  }
}

Vocabulary read_vocabulary(const GgufFile& file) {
  const auto where = file.path().string();
  const auto model = needed_text(file, "tokenizer.ggml.model", "\"gpt2\" (byte-level BPE)");
  if (model != "gpt2")
    fail("{}: \"tokenizer.ggml.model\" is {}, expected \"gpt2\" (byte-level BPE)", where,
         gguf_shown(model));
  const auto pre = needed_text(file, "tokenizer.ggml.pre", gguf_pre_tokenizer_names());
  Vocabulary v;
  v.pre = gguf_pre_tokenizer(pre);
  if (v.pre == nullptr)
    fail("{}: \"tokenizer.ggml.pre\" is {}, expected {}", where, gguf_shown(pre),
         gguf_pre_tokenizer_names());
  v.tokens = file.texts("tokenizer.ggml.tokens").value_or(std::vector<std::string_view>());
  v.types = file.integers("tokenizer.ggml.token_type")
                .value_or(std::vector<std::int64_t>(v.tokens.size(), TokenType::Normal));
  const auto merges = file.texts("tokenizer.ggml.merges");
  if (!merges) fail("{}: \"tokenizer.ggml.merges\" is missing", where);
  v.merges = *merges;
  check_tokens(v, where);
  return v;
}

/// The token with the id under this key; nothing when there is none.
std::optional<std::string> token_by_key(const GgufFile& file, const Vocabulary& v,
                                        const char* key) {
  const auto id = file.integer(key);
  if (!id) return std::nullopt;
  if (*id < 0 || *id >= std::ssize(v.tokens) ||
      v.types[static_cast<std::size_t>(*id)] == TokenType::Unused)
    fail("{}: \"{}\" is {}, which is no token: there are {}", file.path().string(), key, *id,
         v.tokens.size());
  return std::string(v.tokens[static_cast<std::size_t>(*id)]);
}

/// An object of many members: the library would look for each name before adding it.
void append(OrderedJson& object, std::string_view name, OrderedJson value) {
  object.get_ref<OrderedJson::object_t&>().push_back({std::string(name), std::move(value)});
}

OrderedJson added_tokens(const Vocabulary& v) {
  auto added = OrderedJson::array();
  for (std::size_t id = 0; id < v.tokens.size(); ++id) {
    if (v.types[id] == TokenType::Normal || v.types[id] == TokenType::Unused) continue;
    added.push_back({{"id", id},
                     {"content", v.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", v.types[id] != TokenType::UserDefined}});
  }
  return added;
}

OrderedJson bpe_model(const Vocabulary& v) {
  auto vocab = OrderedJson::object();
  for (std::size_t id = 0; id < v.tokens.size(); ++id)
    if (v.types[id] != TokenType::Unused) append(vocab, v.tokens[id], id);
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", v.pre->ignore_merges},
          {"vocab", std::move(vocab)},
          {"merges", v.merges}};
}

/// What stands around a text: null when nothing does.
OrderedJson post_processor(const GgufFile& file, const Vocabulary& v) {
  auto single = OrderedJson::array();
  auto special = OrderedJson::object();
  const auto put = [&](const char* flag, bool otherwise, const char* key) {
    if (!file.boolean(flag).value_or(otherwise)) return;
    const auto token = token_by_key(file, v, key);
    if (!token) fail("{}: \"{}\" is true, but \"{}\" is missing", file.path().string(), flag, key);
    single.push_back({{"SpecialToken", {{"id", *token}, {"type_id", 0}}}});
    special[*token] = {{"id", *token},
                       {"ids", OrderedJson::array({*file.integer(key)})},
                       {"tokens", OrderedJson::array({*token})}};
  };
  put("tokenizer.ggml.add_bos_token", v.pre->add_bos, "tokenizer.ggml.bos_token_id");
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  put("tokenizer.ggml.add_eos_token", false, "tokenizer.ggml.eos_token_id");
  if (special.empty()) return nullptr;
  auto pair = single;  // the same around a second text
  for (auto piece : single) {
    auto& part = piece.begin().value();
    part["type_id"] = 1;
    if (part["id"] == "A") part["id"] = "B";
    pair.push_back(piece);
  }
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

OrderedJson tokenizer_json(const GgufFile& file, const Vocabulary& v) {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added_tokens(v)},
          {"normalizer", OrderedJson::parse(v.pre->normalizer)},
          {"pre_tokenizer", OrderedJson::parse(v.pre->pre_tokenizer)},
          {"post_processor", post_processor(file, v)},
          {"decoder",
           {{"type", "ByteLevel"},
            {"add_prefix_space", true},
            {"trim_offsets", true},
            {"use_regex", true}}},
          {"model", bpe_model(v)}};
}

OrderedJson tokenizer_config(const GgufFile& file, const Vocabulary& v) {
  OrderedJson json;
  for (const auto& [role, key] : {std::pair("bos_token", "tokenizer.ggml.bos_token_id"),
                                  std::pair("eos_token", "tokenizer.ggml.eos_token_id"),
                                  std::pair("unk_token", "tokenizer.ggml.unknown_token_id"),
                                  std::pair("pad_token", "tokenizer.ggml.padding_token_id")})
    if (const auto token = token_by_key(file, v, key)) json[role] = *token;
  json["clean_up_tokenization_spaces"] = false;
  const auto architecture = file.text("general.architecture").value_or("");
  if (const auto length = file.integer(std::string(architecture) + ".context_length"))
    json["model_max_length"] = *length;
  // not the class of a family: transformers would rebuild the pre-tokenizer from that
  json["tokenizer_class"] = "PreTrainedTokenizerFast";
  return json;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> gguf_tokenizer_files(const GgufFile& file) {
  const auto vocabulary = read_vocabulary(file);
  std::vector<std::pair<std::string, std::string>> files;
  try {
    files.emplace_back("tokenizer.json", tokenizer_json(file, vocabulary).dump(1) + "\n");
    files.emplace_back("tokenizer_config.json", tokenizer_config(file, vocabulary).dump(2) + "\n");
    if (const auto text = file.text("tokenizer.chat_template")) {
      static_cast<void>(Json(*text).dump());  // throws as the others do
      files.emplace_back("chat_template.jinja", *text);
    }
  } catch (const Json::type_error&) {
    fail("{}: a text of its tokenizer is not UTF-8", file.path().string());
  }
  return files;
}

}  // namespace aha
