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

}  // namespace

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
