#include "trainer/checkpoint/state.h"

#include <array>
#include <limits>
#include <random>

#include "tests/support/catch.h"
#include "trainer/core/error.h"

using namespace aha;
using aha_test::contains;

namespace {

TrainerState example() {
  TrainerState s;
  s.stage_index = 1;
  s.stage = "grpo";
  s.step = 40;
  s.global_step = 340;
  s.cursor = (std::uint64_t{1} << 40) + 3;
  s.updates = 80;
  s.num_tokens = 123456789;
  s.entropy_coef = 0.1 + 0.2;
  s.best_metric = 1.0 / 3.0;
  s.best_global_step = 320;
  s.offsets = {{"metrics.jsonl", 1234}, {"completions/train.jsonl", 0}};
  s.cpu_body = "avx2";
  s.config = {{"seed", "3"}, {"stages.grpo.optim.learning_rate", "1.0e-6"}};
  s.data = "120 rows, 00ff00ff00ff00ff";
  s.versions = {{"aha", "0.1.0"}, {"torch", "2.11.0"}};
  return s;
}

TrainerState read(const std::string& text) {
  return state_from_json(parse_json(text, "F"), "F");
}

/// One to three edits: a byte, a cut, or a value in place of a number.
std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::array<std::string_view, 14> kHostile = {"-1",
                                                         "1e999",
                                                         "-1e308",
                                                         "true",
                                                         "null",
                                                         "9223372036854775808",
                                                         "18446744073709551616",
                                                         "3.7",
                                                         "\"x\"",
                                                         "[]",
                                                         "{}",
                                                         "",
                                                         "-0",
                                                         "[[[[\"\\ud800\"]]]]"};
  for (auto edits = 1 + random() % 3; edits > 0 && !text.empty(); --edits) {
    const auto at = random() % text.size();
    const auto digit = text.find_first_of("0123456789", at);
    if (random() % 3 == 0 && digit != std::string::npos)
      text.replace(digit, text.find_first_not_of("0123456789", digit) - digit,
                   kHostile.at(random() % kHostile.size()));
    else if (random() % 8 == 0)
      text.resize(at);
    else
      text[at] = static_cast<char>(random() % 256);
  }
  return text;
}

}  // namespace

TEST_CASE("trainer state: what is written is read, to the last bit", "[checkpoint]") {
  CHECK(read(to_json(example()).dump()) == example());
  CHECK(state_from_json(Json(to_json(example())), "F") == example());
  TrainerState plain;
  CHECK(read(to_json(plain).dump()) == plain);
}

TEST_CASE("trainer state: a best metric that is no number is not written", "[checkpoint]") {
  auto state = example();
  state.best_metric = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(read(to_json(state).dump()).best_metric.has_value());
}

TEST_CASE("trainer state: each key missing or of another type is named", "[checkpoint]") {
  const Json whole = Json(to_json(example()));
  for (const auto& [key, value] : whole.items()) {
    INFO(key);
    Json without = whole;
    without.erase(key);
    if (key != "best_metric")
      CHECK_THROWS_WITH(state_from_json(without, "F"), contains("F: '" + key + "' is missing"));
    for (const Json& other : {Json(true), Json(nullptr), Json(Json::array({1})), Json(-1.5e300)}) {
      if (other.is_number() && value.is_number_float()) continue;
      Json wrong = whole;
      wrong[key] = other;
      CHECK_THROWS_WITH(state_from_json(wrong, "F"), contains("F: '" + key + "'"));
    }
  }
}

TEST_CASE("trainer state: numbers that no run has are refused, not cut or wrapped",
          "[checkpoint]") {
  const Json whole = Json(to_json(example()));
  const auto refused = [&](const char* key, const Json& value) {
    INFO(key << " " << value);
    Json wrong = whole;
    wrong[key] = value;
    CHECK_THROWS_AS(state_from_json(wrong, "F"), UserError);
  };
  refused("step", -1);
  refused("step", 3.7);
  refused("step", 341);
  refused("best_global_step", 341);
  refused("stage_index", 256);
  refused("cursor", std::uint64_t{1} << 48);
  refused("global_step", std::numeric_limits<std::uint64_t>::max());
  refused("num_tokens", 1e30);
  refused("format", 2);
  refused("offsets", Json{{"metrics.jsonl", -1}});
  refused("offsets", Json{{"metrics.jsonl", "12"}});
  CHECK_THROWS_AS(read("[]"), UserError);
}

TEST_CASE("trainer state: 2,000 damaged files are an error line or a state that holds together",
          "[checkpoint][fuzz]") {
  const std::string text = to_json(example()).dump(2);
  std::mt19937 random(11);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    try {
      const auto state = read(mutated(text, random));
      REQUIRE(state.step >= 0);
      REQUIRE(state.global_step >= state.step);
      REQUIRE(state.cursor < (std::uint64_t{1} << 48));
      for (const auto& [file, bytes] : state.offsets)
        REQUIRE(bytes >= 0);
    } catch (const UserError& error) {
      REQUIRE(std::string(error.what()).starts_with("F: "));
      ++refused;
    }
  }
  CHECK(refused > 1000);
}
