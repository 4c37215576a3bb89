#include "trainer/metrics/reflection.h"

#include <chrono>
#include <cmath>
#include <map>

#include "tests/support/catch.h"
#include "tests/trainer/metrics/metrics_support.h"
#include "trainer/core/error.h"

using namespace aha;
using aha_test::completion;

TEST_CASE("ReflectionWords: counts what Python's re finds", "[metrics][golden]") {
  const auto golden = aha_test::golden("reflection.json");
  for (std::size_t list = 0; list < golden["lists"].size(); ++list) {
    const ReflectionWords words(golden["lists"][list].get<std::vector<std::string>>());
    for (const auto& row : golden["rows"]) {
      INFO(row["text"]);
      REQUIRE(words.count(row["text"].get<std::string>()) ==
              row["counts"][list].get<std::int64_t>());
    }
  }
}

TEST_CASE("ReflectionWords: an empty entry is refused, an empty list counts nothing", "[metrics]") {
  CHECK_THROWS_AS(ReflectionWords(std::vector<std::string>{"wait", " "}), UserError);
  CHECK(ReflectionWords(std::vector<std::string>{}).count("wait") == 0);
}

TEST_CASE("ReflectionWords: bytes that are no UTF-8 are no part of a word", "[metrics]") {
  CHECK(ReflectionWords(std::vector<std::string>{"wait"}).count("\xffwait\xc3 wait\x80") == 2);
}

TEST_CASE("ReflectionWords: a long hostile text takes linear time", "[metrics]") {
  const ReflectionWords words(std::vector<std::string>{"check again", "check"});
  const std::string text = "check" + std::string(1 << 20, ' ') + "x";
  const auto start = std::chrono::steady_clock::now();
  CHECK(words.count(text + " " + text) == 2);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE("reflection_metrics: shares, rates and accuracies by hand", "[metrics]") {
  Group group;
  const auto add = [&](const char* text, std::int64_t length, std::optional<double> accuracy) {
    group.completions.push_back(completion(length, false, text));
    Score score;
    score.accuracy = accuracy;
    group.scores.push_back(score);
  };
  add("wait, check: wait", 10, 1.0);
  add("check", 20, 0.0);
  add("no such word", 30, 1.0);
  add("none", 40, std::nullopt);
  const ReflectionWords words(std::vector<std::string>{"wait", "check"});
  const auto metrics = reflection_metrics(std::span(&group, 1), words);
  std::map<std::string, double> values(metrics.begin(), metrics.end());
  CHECK(values["reflection/share"] == Approx(0.5));
  CHECK(values["reflection/per_completion"] == Approx(1.0));
  CHECK(values["reflection/per_1k_tokens"] == Approx(40.0));
  CHECK(values["reflection/wait"] == Approx(0.5));
  CHECK(values["reflection/accuracy_with"] == Approx(0.5));
  CHECK(values["reflection/accuracy_without"] == Approx(1.0));
  group.scores.clear();
  const auto unscored = reflection_metrics(std::span(&group, 1), words);
  CHECK(std::isnan(std::map(unscored.begin(), unscored.end())["reflection/accuracy_with"]));
}
