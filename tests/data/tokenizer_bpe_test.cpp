// Against what Hugging Face's `tokenizers` makes of the same texts: tests/golden/data/tokenizer_bpe.py.
#include <chrono>
#include <thread>

#include "data/tokenizer/bpe.h"
#include "data/tokenizer/text_stream.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/unicode.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"
#include "trainer/core/json.h"
#include "trainer/core/philox.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

Json read_golden(const std::string& name) {
  return read_json(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/" + name);
}

const Json& golden() {
  static const Json kGolden = read_golden("tokenizer_bpe.json");
  return kGolden;
}

std::unique_ptr<Tokenizer> loaded(const Json& tokenizer) {
  const TempFolder folder;
  written(folder, "tokenizer.json", tokenizer.dump());
  return load_tokenizer(folder.path());
}

/// The tokenizer.json of a case: its base with the keys of its patch.
Json tokenizer_of(const Json& test) {
  if (test.contains("tokenizer")) return test["tokenizer"];
  Json json = golden()["bases"][test["base"].get<std::string>()];
  for (const auto& [key, value] : test["patch"].items()) {
    if (key != "model") {
      json[key] = value;
      continue;
    }
    for (const auto& [field, content] : value.items())
      json["model"][field] = content;
  }
  return json;
}

std::string streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skip) {
  TextStream stream(tokenizer, skip);
  std::string text;
  for (const auto id : ids) {
    const auto piece = stream.push(id);
    REQUIRE_FALSE(first_invalid_utf8(piece));
    text += piece;
  }
  return text + stream.finish();
}

void check_decoding(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                    const std::string& decoded, const std::string& skipped) {
  CHECK(tokenizer.decode(ids) == decoded);
  CHECK(tokenizer.decode(ids, true) == skipped);
  CHECK(streamed(tokenizer, ids, false) == decoded);
  CHECK(streamed(tokenizer, ids, true) == skipped);
}

void check_row(const Tokenizer& tokenizer, const Json& row, bool with_decoding) {
  const auto text = golden()["texts"][row["text"].get<std::size_t>()].get<std::string>();
  INFO(dump_line(Json(text)));
  const auto ids = row["ids"].get<std::vector<TokenId>>();
  CHECK(tokenizer.encode(text) == ids);
  CHECK(Json(tokenizer.with_special_tokens(ids)) == row.value("special", row["ids"]));
  if (!with_decoding) return;
  const auto decoded = row.value("decoded", text);
  check_decoding(tokenizer, ids, decoded, row.value("skipped", decoded));
}

/// A tokenizer of few tokens, with `keys` replaced.
Json small(const Json& keys = Json::object()) {
  Json json =
      Json::parse(R"({"added_tokens":[{"id":5,"content":"<s>","special":true}],"normalizer":null,
    "pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":{"type":"Fuse"},
    "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"<unk>":3,"abab":4},"merges":["a b",["ab","ab"]],
             "unk_token":"<unk>"}})");
  for (const auto& [key, value] : keys.items())
    json[key] = value;
  return json;
}

std::string refusal(const Json& keys) {
  return error_of([&] { loaded(small(keys)); });
}

std::string split_refusal(const std::string& regex) {
  return refusal(
      {{"pre_tokenizer",
        {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}}}});
}

}  // namespace

TEST_CASE("bpe: ids and texts are those of the tokenizers library", "[tokenizer]") {
  for (const auto& test : golden()["cases"]) {
    INFO(test["name"].get<std::string>());
    const auto tokenizer = loaded(tokenizer_of(test));
    CHECK(tokenizer->vocabulary_size() == test["size"].get<std::int64_t>());
    for (const auto& row : test["rows"])
      check_row(*tokenizer, row, test["base"] != "crossing");
    if (!test.contains("decodings")) continue;
    for (const auto& row : test["decodings"]) {
      INFO(dump_line(row["ids"]));
      check_decoding(*tokenizer, row["ids"].get<std::vector<TokenId>>(),
                     row["decoded"].get<std::string>(), row["skipped"].get<std::string>());
    }
  }
}

TEST_CASE("bpe: Qwen's tokenizer gives the ids of its vectors", "[tokenizer]") {
  const auto qwen = read_golden("tokenizer_qwen.json");
  const auto tokenizer = loaded(qwen["tokenizer"]);
  REQUIRE(qwen["rows"].size() == 179);
  for (const auto& row : qwen["rows"]) {
    const auto text = row["text"].get<std::string>();
    INFO(text);
    const auto ids = row["ids"].get<std::vector<TokenId>>();
    CHECK(tokenizer->encode(text) == ids);
    CHECK(tokenizer->decode(ids) == row.value("decoded", text));
  }
}

TEST_CASE("bpe: every thread gets the same ids", "[tokenizer]") {
  const auto tokenizer = loaded(tokenizer_of(golden()["cases"][3]));
  const auto text = golden()["texts"].dump();
  const auto expected = tokenizer->encode(text);
  std::vector<int> right(4, 0);
  std::vector<std::thread> threads;
  threads.reserve(right.size());
  for (auto& one : right)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i)
        one += tokenizer->encode(text) == expected ? 1 : 0;
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(right == std::vector<int>(4, 20));
}

TEST_CASE("bpe: a megabyte of one letter takes no quadratic time", "[tokenizer]") {
  const auto tokenizer = loaded(tokenizer_of(golden()["cases"][3]));
  for (const std::string unit : {"a", " ", "1", "é", "!", "\n ", "\u0323\u0301"}) {
    INFO(unit);
    std::string text;
    while (text.size() < (1U << 20))
      text += unit;
    const auto start = std::chrono::steady_clock::now();
    const auto ids = tokenizer->encode(text);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    CHECK(taken.count() < 2);
    CHECK(tokenizer->decode(ids) == normal_form(text, NormalForm::NFC));
  }
}

TEST_CASE("bpe: a text that is not UTF-8 is refused at its first bad byte", "[tokenizer]") {
  const auto tokenizer = loaded(small());
  CHECK(error_of([&] { tokenizer->encode("ab\xFF"); }) == "the text is not UTF-8: byte 2 is 0xff");
  CHECK_THAT(error_of([&] { tokenizer->encode("\xED\xA0\x80"); }), contains("not UTF-8"));
  CHECK_THAT(error_of([] { parse_json(R"({"text": "\ud800"})", "rows.jsonl:3"); }),
             Catch::Matchers::StartsWith("rows.jsonl:3: not valid JSON") && contains("surrogate"));
}

TEST_CASE("bpe: what a stream hands out ends in no half character", "[tokenizer]") {
  const auto tokenizer = loaded(tokenizer_of(golden()["cases"][0]));
  TextStream stream(*tokenizer);
  std::vector<std::string> pieces;
  for (const auto id : tokenizer->encode("\U00010350!"))
    pieces.push_back(stream.push(id));
  REQUIRE(pieces.size() == 5);  // four bytes and a sign
  CHECK(pieces == std::vector<std::string>{"", "", "", "\U00010350", "!"});
  CHECK(stream.finish().empty());
  const auto half = tokenizer->encode("\U00010350");
  stream.push(half[0]);
  stream.push(half[1]);
  CHECK(stream.finish() == "\uFFFD");
  CHECK(stream.push(half[3]) == "\uFFFD");
}

TEST_CASE("bpe: components that are not known are named with their place", "[tokenizer]") {
  const Json unknown = {{"type", "Odd"}};
  CHECK_THAT(
      refusal({{"normalizer", {{"type", "Sequence"}, {"normalizers", {unknown}}}}}),
      contains("tokenizer.json: normalizer.normalizers[0]: normalizer 'Odd' is not supported"));
  CHECK_THAT(refusal({{"pre_tokenizer", unknown}}),
             contains("pre_tokenizer 'Odd' is not supported"));
  CHECK_THAT(refusal({{"post_processor", unknown}}),
             contains("post_processor 'Odd' is not supported"));
  CHECK_THAT(refusal({{"decoder", unknown}}), contains("decoder 'Odd' is not supported"));
  CHECK_THAT(refusal({{"model", {{"type", "Unigram"}}}}),
             contains("model type 'Unigram' is not supported"));
  CHECK_THAT(refusal({{"pre_tokenizer", {{"type", "Digits"}}}}),
             contains("pre_tokenizer.individual_digits: expected true or false"));
}

TEST_CASE("bpe: a model that contradicts itself is refused", "[tokenizer]") {
  const auto with = [](const char* key, const Json& value) {
    auto json = small();
    json["model"][key] = value;
    return error_of([&] { loaded(json); });
  };
  CHECK_THAT(with("merges", {"a c"}), contains("model.merges[0]: 'c' is not in the vocabulary"));
  CHECK_THAT(with("merges", {"a b c"}), contains("model.merges[0]: expected two tokens"));
  CHECK_THAT(with("merges", {"b a"}), contains("'ba' is not in the vocabulary"));
  CHECK_THAT(with("vocab", {{"a", 0}, {"b", 0}}), contains("id 0 is given to a second token"));
  CHECK_THAT(with("vocab", {{"a", -1}}), contains("id -1 is not a whole number"));
  CHECK_THAT(with("dropout", 0.1), contains("ids would be drawn at random"));
  CHECK_THAT(refusal({{"added_tokens", {{{"id", 9}, {"content", "<s>"}}}}}),
             contains("'<s>' has id 9, but it is token 5"));
  const Json begin = {{"type", "BertProcessing"}, {"cls", {"<s>", 6}}, {"sep", {"<s>", 5}}};
  CHECK_THAT(refusal({{"post_processor", begin}}),
             contains("post_processor adds id 6, expected one below 6"));
}

TEST_CASE("bpe: a regular expression that cannot be had is quoted", "[tokenizer]") {
  CHECK_THAT(split_refusal("(a"),
             contains("pattern.Regex: cannot use the regular expression '(a': ')' is missing"));
  CHECK_THAT(split_refusal("[a"), contains("']' is missing"));
  CHECK_THAT(split_refusal("a)"), contains("'(' is missing"));
  CHECK_THAT(split_refusal("\\p{Nothing}"),
             contains("cannot use the regular expression '\\p{Nothing}'"));
  CHECK_THAT(split_refusal("(?~ab)"), contains("a group of an unknown kind"));
  CHECK_THAT(split_refusal("*"), contains("cannot use the regular expression '*'"));
}

TEST_CASE("bpe: whatever stands in tokenizer.json, the answer is a tokenizer or one error",
          "[tokenizer]") {
  const std::vector<std::string> hostile = {"null", "{}",           "[]",  "\"\"",
                                            "-1",   "\"Sequence\"", "1e9", "true"};
  RandomStream random({.seed = 7, .purpose = Purpose::Task});
  const auto head = small().dump();
  for (int i = 0; i < 4000; ++i) {
    auto changed = head;
    for (std::int64_t k = random.between(1, 3); k > 0; --k) {
      const auto at = static_cast<std::size_t>(random.below(std::ssize(changed)));
      if (random.below(2) == 0) {
        changed[at] = static_cast<char>(random.below(128));
        continue;
      }
      const auto colon = changed.find(':', at);
      if (colon == std::string::npos) continue;
      const auto end = std::min(changed.find_first_of(",}", colon), changed.size());
      changed.replace(colon + 1, end - colon - 1,
                      hostile[static_cast<std::size_t>(random.below(std::ssize(hostile)))]);
    }
    INFO(changed);
    try {
      const BpeTokenizer tokenizer({"folder", {{"tokenizer.json", changed}}},
                                   parse_json(changed, "tokenizer.json"));
      tokenizer.decode(tokenizer.encode("ab abba <s> x"), false);
    } catch (const UserError& error) {
      CHECK(std::string(error.what()).find('\n') == std::string::npos);
    }
  }
}
