#include "trainer/run/sample_advice.h"

#include "tests/support/catch.h"
#include "tests/support/error_of.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// Four prompts with two completions each, all alike but for what a test changes.
struct Samples {
  Samples() {
    RewardSection section;
    section.functions = {{"math", 1.0, {}, {}}, {"format", 0.2, {}, {}}};
    scorer = std::make_unique<Scorer>(section);
    for (int g = 0; g < 4; ++g) {
      auto& group = groups.emplace_back();
      group.prompt.fields = {{"answer", "7"}};
      for (int i = 0; i < 2; ++i)
        add(group, "<think>a</think> <answer>7</answer>", FinishReason::Stop);
    }
  }

  static void add(Group& group, const std::string& text, FinishReason finish) {
    auto& made = group.completions.emplace_back();
    made.text = text;
    made.ids.assign(10, 1);
    made.finish = finish;
  }

  void write_all(const std::string& text, FinishReason finish = FinishReason::Stop) {
    for (auto& group : groups) {
      for (auto& completion : group.completions) {
        completion.text = text;
        completion.finish = finish;
      }
    }
  }

  std::string said() {
    scorer->score_groups(groups, 10);
    std::string text;
    for (const auto& line : sample_lines(sample_counts(groups, *scorer), 10))
      text += line + "\n";
    return text;
  }

  std::unique_ptr<Scorer> scorer;
  std::vector<Group> groups;
};

}  // namespace

TEST_CASE("samples: shares are those of the completions and groups") {
  Samples samples;
  for (int g = 0; g < 3; ++g)
    samples.groups[static_cast<std::size_t>(g)].completions[0].text = "it is 8";
  samples.groups[3].completions[0].finish = FinishReason::Length;
  CHECK(samples.said() ==
        "samples    8 completions of 4 prompts, 10 tokens on average\n"
        "truncated  12 % (1 of 8)\n"
        "format     62 % (5 of 8)\n"
        "answers    found in 100 % (8 of 8), accuracy 0.625\n"
        "groups     75 % (3 of 4) have rewards that differ: only those teach; all right 1, all "
        "wrong 0\n");
}

TEST_CASE("samples: each way to learn nothing has its advice") {
  Samples samples;
  CHECK_THAT(samples.said(), contains("too easy: 100 % (4 of 4)"));
  samples.write_all("<think>a</think> <answer>8</answer>");
  CHECK_THAT(samples.said(), contains("too hard: 100 % (4 of 4)") && contains("accuracy 0.000"));
  samples.write_all("<think> so", FinishReason::Length);
  CHECK_THAT(samples.said(), contains("too short: 100 % (8 of 8) are cut off") &&
                                 contains("check template and stop ids") &&
                                 contains("the format is not met: 0 % (0 of 8)"));
  samples.write_all("\\boxed{7} and now, another problem:", FinishReason::Length);
  CHECK_THAT(samples.said(), contains("the end is missed: 100 % (8 of 8) are cut off at 10") &&
                                 contains("rollout.stop_token_ids"));
}

TEST_CASE(
    "samples: accuracy is of what was judged, and answers are counted where a verifier says them") {
  Samples samples;
  samples.scorer->score_groups(samples.groups, 10);
  for (auto& group : samples.groups) {
    group.scores[0].accuracy.reset();
    group.scores[0].total.reset();
    for (auto& score : group.scores)
      for (auto& part : score.parts)
        part.extracted.clear();
  }
  const auto counts = sample_counts(samples.groups, *samples.scorer);
  std::string text;
  for (const auto& line : sample_lines(counts, 10))
    text += line + "\n";
  CHECK_THAT(text, contains("answers    accuracy 1.000\n") && contains("unjudged   50 % (4 of 8)"));
}
