#include "data/tokenizer/tokenizer.h"

#include "data/tokenizer/unicode.h"
#include "data/tokenizer/word_level.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const Json& golden() {
  static const Json kGolden =
      read_json(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/tokenizer.json");
  return kGolden;
}

std::unique_ptr<Tokenizer> loaded(const Json& files) {
  const TempFolder folder;
  for (const auto& [name, bytes] : files.items())
    written(folder, name, bytes.get_ref<const std::string&>());
  return load_tokenizer(folder.path());
}

std::unique_ptr<Tokenizer> loaded(const std::string& tokenizer_json) {
  return loaded(Json{{"tokenizer.json", tokenizer_json}});
}

std::string with_model(const std::string& model, const std::string& rest = "") {
  return R"({"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": )" + model + rest + "}";
}

}  // namespace

TEST_CASE("tokenizer: encodes and decodes as the tokenizers library does", "[tokenizer][golden]") {
  for (const auto& test : golden()["cases"]) {
    INFO(test["name"]);
    const auto tokenizer = loaded(test["files"]);
    const auto id_or_null = [](const std::optional<TokenId>& id) {
      return id ? Json(*id) : Json();
    };
    CHECK(id_or_null(tokenizer->eos_id()) == test["eos"]);
    CHECK(id_or_null(tokenizer->pad_id()) == test["pad"]);
    CHECK(id_or_null(tokenizer->bos_id()) == test["bos"]);
    for (const auto& row : test["rows"]) {
      INFO(row.dump());
      if (row.contains("error")) {
        CHECK_THROWS_AS(tokenizer->encode(row["text"].get<std::string>()), UserError);
        continue;
      }
      const auto ids = row["ids"].get<std::vector<TokenId>>();
      if (row.contains("text")) CHECK(tokenizer->encode(row["text"].get<std::string>()) == ids);
      CHECK(tokenizer->decode(ids) == row["decoded"].get<std::string>());
      CHECK(tokenizer->decode(ids, true) == row["decoded_skip"].get<std::string>());
    }
  }
}

TEST_CASE("tokenizer: a task's own files are those that transformers was shown",
          "[tokenizer][golden]") {
  for (const std::size_t i : {0, 1}) {
    const auto& test = golden()["cases"][i];
    const auto words = test["words"].get<std::vector<std::string>>();
    const auto tokenizer = make_word_level_tokenizer(words);
    Json files;
    for (const auto& [name, bytes] : tokenizer->files().bytes)
      files[name] = bytes;
    CHECK(files == test["files"]);
    CHECK(tokenizer->vocabulary_size() == std::ssize(words));
    CHECK(tokenizer->eos_id() == tokenizer->id_of("<eos>"));
    CHECK(tokenizer->pad_id() == tokenizer->id_of("<pad>"));
    CHECK_FALSE(tokenizer->id_of("absent"));
    CHECK(loaded(files)->files().bytes == tokenizer->files().bytes);
  }
}

TEST_CASE("tokenizer: a word without an id is named", "[tokenizer]") {
  const std::vector<std::string> words = {"a", "<eos>"};
  CHECK_THAT(error_of([&] { make_word_level_tokenizer(words)->encode("a zebra a"); }),
             contains("no id for 'zebra' and no unk token"));
}

TEST_CASE("tokenizer: a bad folder or tokenizer.json is one clear line", "[tokenizer]") {
  struct Row {
    std::string json;
    std::string message;
  };
  const std::string words = R"({"type": "WordLevel", "vocab": {"a": 0, "b": 1}})";
  const auto row = GENERATE_COPY(values<Row>({
      {"", "not valid JSON"},
      {"[]", "expected an object with a 'model' object"},
      {"{}", "expected an object with a 'model' object"},
      {R"({"model": {"type": 3}})", "model.type must be a text"},
      {R"({"model": {"type": "Unigram"}})",
       "'Unigram' is not supported, expected BPE and WordLevel"},
      {R"({"model": {"type": "WordLevel"}})", "model.vocab must be an object"},
      {with_model(R"({"type": "WordLevel", "vocab": {}})"), "model.vocab has no words"},
      {with_model(R"({"type": "WordLevel", "vocab": ["a"]})"), "model.vocab must be an object"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": "0"}})"),
       "model.vocab: 'a': id \"0\" is not a whole number in [0, 16777216)"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": -1}})"), "id -1 is not a whole number"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": 1.5}})"), "id 1.5 is not a whole number"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": 18446744073709551615}})"),
       "id 18446744073709551615 is not a whole number"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": 16777216}})"),
       "id 16777216 is not a whole number"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": 4, "b": 4}})"),
       "id 4 is given to 'a' and to 'b'"},
      {with_model(R"({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": 1})"),
       "model.unk_token must be a text"},
      {with_model(words, R"(, "normalizer": {"type": "NFC"})"),
       "normalizer 'NFC' is not supported"},
      {with_model(words, R"(, "decoder": {"type": "ByteLevel"})"), "decoder 'ByteLevel'"},
      {R"({"pre_tokenizer": {"type": "ByteLevel"}, "model": )" + words + "}",
       "pre_tokenizer 'ByteLevel' is not supported"},
      {with_model(words, R"(, "added_tokens": 3)"), "'added_tokens' must be a list"},
      {with_model(words, R"(, "added_tokens": [7])"), "added_tokens[0]: expected an object"},
      {with_model(words, R"(, "added_tokens": [{"content": "<e>"}])"), "'id' is missing"},
      {with_model(words, R"(, "added_tokens": [{"id": 2}])"), "'content' must be a text"},
      {with_model(words, R"(, "added_tokens": [{"id": 2, "content": ""}])"), "has 0 bytes"},
      {with_model(words, R"(, "added_tokens": [{"id": 2, "content": "x", "special": "yes"}])"),
       "'special' is \"yes\", expected true or false"},
      {with_model(words, R"(, "added_tokens": [{"id": 1, "content": "x"}])"),
       "id 1 is given to 'b' and to 'x'"},
      {with_model(words, R"(, "added_tokens": [{"id": 2, "content": "a"}])"),
       "'a' has id 2 here and id 0 before"},
      {with_model(words,
                  R"(, "added_tokens": [{"id": 2, "content": "x"}, {"id": 2, "content": "y"}])"),
       "id 2 is given to a second token"},
      {with_model(words,
                  R"(, "added_tokens": [{"id": 2, "content": "x"}, {"id": 3, "content": "x"}])"),
       "'x' is added twice"},
      {with_model(words, ", \"x\": " + std::string(300, '[') + std::string(300, ']')),
       "nested deeper"},
  }));
  INFO(row.json.substr(0, 200));
  const auto message = error_of([&] { loaded(row.json); });
  CHECK_THAT(message, contains(row.message));
  CHECK_THAT(message, contains("tokenizer.json"));
  CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("tokenizer: special tokens come from either file, and must have an id", "[tokenizer]") {
  const auto json = with_model(R"({"type": "WordLevel", "vocab": {"a": 0, "b": 1}})");
  const auto with = [&](const std::string& config, const std::string& map) {
    return loaded(Json{{"tokenizer.json", json},
                       {"tokenizer_config.json", config},
                       {"special_tokens_map.json", map}});
  };
  CHECK(with(R"({"eos_token": {"content": "b"}})", "{}")->eos_id() == 1);
  CHECK(with("{}", R"({"eos_token": "a"})")->eos_id() == 0);
  CHECK(with(R"({"eos_token": "b"})", R"({"eos_token": "a"})")->eos_id() == 1);
  CHECK_FALSE(with(R"({"eos_token": null})", "{}")->eos_id());
  CHECK_THAT(error_of([&] { with(R"({"eos_token": "zz"})", "{}"); }),
             contains("eos_token 'zz' has no id in tokenizer.json"));
  CHECK_THAT(error_of([&] { with(R"({"pad_token": 5})", "{}"); }),
             contains("tokenizer_config.json: pad_token: expected a text"));
  CHECK_THAT(error_of([&] { with("[]", "{}"); }),
             contains("tokenizer_config.json: expected an object"));
  const TempFolder empty;
  CHECK_THAT(error_of([&] { load_tokenizer(empty.path()); }),
             contains("there is no tokenizer.json"));
}

TEST_CASE("unicode: words and spaces are those of Rust's regular expressions", "[tokenizer]") {
  // letters, marks, digits, letter numbers, connectors, joiners, enclosed letters
  for (const std::int32_t c :
       {0x61, 0x5F, 0xE9, 0x301, 0x663, 0x2167, 0x203F, 0x200D, 0x24B6, 0x1F170, 0x4E2D})
    CHECK(is_word(c));
  for (const std::int32_t c : {0x2D, 0xB2, 0xBD, 0x2019, 0x1F408, 0x20})
    CHECK_FALSE(is_word(c));
  for (const std::int32_t c : {0x20, 0x09, 0x85, 0xA0, 0x2003, 0x3000})
    CHECK(is_space(c));
  for (const std::int32_t c : {0x200B, 0x1C, 0xFEFF, 0x180E})
    CHECK_FALSE(is_space(c));
}

TEST_CASE("unicode: the first byte that is not UTF-8 is found", "[tokenizer]") {
  CHECK_FALSE(
      first_invalid_utf8("plain, stra\xC3\x9F"
                         "e, \xF0\x9F\x90\x88"));
  CHECK(first_invalid_utf8("ab\xFF") == 2);
  CHECK(first_invalid_utf8("a\xC3") == 1);             // cut
  CHECK(first_invalid_utf8("\xC0\xAF") == 0);          // overlong
  CHECK(first_invalid_utf8("x\xED\xA0\x80") == 1);     // surrogate
  CHECK(first_invalid_utf8("\xF4\x90\x80\x80") == 0);  // beyond U+10FFFF
}
