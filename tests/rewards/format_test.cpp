#include "rewards/format.h"

#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("format: every variant gives what its published regular expression gives in Python",
          "[format][golden]") {
  const auto golden = read_json(golden_path("formats.json"));
  const auto& names = golden["variants"];
  REQUIRE(names.size() == format_variants().size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto reward = make_reward("format", {{"variant", names[i].get<std::string>()}});
    for (const auto& row : golden["rows"]) {
      INFO(names[i] << " of " << row[0].dump());
      CHECK(*Judged{row[0]}.by(*reward).score == row[i + 1].get<double>());
    }
  }
}

TEST_CASE("format: published cases of TRL, open-r1 and NeMo-RL", "[format][golden]") {
  const auto rows = json_lines(golden_path("format_reward.jsonl"));
  REQUIRE(rows.size() == 27);
  for (const auto& row : rows) {
    INFO(row.dump());
    std::map<std::string, std::string> options;
    if (row.contains("params")) {
      for (const auto& [name, value] : row["params"].items())
        options[name] = value.dump();
    }
    Judged judged{row.value("completion", "")};
    if (row.contains("completion_ids")) {
      judged.ids = row["completion_ids"].get<std::vector<TokenId>>();
      judged.length = std::ssize(judged.ids);
    }
    if (row.contains("completion_len")) judged.length = row["completion_len"];
    const auto part = judged.by(row["spec"].get<std::string>(), options);
    REQUIRE(part.score);
    CHECK(*part.score == Approx(row["expected"].get<double>()).margin(1e-12));
  }
}

TEST_CASE("format: a published rule has the same name in the registry", "[format]") {
  for (const auto& variant : format_variants()) {
    const std::string name = variant.name;
    if (name.find('.') == std::string::npos) continue;  // ours
    INFO(name);
    const std::string text = "<think>\n1\n</think>\n<answer>\n2\n</answer>";
    CHECK(Judged{text}.by(name).score == Judged{text}.by("format", {{"variant", name}}).score);
  }
  CHECK_THAT(error_of([] {
               make_reward("format", {{"variant", "r1"}});
             }),
             contains("expected one of think_answer, hash_answer, open-r1.format_reward"));
}
