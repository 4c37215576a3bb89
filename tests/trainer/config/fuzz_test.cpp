// A seeded mutator: whatever stands in a file or an override, the answer is a configuration or one
// UserError that says where, never a crash.
#include <random>

#include "tests/support/catch.h"
#include "tests/trainer/config/support.h"
#include "trainer/config/dump.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

constexpr int kCases = 10000;

const std::string kWhole =
    "# comment\nseed: 3\noutput_dir: \"runs/x\"\nmodel: {init: {hidden_size: 64, "
    "num_attention_heads: 4, "
    "max_position_embeddings: 64}, tokenizer: t}\ndata:\n  max_prompt_length: 8\n  train: &t "
    "{task: parity, bits: 8}\n"
    "  eval: {held_out: {task: parity, count: 5}, other: {path: 'x.jsonl'}}\n  prompt_template: "
    "|\n    Q: {question}\n"
    "    A:\nrollout: {max_completion_length: 16, stop_strings: [a, \"b\\n\"], temperature: "
    "1.0}\nreward:\n  functions:\n"
    "    - {name: parity, weight: 0.5}\n    - name: soft_overlong\n      cache: 4\nobjective: "
    "{preset: dapo, epsilon: 0.1}\n"
    "stages:\n- name: warm\n  method: sft\n  train: {per_device_train_batch_size: 4}\n- name: "
    "grpo\n  method: grpo\n"
    "  data: {train: *t}\n";

const std::vector<std::string> kHostile = {"-1",
                                           "1e400",
                                           "9223372036854775808",
                                           "nan",
                                           ".inf",
                                           "null",
                                           "~",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           "[[[[",
                                           ": ",
                                           ":",
                                           "- ",
                                           "\n",
                                           "\n  ",
                                           "\t",
                                           "\r\n",
                                           "&a ",
                                           "*a",
                                           "*t",
                                           "<<: *t",
                                           "!!binary ",
                                           "!x ",
                                           "? ",
                                           "| ",
                                           ">-\n",
                                           "---\n",
                                           "...\n",
                                           "%YAML 9.9\n",
                                           "\"",
                                           "'",
                                           "\\x",
                                           "\xFF",
                                           "\xC3",
                                           "\xEF\xBB\xBF",
                                           std::string(1, '\0'),
                                           "\x04",
                                           "#",
                                           ",",
                                           "path: ",
                                           "task: ",
                                           "stages:",
                                           "objective: {preset: grpo}",
                                           "\xFE\xFF",
                                           "@",
                                           "`"};

std::string mutated(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (auto times = 1 + below(5); times > 0; --times) {
    const auto at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, below(12));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      case 3:
        text.insert(at, kHostile[below(kHostile.size())]);
        break;
      default:
        text.replace(at, below(12), kHostile[below(kHostile.size())]);
    }
  }
  return text;
}

/// Every line of an error says where.
bool is_placed(const std::string& error, const std::string& start) {
  if (error.empty()) return false;
  for (std::size_t from = 0; from < error.size();) {
    if (error.compare(from, start.size(), start) != 0) return false;
    const auto end = error.find('\n', from);
    if (end == std::string::npos) break;
    from = end + 1;
  }
  return true;
}

}  // namespace

TEST_CASE("fuzz: a damaged configuration is read or refused with places", "[config][fuzz]") {
  REQUIRE(error_of(kWhole).empty());
  std::mt19937_64 random(1);
  int errors = 0;
  for (int i = 0; i < kCases; ++i) {
    const auto text = mutated(kWhole, random);
    try {
      const auto config = parse_config(text, "c.yaml");
      const auto resolved = resolved_yaml(config);
      if (resolved_yaml(parse_config(resolved, "r")) != resolved) FAIL("not read back: " << text);
    } catch (const UserError& error) {
      ++errors;
      if (!is_placed(error.what(), "c.yaml:")) FAIL(error.what() << "\n---\n" << text);
    }
  }
  CHECK(errors > kCases / 4);
  CHECK(errors < kCases);
}

TEST_CASE("fuzz: a damaged override is read or refused by name", "[config][fuzz]") {
  std::mt19937_64 random(2);
  const std::vector<std::string> sound = {
      "optim.learning_rate=1e-3", "stages.grpo.train={max_steps: 4}",
      "reward.functions=[{name: parity}]", "data.eval.held_out.count=3"};
  int errors = 0;
  for (int i = 0; i < 2000; ++i) {
    auto text = mutated(sound[static_cast<std::size_t>(i) % sound.size()], random);
    std::replace(text.begin(), text.end(), '\n', ' ');
    try {
      parse_config(kWhole, "c.yaml", {text});
    } catch (const UserError& error) {
      ++errors;
      const std::string message = error.what();
      if (message.find("--set ") == std::string::npos &&
          message.find("c.yaml:") == std::string::npos)
        FAIL(message << "\n---\n" << text);
    }
  }
  CHECK(errors > 500);
  CHECK(errors < 2000);
}
