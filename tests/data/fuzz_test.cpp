// Whatever stands in a file, the answer is a result or one UserError, never a crash.
#include "tests/support/fuzz.h"

#include "data/dataset.h"
#include "data/prompt.h"
#include "data/tasks/task.h"
#include "data/tokenizer/tokenizer_files.h"
#include "data/tokenizer/word_level.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

constexpr std::int64_t kCases = 10000;

const std::vector<std::string> kHostile = {"null",
                                           "[[[[",
                                           "{}",
                                           "\"",
                                           "\\u",
                                           "\\ud800",
                                           "1e999",
                                           "-1",
                                           "99999999999999999999",
                                           "\n",
                                           "\r\n",
                                           "\xFF",
                                           "\xC3",
                                           "\xEF\xBB\xBF",
                                           std::string(1, '\0'),
                                           "{\"a\":",
                                           "true",
                                           "\"id\":",
                                           "0.5",
                                           ",",
                                           ":"};

/// Runs `action` on every mutation of `text`; returns how many ended in a UserError.
template <class Action>
std::int64_t errors_over_mutations(const std::string& text, std::uint64_t seed,
                                   const Action& action) {
  Mutator mutator(seed, kHostile);
  std::int64_t errors = 0;
  for (std::int64_t i = 0; i < kCases; ++i) {
    const auto bytes = mutator.mutate(text, 6);
    try {
      action(bytes);
    } catch (const UserError& error) {
      ++errors;
      if (std::string(error.what()).empty()) FAIL("an error without a message");
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("fuzz: a damaged JSONL file is read or refused", "[fuzz]") {
  const std::string text =
      "{\"question\": \"4 3 9 8 |\", \"answer\": \"9 - 4 + 3\", \"nums\": [4, 3, 9], \"target\": "
      "8}\n"
      "{\"question\": \"stra\xC3\x9F"
      "e\", \"answer\": 7}\n\n{\"question\": \"x\", \"answer\": [1, 2]}\n";
  const TempFolder folder;
  const auto path = folder / "d.jsonl";
  const PromptTemplate prompt("{question} {answer}", "question");
  const auto errors = errors_over_mutations(text, 1, [&](const std::string& bytes) {
    std::filesystem::remove(path);  // truncating a file in place waits for the disk on ext4
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                         &std::fclose);
    std::fwrite(bytes.data(), 1, bytes.size(), file.get());
    file.reset();
    JsonlOptions options;
    options.required_fields = {"question", "answer"};
    options.max_invalid = static_cast<std::int64_t>(bytes.size() % 3);
    const JsonlDataset dataset(path, options);
    for (std::int64_t i = 0; i < *dataset.size(); ++i)
      prompt.text(dataset.row(i), dataset.where(i));
  });
  CHECK(errors > kCases / 10);
  CHECK(errors < kCases);
}

TEST_CASE("fuzz: a damaged tokenizer.json is read or refused", "[fuzz]") {
  const std::string text =
      R"({"version": "1.0", "added_tokens": [{"id": 4, "content": "<eos>", "lstrip": true, "special": true},)"
      R"( {"id": 5, "content": "hm", "single_word": true}], "normalizer": null,)"
      R"( "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null,)"
      R"( "model": {"type": "WordLevel", "vocab": {"0": 0, "1": 1, "|": 2, "=": 3}, "unk_token": "0"}})";
  const auto errors = errors_over_mutations(text, 2, [&](const std::string& bytes) {
    const WordLevelTokenizer tokenizer(TokenizerFiles{
        "f", {{"tokenizer.json", bytes}, {"tokenizer_config.json", R"({"eos_token": "<eos>"})"}}});
    tokenizer.decode(tokenizer.encode("0 1  <eos>hm x <eos> \xFF\xC3"), true);
  });
  CHECK(errors > kCases / 10);
  CHECK(errors < kCases);
}

TEST_CASE("fuzz: a damaged template or completion is read or refused", "[fuzz]") {
  const Json row{{"question", "q"}, {"nums", {4, 3, 9}}, {"target", 8}, {"bits", {1, 0, 1}}};
  const auto errors =
      errors_over_mutations("{{x}} {question} {nums}<think>", 3, [&](const auto& text) {
        const PromptTemplate prompt(text, "question");
        prompt.text(row, "row");
        prompt.ideal("1", text);
      });
  CHECK(errors > kCases / 10);

  const auto wait = make_task("countdown_wait", {});
  const auto parity = make_task("parity", {});
  const auto countdown = make_task("countdown", {});
  const std::string trace =
      "9 + 4 13 - 3 10 no wait 9 - 4 5 + 3 8 ok => 9 - 4 + 3 <answer> 1 </answer>";
  const auto none = errors_over_mutations(trace, 4, [&](const std::string& text) {
    wait->behaviour(row, text);
    parity->behaviour(row, text);
    countdown->behaviour(row, text);
  });
  CHECK(none == 0);
}
