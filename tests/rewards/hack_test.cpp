// What a policy may write to be paid without an answer, reward by reward; those of `math` alone are in
// math_hack_test.cpp. rewards/README.md has the table.
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const std::string kQuestion =
    "Using the numbers [9, 4, 3], create an equation that equals 8. Return the final answer in "
    "<answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>.";
const std::string kTemplate =
    "The reasoning process and answer are enclosed within <think> </think> and <answer> </answer> "
    "tags, respectively, i.e., <think> reasoning process here </think> <answer> answer here "
    "</answer>. User: " +
    kQuestion + " Assistant:";

double countdown(const std::string& completion) {
  const Json row = {{"nums", {9, 4, 3}}, {"target", 8}};
  return *Judged{completion, row}.by("countdown").score;
}

double judged(const std::string& reward, const std::string& gold, const std::string& completion) {
  return *Judged{completion, {{"answer", gold}}}.by(reward).score;
}

}  // namespace

TEST_CASE("hacks: a copy of the prompt is worth nothing") {
  CHECK(countdown(kTemplate) == 0.0);
  CHECK(countdown("<think>" + kTemplate) == 0.0);
  CHECK(judged("math", "8", kTemplate) == 0.0);
  CHECK(judged("math", "12", "What is 7 + 5? Put your final answer in \\boxed{}.") == 0.0);
  CHECK(judged("numeric", "12", "What is 7 + 5?\n#### <number>") == 0.0);
  for (const std::string format : {"format", "open-r1.format_reward", "trl.think_format_reward",
                                   "mini-r1.format_reward", "nano-aha.format_reward"}) {
    INFO(format);
    CHECK(Judged{kTemplate}.by(format).score == 0.0);
  }
}

TEST_CASE("hacks: three published formats pay for the tags of a prompt, as published") {
  CHECK(Judged{kTemplate}.by("nemo_rl.format_reward").score == 1.0);
  CHECK(Judged{kTemplate}.by("oat.answer_tag_format").score == 1.0);
  const std::string lines =
      "Respond in the following format: <think>\nthoughts\n</think>\n<answer>\nanswer\n</answer>";
  CHECK(Judged{lines}.by("open-r1.tag_count_reward").score == 1.0);
  // gated they do not
  for (const std::string format : {"nemo_rl.format_reward", "oat.answer_tag_format"}) {
    const Json row = {{"nums", {9, 4, 3}}, {"target", 8}};
    CHECK(Judged{kTemplate, row}
              .by("format", {{"variant", format}, {"verifier", "countdown"}})
              .score == 0.0);
  }
}

TEST_CASE("hacks: an empty thought or answer has no format, and no thought no answer") {
  CHECK(Judged{"<think></think> <answer>1</answer>"}.by("format").score == 0.0);
  CHECK(Judged{"<think> \n </think> <answer>1</answer>"}.by("format").score == 0.0);
  CHECK(Judged{"<think>so</think> <answer> </answer>"}.by("format").score == 0.0);
  CHECK(Judged{"<think>so</think> <answer>1</answer>"}.by("format").score == 1.0);
  CHECK(countdown("<think></think> <answer></answer>") == 0.0);
}

TEST_CASE("hacks: tags inside the thought are part of the thought") {
  const std::string right = "<answer> 9 - 4 + 3 </answer>";
  CHECK(countdown("<think> 9 - 4 + 3 </think> " + right) == 1.0);
  CHECK(countdown("<think> " + right + " </think>") == 0.0);
  CHECK(countdown("<think> " + right + " </think> <answer> 9 + 4 + 3 </answer>") == 0.0);
  CHECK(judged("numeric", "8", "<think> #### 8 </think> #### 7") == 0.0);
  CHECK(judged("math", "8", "<think> \\boxed{8} <answer>8</answer> </think> 7") == 0.0);
  CHECK(Judged{"<think> <think> a </think> </think> <answer>1</answer>"}.by("format").score == 0.0);
  CHECK(Judged{"<think> <answer>1</answer> </think>"}.by("format").score == 0.0);
}

TEST_CASE("hacks: of many answers the last counts, and a list is not its right item") {
  CHECK(countdown("<answer>9-4+3</answer> <answer>9+4-3</answer>") == 0.0);
  CHECK(countdown("<answer>9-4+3, 9+4-3</answer>") == 0.0);
  CHECK(countdown("<answer>9-4+3 = 8</answer>") == 0.0);
  CHECK(judged("numeric", "8", "#### 8\n#### 7") == 0.0);
  CHECK(judged("numeric", "8", "8 or 9") == 0.0);
  CHECK(judged("math", "8", "\\boxed{7 \\text{ or } 8}") == 0.0);
}

TEST_CASE("hacks: the gold as part of another number, and other numbers that make it") {
  CHECK(judged("numeric", "8", "#### 88") == 0.0);
  CHECK(judged("numeric", "8", "it is 8.01") == 0.0);
  CHECK(countdown("<answer>8</answer>") == 0.0);
  CHECK(countdown("<answer>4 + 4</answer>") == 0.0);
  CHECK(countdown("<answer>9 - 4 + 3 + 0</answer>") == 0.0);
  CHECK(countdown("<answer>94 - 86</answer>") == 0.0);
  CHECK(countdown("<answer>9 - 4 + 3 * 4 / 4</answer>") == 0.0);
}

TEST_CASE("hacks: a format that is gated pays for right answers alone") {
  const std::map<std::string, std::string> gated = {{"verifier", "math"}};
  const auto score = [&](const std::string& text) {
    return *Judged{text, {{"answer", "8"}}}.by("format", gated).score;
  };
  CHECK(score("<think>so</think> <answer>8</answer>") == 1.0);
  CHECK(score("<think>so</think> <answer>7</answer>") == 0.0);
  CHECK(score("<think>so</think> <answer>8 or 7</answer>") == 0.0);
}

TEST_CASE("hacks: what is said again and again, or cut off, is not rewarded for its length") {
  Judged judged{"so so so so"};
  judged.ids.assign(100, 7);
  judged.length = 100;
  judged.max_completion_length = 100;
  judged.truncated = true;
  CHECK(*judged.by("repetition").score < -0.9);
  CHECK(*judged.by("soft_overlong").score == -1.0);
  judged.row = {{"answer", "8"}};
  judged.text = "it is 8";
  CHECK(*judged.by("cosine_length").score <= -0.5);
}
