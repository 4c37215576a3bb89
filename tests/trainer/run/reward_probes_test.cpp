#include "trainer/run/reward_probes.h"

#include <fstream>

#include "tests/support/error_of.h"

#include "tests/support/temp_folder.h"
#include "tests/trainer/run/toy_job.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::string probed(const ToyJob& job) {
  const auto& stage = *job.stage;
  std::string text;
  for (const auto& line :
       reward_probe_lines({stage.settings, stage.data, *job.policy.tokenizer, *stage.scorer}))
    text += line + "\n";
  return text;
}

/// Two sums and rewards.
struct Sums : RowsOfAFile {
  Sums(const std::string& prompt_template, const std::string& functions)
      : RowsOfAFile(R"({"question": "1+1?", "answer": "2"})"
                    "\n"
                    R"({"question": "2+2?", "answer": "4"})"
                    "\n",
                    prompt_template, functions) {}
  std::string said() const { return probed(ToyJob(settings)); }
};

constexpr const char* kTags =
    "{question} Use <think> </think> and <answer> </answer>, as in <answer> 7 </answer>.";

}  // namespace

TEST_CASE("check: the ideal completion has its tags as the format wants them") {
  for (const std::string format : {"format", "mini-r1.format_reward", "open-r1.format_reward",
                                   "oat.answer_tag_format", "trl.think_format_reward"}) {
    const auto said = Sums(kTags, "{name: math}, {name: " + format + "}").said();
    INFO(said);
    CHECK_THAT(said, contains("gets reward 2, math 1, " + format + " 1\n"));
    CHECK(said.find("warning    what") == std::string::npos);
  }
}

TEST_CASE("check: a format that the prompt does not ask for is named, on every row tried") {
  const auto said = Sums("{question}", "{name: math}, {name: format, weight: 0.5}").said();
  CHECK_THAT(said,
             contains("warning    what the prompt asks for is not right to the reward: on 2 of "
                      "2 rows format gives the ideal completion 0 (") &&
                 contains("rows.jsonl:1\n"));
  // accuracy counts whatever it weighs
  const auto wrong = "{name: numeric, weight: 0, extraction: answer_tag}, {name: length}";
  CHECK_THAT(Sums("{question} \\boxed{{}}", wrong).said(),
             contains("on 2 of 2 rows numeric gives the ideal completion 0 ("));
  // another format that weighs nothing is only told
  CHECK(Sums("{question}", "{name: math}, {name: format, weight: 0}")
            .said()
            .find("the ideal completion") == std::string::npos);
}

TEST_CASE("check: what pays for a copy of the prompt is named, right or not") {
  const auto said = Sums(kTags, "{name: math}, {name: nemo_rl.format_reward}").said();
  CHECK_THAT(
      said, contains("copied     a reward above 0 on 2 of 2 prompts, right on 0\n"
                     "warning    a copy of the prompt should not be paid, as nemo_rl.format_reward "
                     "does\n"));
}

TEST_CASE("check: a scorer that judges nothing is an error, and no fault of a row") {
  // greets, and answers that it cannot judge
  const std::string silent =
      R"({name: command, command: [sed, -u, 's/,"prompt".*/,"score":null}/']})";
  CHECK_THAT(error_of([&] { Sums(kTags, silent).said(); }),
             contains("completions that the rewards were tried on could be judged; the first: "
                      "command: "));
}

TEST_CASE("check: every gold of a file is tried") {
  Sums sums("{question}", "{name: math, extraction: choice}");
  std::ofstream rows(sums.folder / "rows.jsonl");
  for (int i = 0; i < 2100; ++i)
    rows << R"({"question": "1", "answer": "A"})"
         << "\n";
  rows << R"({"question": "1", "answer": "K"})"
       << "\n";
  rows.close();
  CHECK_THAT(error_of([&] { sums.said(); }),
             contains("rows.jsonl:2101: \"K\"\n1 of 2,101 golds are not right"));
}

TEST_CASE("check: the ideal completion is right; an empty one and a copy of the prompt are not") {
  const auto said = probed(ToyJob());
  CHECK_THAT(said, contains("countdown_wait 1, length -"));
  CHECK_THAT(said, contains("empty      a reward above 0 on 0 of 200 prompts, right on 0\n"));
  CHECK_THAT(said, contains("copied     a reward above 0 on 0 of 200 prompts, right on 0\n"));
  CHECK(said.find("warning") == std::string::npos);
}

TEST_CASE(
    "check: a gold that its reward does not accept is refused, and a prompt that is its answer "
    "named") {
  TempFolder folder;
  std::ofstream(folder / "rows.jsonl") << R"({"question": "A", "answer": "A"})"
                                       << "\n"
                                       << R"({"question": "K", "answer": "K"})"
                                       << "\n";
  std::ofstream(folder / "tokenizer.json")
      << R"({"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"<eos>": 0, "?": 1, "A": 2, "K": 3}},
             "pre_tokenizer": {"type": "WhitespaceSplit"},
             "added_tokens": [{"id": 0, "content": "<eos>", "special": true}]})";
  const std::vector<std::string> settings = {
      "model.tokenizer=" + folder.path().string(),
      "data.train={path: " + (folder / "rows.jsonl").string() + "}",
      "reward.functions=[{name: math, extraction: choice}]", "reward.accuracy=math"};
  CHECK_THAT(
      error_of([&] { probed(ToyJob(settings)); }),
      contains("rows.jsonl:2: \"K\"\n1 of 2 golds are not right even when they are the answer") &&
          contains("data.max_invalid: 1"));
  auto kept = settings;
  kept.emplace_back("data.max_invalid=1");
  const auto said = probed(ToyJob(kept));
  CHECK_THAT(said, contains("gold       1 of 2 golds are right when they are the answer") &&
                       contains("such a row cannot be solved: the first is "));
  CHECK_THAT(said, contains("copied     a reward above 0 on 1 of 2 prompts, right on 1, first ") &&
                       contains("warning    a copy of the prompt should not be right"));
}
