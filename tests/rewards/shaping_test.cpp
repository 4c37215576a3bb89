#include "rewards/repetition.h"

#include <random>
#include <set>
#include <vector>

#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

RewardPart of_length(std::int64_t length, std::int64_t limit, const std::string& name,
                     const std::map<std::string, std::string>& options) {
  Judged judged;
  judged.length = length;
  judged.max_completion_length = limit;
  return judged.by(name, options);
}

}  // namespace

TEST_CASE("repetition: equals TRL's get_repetition_penalty_reward", "[shaping][golden]") {
  const auto golden = read_json(golden_path("shaping.json"));
  for (const auto& row : golden["repetition"]) {
    INFO(row.dump());
    Judged judged;
    judged.ids = row["ids"].get<std::vector<TokenId>>();
    judged.length = std::ssize(judged.ids);
    const std::map<std::string, std::string> options = {{"ngram_size", row["ngram_size"].dump()},
                                                        {"max_penalty", row["max_penalty"].dump()}};
    const auto part = judged.by("repetition", options);
    REQUIRE(part.score);
    CHECK(*part.score == row["score"].get<double>());
    CHECK(part.score == judged.by("trl.repetition_penalty_reward", options).score);
  }
}

TEST_CASE("repetition: without ids it cannot be judged; a penalty is not a bonus", "[shaping]") {
  CHECK_FALSE(Judged{"text"}.by("repetition").score);
  CHECK_THAT(error_of([] {
               make_reward("repetition", {{"max_penalty", "0.5"}});
             }),
             contains("expected a number of at most 0"));
  CHECK_THAT(error_of([] {
               make_reward("repetition", {{"ngram_size", "0"}});
             }),
             contains("expected a whole number of at least 1"));
}

TEST_CASE("repetition: n-grams are counted exactly, whatever n is", "[shaping]") {
  std::mt19937_64 random(7);
  for (const std::int64_t vocabulary : {1, 2, 5, 1000}) {
    std::vector<TokenId> ids(300);
    for (auto& id : ids)
      id = static_cast<TokenId>(random() % static_cast<std::uint64_t>(vocabulary));
    ids.insert(ids.end(), ids.begin() + 40, ids.begin() + 160);
    for (const std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 16, 100, 120, 121, 419, 420}) {
      std::set<std::vector<TokenId>> seen;
      for (auto at = ids.begin(); std::distance(at, ids.end()) >= n; ++at)
        seen.emplace(at, at + n);
      INFO(vocabulary << " ids, n = " << n);
      CHECK(unique_ngrams(ids, n) == std::ssize(seen));
    }
    CHECK(unique_ngrams(ids, 421) == 0);
  }
  CHECK(unique_ngrams(std::vector<TokenId>{}, 1) == 0);
}

TEST_CASE("soft_overlong: equals TRL's get_soft_overlong_punishment", "[shaping][golden]") {
  const auto golden = read_json(golden_path("shaping.json"));
  for (const auto& row : golden["soft_overlong"]) {
    INFO(row.dump());
    const auto wanted = row["score"].get<double>();
    const auto max = row["max"].dump();
    const auto cache = row["cache"].dump();
    const auto length = row["length"].get<std::int64_t>();
    CHECK(of_length(length, 0, "trl.soft_overlong_punishment",
                    {{"max_completion_len", max}, {"soft_punish_cache", cache}})
              .score == wanted);
    if (cache == "0") continue;  // of ours that means a fifth
    CHECK(of_length(length, 0, "soft_overlong", {{"max", max}, {"cache", cache}}).score == wanted);
    CHECK(of_length(length, row["max"], "soft_overlong", {{"cache", cache}}).score == wanted);
  }
}

TEST_CASE("soft_overlong: DAPO's setting is the default share", "[shaping][golden]") {
  const auto golden = read_json(golden_path("shaping.json"));
  for (const auto& row : golden["dapo"]) {
    INFO(row.dump());
    CHECK(of_length(row["length"], 20480, "soft_overlong", {}).score == row["score"].get<double>());
  }
}

TEST_CASE("length: a price per token down to -1 at the limit", "[shaping]") {
  CHECK(of_length(0, 100, "length", {}).score == 0.0);
  CHECK(of_length(25, 100, "length", {}).score == -0.25);
  CHECK(of_length(100, 100, "length", {}).score == -1.0);
  CHECK(of_length(150, 100, "length", {}).score == -1.0);
  CHECK(of_length(25, 100, "length", {{"max", "50"}}).score == -0.5);
}

TEST_CASE("length, soft_overlong: unknown length or limit cannot be judged", "[shaping]") {
  const std::string name = GENERATE("length", "soft_overlong");
  CHECK_FALSE(of_length(-1, 100, name, {}).score);
  CHECK_FALSE(of_length(5, 0, name, {}).score);
  CHECK(of_length(5, 0, name, {{"max", "10"}}).score);
  CHECK_THAT(error_of([&] { make_reward(name, {{"max", "-1"}}); }), contains("at least 0"));
  CHECK_THAT(error_of([] {
               make_reward("soft_overlong", {{"max", "5"}, {"cache", "6"}});
             }),
             contains("the cache of 6 tokens is larger than the limit of 5"));
}

TEST_CASE("cosine_length: short right answers and long wrong ones are worth more") {
  const auto score = [](const char* text, std::int64_t length) {
    return *Judged{.text = text, .row = {{"answer", "5"}}, .length = length}
                .by("cosine_length", {{"max", "100"}})
                .score;
  };
  // open-r1's formula by hand: cos(0) = 1, cos(pi/2) = 0, cos(pi) = -1
  CHECK(score("5", 0) == Approx(1.0));
  CHECK(score("5", 50) == Approx(0.75));
  CHECK(score("5", 100) == Approx(0.5));
  CHECK(score("5", 200) == Approx(0.5));
  CHECK(score("6", 0) == Approx(-1.0));
  CHECK(score("6", 50) == Approx(-0.75));
  CHECK(score("6", 100) == Approx(-0.5));
}

TEST_CASE("group_length: from half for the shortest to minus half, nothing to gain when wrong") {
  const auto score = [](const char* text, std::int64_t length, std::int64_t longest) {
    return *Judged{.text = text,
                   .row = {{"answer", "5"}},
                   .length = length,
                   .group_shortest = 10,
                   .group_longest = longest}
                .by("group_length")
                .score;
  };
  CHECK(score("5", 10, 30) == 0.5);
  CHECK(score("5", 20, 30) == 0.0);
  CHECK(score("5", 30, 30) == -0.5);
  CHECK(score("6", 10, 30) == 0.0);
  CHECK(score("6", 30, 30) == -0.5);
  CHECK(score("5", 10, 10) == 0.0);
  CHECK_FALSE(Judged{.text = "5", .row = {{"answer", "5"}}, .length = 3}.by("group_length").score);
}

TEST_CASE("a verifier within another reward takes options, and is asked as it is alone") {
  const Judged judged{
      .text = "\\boxed{6}, so the answer is 5", .row = {{"answer", "5"}}, .length = 0};
  const auto score = [&](const std::string& verifier) {
    return judged.by("cosine_length", {{"max", "100"}, {"verifier", verifier}}).score;
  };
  CHECK(score("math:extraction=boxed") == -1.0);
  CHECK(score("math:extraction=last") == 1.0);
  CHECK(score("numeric") == 1.0);
  const auto unjudged =
      judged.by("cosine_length", {{"max", "100"}, {"verifier", "math:answer_field=other"}});
  CHECK_FALSE(unjudged.score);
  CHECK_THAT(unjudged.reason, contains("the verifier cannot judge: ") && contains("'other'"));
  CHECK_THAT(error_of([&] { score("math:extractoin=boxed"); }), contains("'extraction'"));
  const auto spec = parse_reward_spec("cosine_length:verifier=math:extraction=boxed,max=100");
  CHECK(judged.by(spec.name, spec.options).score == -1.0);

  for (const std::string name : {"cosine_length", "group_length", "format"}) {
    INFO(name);
    const auto outside =
        make_reward(name, {{"verifier", "http:url=http://127.0.0.1:1,concurrency=3"}});
    CHECK(outside->waits());
    CHECK(outside->concurrency() == 3);
    CHECK_THAT(error_of([&] { outside->reach(); }), contains("127.0.0.1:1"));
    CHECK_FALSE(make_reward(name, {{"verifier", "math"}})->waits());
    // it names what is run or asked
    CHECK_FALSE(reward_info(name).takes_from_row("verifier"));
  }
}

TEST_CASE("language: the share of words in its script") {
  const auto score = [](const std::string& text, const char* language) {
    return *Judged{.text = text}.by("language", {{"language", language}}).score;
  };
  CHECK(score("so the answer is five", "en") == 1.0);
  CHECK(score("so \xE7\xAD\x94\xE6\xA1\x88 is", "en") == 0.5);
  CHECK(score("so \xE7\xAD\x94\xE6\xA1\x88 is", "zh") == 0.5);
  CHECK(score("\xD0\xBE\xD1\x82\xD0\xB2\xD0\xB5\xD1\x82 x + y = \\frac{1}{2}", "ru") == 1.0);
  CHECK(score("\xEB\x8B\xB5\xEC\x9D\x80 five", "ko") == 0.5);
  CHECK(score("1 + 2 = 3", "en") == 0.0);
  // full-width Latin, jamo that stand alone, half-width kana
  CHECK(score("\xEF\xBC\xA1\xEF\xBD\x82", "en") == 1.0);
  CHECK(score("\xEF\xBC\xA1\xEF\xBD\x82 \xE7\xAD\x94", "zh") == 0.5);
  CHECK(score("\xE3\x85\x8B\xE3\x85\x8B", "ko") == 1.0);
  CHECK(score("\xE3\x85\x8B\xE3\x85\x8B so", "en") == 0.5);
  CHECK(score("\xEF\xBD\xB1", "ja") == 1.0);
  // tags and special tokens are no words; "a < b" is no tag
  const char* chinese =
      "<think> \xE7\xAD\x94\xE6\xA1\x88 </think> <answer> \xE4\xBA\x94 </answer><|im_end|>";
  CHECK(score(chinese, "zh") == 1.0);
  CHECK(score(chinese, "en") == 0.0);
  CHECK(score("<\xEF\xBD\x9C"
              "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
              "en") == 0.0);
  CHECK(score("<so the> \xE7\xAD\x94\xE6\xA1\x88", "zh") == 0.5);
  // neither hides what is written in another script
  CHECK(score("\\\xE7\xAD\x94\xE6\xA1\x88 the answer", "en") == 0.5);
  CHECK(score("\\frac\xE7\xAD\x94 the", "en") == 0.5);
  CHECK(score("\\\xD0\xBE\xD1\x82\xD0\xB2 \\\xD0\xBE\xD1\x82 the answer", "en") == 0.5);
  CHECK(score("the <|\xE7\xAD\x94|>", "en") == 0.5);
  CHECK(score("the <\xEF\xBD\x9C\xE7\xAD\x94\xEF\xBD\x9C>", "en") == 0.5);
  // nor does what looks like commands, tags, special tokens and variables hide words
  const std::string two = " \xE4\xBD\xA0\xE5\xA5\xBD";
  CHECK(score("\\Hello \\world" + two, "zh") == 0.5);
  CHECK(score("\\frac{1}{2} \\alpha \\text{ } \\mathbb{R}" + two, "zh") == 1.0);
  CHECK(score("<this-is-all-one-text>" + two, "zh") == 2.0 / 7);
  CHECK(score("$\\tg x \\lesssim \\boxtimes$" + two, "zh") == 1.0);
  CHECK(score("<begin_of_thought> </begin_of_thought>" + two, "zh") == 1.0);
  std::string tags;
  for (const char name : std::string("abcdefghijkl"))
    tags += std::string("<|") + name + name + "|>";
  CHECK(score(tags + two, "zh") == 2.0 / 6);
  CHECK(score("H e l l o w\tor l d" + two, "zh") == 2.0 / 3);
  CHECK(score("H e l l o w\to\xC2\xA0r\r\nl d" + two, "zh") == 0.5);
  CHECK(score("A B C D E F" + two, "zh") == 1.0);
  CHECK(score("a + b = c, x y z" + two, "zh") == 1.0);
  // letters of scripts that no language here has: Bengali, Georgian, Armenian, Ge'ez, Khmer; of mathematics in bold face
  for (const char* other :
       {"\xE0\xA6\x89\xE0\xA6\xA4", "\xE1\x83\x9E\xE1\x83\x90", "\xD5\xBA\xD5\xA1",
        "\xE1\x88\x98\xE1\x88\x8D", "\xE1\x9E\x85\xE1\x9E\x98"})
    CHECK(score(std::string("Hello ") + other, "en") == 0.5);
  CHECK(score("\xF0\x9D\x90\x87\xF0\x9D\x90\x9E" + two, "zh") == 2.0 / 3);
  // an accent of its own parts no word
  CHECK(score("re\xCC\x81sume\xCC\x81" + two, "zh") == 2.0 / 3);
  // Japanese has kana in a sentence, Chinese has none
  CHECK(score("\xE7\xAD\x94\xE6\xA1\x88", "ja") == 0.0);
  CHECK(score("\xE7\xAD\x94\xE3\x81\x88", "ja") == 1.0);
  CHECK(score("\xE7\xAD\x94\xE3\x81\x88\xE3\x80\x82\xE7\xAD\x94\xE6\xA1\x88", "ja") == 0.5);
  CHECK(score("\xFF\xFE", "en") == 0.0);
}

TEST_CASE("language: one that shares its script with another is refused") {
  CHECK_THAT(error_of([] {
               make_reward("language", {{"language", "fr"}});
             }),
             contains("'fr', which has the Latin script") && contains("'en' stands for"));
  CHECK_THAT(error_of([] {
               make_reward("language", {{"language", "uk"}});
             }),
             contains("Cyrillic") && contains("'ru' stands for"));
  CHECK_THAT(error_of([] { make_reward("language", {{"language", "xx"}}); }), contains("'xx'"));
}

TEST_CASE("format: a verifier as gate lets no format pay for a wrong answer") {
  const auto score = [](const char* answer) {
    return *Judged{.text = std::string("<think> a </think> <answer>") + answer + "</answer>",
                   .row = {{"answer", "5"}}}
                .by("format", {{"verifier", "math"}})
                .score;
  };
  CHECK(score("5") == 1.0);
  CHECK(score("6") == 0.0);
  CHECK(error_of([] {
          make_reward("format", {{"verifier", "length"}});
        }) ==
        "reward 'format': option 'verifier' is 'length', which does not tell right from wrong");
}
