// Scorer programs, good and bad: each completion gets the answer that is its own, or cannot be judged.
#include <chrono>
#include <functional>
#include <thread>
#include <tuple>

#include "rewards/options.h"
#include "tests/rewards/external_support.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

using Options = std::map<std::string, std::string>;

/// A reward that asks copies of the stand-in, which greet in a manner.
struct Asked {
  explicit Asked(const std::string& manner = "well", Options options = {}) {
    options.emplace("command", Json{external_scorer(), manner, (folder / "pids").string()}.dump());
    options.emplace("answer_limit_s", "5");
    reward = make_reward("command", options);
    reward->reach();
  }
  RewardPart of(const std::string& text) const { return Judged{.text = text}.by(*reward); }
  std::size_t starts() const { return pids_in(folder / "pids").size(); }

  TempFolder folder;
  std::unique_ptr<Reward> reward;
};

std::string start_error(const std::string& manner, Options options = {}) {
  return error_of([&] { const Asked asked(manner, options); });
}

/// All of them at once, from as many threads.
std::vector<RewardPart> together(const Asked& asked, const std::vector<std::string>& texts) {
  std::vector<RewardPart> parts(texts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < texts.size(); ++i)
    threads.emplace_back([&, i] { parts[i] = asked.of(texts[i]); });
  for (auto& thread : threads)
    thread.join();
  return parts;
}

double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("command: prompt, completion and row reach the scorer, and its answer is the score",
          "[external]") {
  const Asked asked;
  const Judged all{.text = "echo",
                   .row = {{"answer", "7"}, {"nested", {1, nullptr}}},
                   .prompt = "What \"is\" 3 + 4?\n"};
  const auto part = all.by(*asked.reward);
  CHECK(part.score == 0.25);
  CHECK(Json::parse(part.reason) == Json{{"prompt", "What \"is\" 3 + 4?\n"},
                                         {"row", {{"answer", "7"}, {"nested", {1, nullptr}}}}});
  const auto texts = asked.of("texts");
  CHECK(texts.score == 1.0);
  CHECK(texts.extracted == "42");
  CHECK(texts.reason == "for a reason");
  CHECK(asked.of("word").score == 1.0);
  CHECK(asked.of("word").reason == "a word");
  CHECK(asked.of(std::string("\xff\x00 bytes", 8)).score.has_value());
  CHECK(asked.starts() == 1);
}

TEST_CASE("command: a scorer has the library path from before the package's start script",
          "[external]") {
  const char* own = std::getenv("LD_LIBRARY_PATH");
  const std::string kept = own == nullptr ? "" : own;
  setenv("LD_LIBRARY_PATH", "/ours:/before", 1);
  CHECK(Asked().of("libraries").reason == "/ours:/before");
  setenv("AHA_OUTER_LIBRARY_PATH", "/before", 1);
  CHECK(Asked().of("libraries").reason == "/before");
  setenv("AHA_OUTER_LIBRARY_PATH", "", 1);
  CHECK(Asked().of("libraries").reason == "none");
  unsetenv("AHA_OUTER_LIBRARY_PATH");
  own == nullptr ? unsetenv("LD_LIBRARY_PATH") : setenv("LD_LIBRARY_PATH", kept.c_str(), 1);
}

TEST_CASE("command: what the scorer cannot judge is no score", "[external]") {
  const Asked asked;
  CHECK_FALSE(asked.of("null").score);
  CHECK(asked.of("null").reason == "the scorer cannot judge it");
  CHECK(asked.of("null, because").reason == "no gold");
  CHECK_FALSE(asked.of("text").score);
  CHECK(asked.of("text").reason == "the score is \"high\", expected a number or null");
  CHECK_FALSE(asked.of("not a number").score);
  CHECK(asked.of("not a number").reason == "the score is \"NaN\", expected a number or null");
  CHECK_FALSE(asked.of("no score").score);
  CHECK(asked.of("no score").reason == "an answer without a score");
  CHECK(asked.starts() == 1);
}

TEST_CASE("command: a scorer that ends is started again, and the completion asked once more",
          "[external]") {
  const Asked asked;
  CHECK(asked.of("crash once").score == 0.75);
  CHECK(asked.starts() == 2);
  const auto part = asked.of("crash");
  CHECK_FALSE(part.score);
  CHECK(part.reason == "ended with exit code 3: no more memory");
  CHECK(asked.of("kill").reason == "was ended by signal 9 (Killed)");
  CHECK(asked.of("exit -1").reason == "ended with exit code 255");
  CHECK(asked.of("aaa").score == 0.75);
  CHECK(asked.starts() == 8);
}

TEST_CASE("command: what breaks the protocol cannot be judged, and takes no other answer with it",
          "[external]") {
  const Asked asked("well", {{"retries", "0"}});
  const std::map<std::string, std::string> reasons = {
      {"garbage", "the answer 'what a fine answer': not valid JSON"},
      {"list", "the answer '[1]' is no JSON object"},
      {"huge", "a line of more than 1048576 bytes"},
      {"endless", "a line of more than 1048576 bytes"},
      {"other id", "an answer to 'nobody', which was not asked"},
      {"no id", "an answer to '', which was not asked"},
      {"close", "was ended"}};
  for (const auto& [text, reason] : reasons) {
    INFO(text);
    const auto part = asked.of(text);
    CHECK_FALSE(part.score);
    CHECK_THAT(part.reason, contains(reason));
    CHECK(asked.of("abc").score == 0.75);
  }
  CHECK(asked.starts() == 1 + reasons.size());
}

TEST_CASE("command: a scorer that is slow is ended at the time limit", "[external]") {
  const Asked asked("well", {{"answer_limit_s", "0.3"}});
  const double took = seconds_of([&] {
    const auto part = asked.of("hang");
    CHECK_FALSE(part.score);
    CHECK(part.reason == "no answer within 0.3 s");
  });
  CHECK(took >= 0.3);
  CHECK(took < 3);
  CHECK(asked.of("ab").score == 0.5);
  CHECK(asked.starts() == 2);
}

TEST_CASE("command: answers may come in any order, and each goes to its own completion",
          "[external]") {
  const Asked asked("in pairs", {{"in_flight", "2"}});
  CHECK(asked.reward->concurrency() == 2);
  for (int i = 0; i < 10; ++i) {
    const auto parts = together(asked, {"a", "abc"});
    CHECK(parts[0].score == 0.25);
    CHECK(parts[1].score == 0.75);
  }
  CHECK(asked.starts() == 1);
}

TEST_CASE("command: no answer is overlooked, however fast it comes", "[external]") {
  const Asked asked("well", {{"copies", "2"}, {"in_flight", "2"}, {"answer_limit_s", "3600"}});
  const double took = seconds_of([&] {
    for (int i = 0; i < 250; ++i)
      for (const auto& part : together(asked, {"a", "a", "a", "a"}))
        CHECK(part.score == 0.25);
  });
  CHECK(took < 55);  // one that is overlooked is seen after a minute, when the pool wakes by itself
}

TEST_CASE("command: a request too long in a copy does not harm those beside it", "[external]") {
  // what is beside it is asked again of a new copy, which has to be up and answer within the limit
  const Asked asked("well", {{"in_flight", "3"}, {"answer_limit_s", "1"}});
  // all three are too late at once: whose name comes first is not whose fault it is
  std::vector<RewardPart> parts(3);
  std::vector<std::thread> threads;
  for (const auto& [i, text, id] :
       {std::tuple{0, "hang", "c"}, std::tuple{1, "a", "a"}, std::tuple{2, "ab", "b"}})
    threads.emplace_back([&asked, &parts, i, text, id] {
      parts[static_cast<std::size_t>(i)] = Judged{.text = text, .id = id}.by(*asked.reward);
    });
  for (auto& thread : threads)
    thread.join();
  CHECK_FALSE(parts[0].score);
  CHECK(parts[1].score == 0.25);
  CHECK(parts[2].score == 0.5);
}

TEST_CASE("command: requests that all hang in one copy are given up after their tries",
          "[external]") {
  const Asked asked("well", {{"in_flight", "6"}, {"answer_limit_s", "0.3"}, {"retries", "1"}});
  const double took = seconds_of([&] {
    for (const auto& part : together(asked, std::vector<std::string>(6, "hang")))
      CHECK_FALSE(part.score);
  });
  CHECK(took < 2.5);
  CHECK(asked.starts() <= 4);
}

TEST_CASE("command: more threads than a scorer has room for wait for it as long as it answers",
          "[external]") {
  const Asked asked("well", {{"answer_limit_s", "0.6"}});
  for (const auto& part : together(asked, std::vector<std::string>(8, "sleep 200")))
    CHECK(part.score);
}

TEST_CASE("command: copies work side by side", "[external]") {
  const Asked asked("well", {{"copies", "3"}});
  CHECK(asked.reward->concurrency() == 3);
  CHECK(asked.starts() == 3);
  const double took = seconds_of([&] { together(asked, {"sleep 400", "sleep 400", "sleep 400"}); });
  CHECK(took < 1.0);
}

TEST_CASE("command: a scorer that does not come back is said at once, not waited for",
          "[external]") {
  const Asked asked("fails later", {{"answer_limit_s", "10"}});
  CHECK_FALSE(asked.of("crash").score);
  const double took = seconds_of([&] {
    for (int i = 0; i < 100; ++i) {
      const auto part = asked.of("a");
      CHECK_FALSE(part.score);
      CHECK(part.reason == "the scorer is down: ended with exit code 3: not again");
    }
  });
  CHECK(took < 5);
}

TEST_CASE("command: a scorer that cannot be used is an error at the start", "[external]") {
  CHECK_THAT(start_error("newer"), contains("reward 'command': ") &&
                                       contains("it speaks version 2 of the protocol, expected 1"));
  CHECK_THAT(
      start_error("politely"),
      contains(
          "it answered 'Good morning!', expected {\"protocol\":\"aha-scorer\",\"version\":1}"));
  CHECK_THAT(start_error("ends"), contains("ended with exit code 3: no model here"));
  CHECK_THAT(start_error("deaf", {{"start_limit_s", "0.2"}}), contains("no greeting within 0.2 s"));
  CHECK_THAT(start_error("well", {{"command", "no-such-program x"}}),
             contains("'no-such-program' is not on the PATH, expected a program"));
  CHECK_THAT(start_error("well", {{"command", "'unclosed"}}), contains("expected a list of words"));
  CHECK_THAT(start_error("well", {{"copies", "0"}}),
             contains("expected a whole number of at least 1"));
  CHECK_THAT(start_error("well", {{"copies", "65"}}),
             contains("'copies' is 65, expected at most 64"));
  CHECK_THAT(start_error("well", {{"answer_limit_s", "0"}}),
             contains("'answer_limit_s' is 0, expected seconds above 0 and at most 86400"));
}

TEST_CASE("command: nothing of a scorer is left at the end, whatever it does", "[external]") {
  for (const char* manner : {"well", "stubborn", "with a child", "with a daemon"}) {
    INFO(manner);
    TempFolder folder;
    const auto pids = folder / "pids";
    {
      const auto reward = make_reward(
          "command",
          {{"command", Json{external_scorer(), manner, pids.string()}.dump()}, {"copies", "2"}});
      CHECK(Judged{.text = "a"}.by(*reward).score == 0.25);
      const int all = std::string_view(manner).starts_with("with") ? 4 : 2;
      CHECK(eventually([&] { return alive(pids) >= all; }));
    }
    CHECK(left_over(pids) == 0);
  }
}

TEST_CASE("command: a large request to a scorer that ends is an error of the write, no signal",
          "[external]") {
  const Asked asked("well", {{"retries", "0"}});
  struct sigaction before {};
  sigaction(SIGPIPE, nullptr, &before);
  CHECK(before.sa_handler == SIG_DFL);
  const std::vector<std::string> texts = {"crash", std::string(std::size_t{4} << 20, 'x')};
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(asked.of(texts[0]).score);
    CHECK(asked.of(texts[1]).score == static_cast<double>(texts[1].size() % 7) / 4);
  }
  const Asked pipelined("well", {{"retries", "0"}, {"in_flight", "2"}});
  for (int i = 0; i < 3; ++i)
    together(pipelined, texts);
  CHECK(pipelined.of("a").score == 0.25);
  struct sigaction after {};
  sigaction(SIGPIPE, nullptr, &after);
  CHECK(after.sa_handler == SIG_DFL);
}

TEST_CASE("command: what a scorer says on standard error neither blocks nor fills memory",
          "[external]") {
  const Asked asked;
  CHECK(asked.of("talk").score == 1.0);
  CHECK(asked.of("a").score == 0.25);
}

TEST_CASE("command: words are a list, or a text cut at white space outside of quotation marks",
          "[external]") {
  const auto words = [](const std::string& text) {
    return RewardOptions("r", {{"command", text}}).words("command");
  };
  using Words = std::vector<std::string>;
  CHECK(words("python3  -u\tscorer.py") == Words{"python3", "-u", "scorer.py"});
  CHECK(words(R"(run "a b" c'd e'f "" '$HOME;*')") == Words{"run", "a b", "cd ef", "", "$HOME;*"});
  CHECK(words(R"(["a b","c\"d",""])") == Words{"a b", "c\"d", ""});
  for (const char* bad : {"", "  ", "a 'b", "[]", "[1]", "[\"a\"", "[\"a\",[\"b\"]]"})
    CHECK_THAT(error_of([&] { words(bad); }), contains("expected a list of words"));
}
