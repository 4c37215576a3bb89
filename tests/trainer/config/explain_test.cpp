#include "tests/support/catch.h"
#include "trainer/config/dump.h"
#include "trainer/config/flat_keys.h"
#include "trainer/core/error.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("explain: every key has a meaning, and a type and a default if it is no section",
          "[config]") {
  CHECK(all_keys().size() > 120);
  for (const auto& flat : all_keys()) {
    CAPTURE(flat.path);
    CHECK_FALSE(flat.key.meaning.empty());
    const auto text = explain_key(flat.path);
    CHECK(text.find(flat.path) == 0);
    CHECK(text.find(flat.key.meaning) != std::string::npos);
    if (!flat.type.empty()) CHECK(text.find("default " + flat.value) != std::string::npos);
  }
}

TEST_CASE("explain: no key lists the sections", "[config]") {
  const auto text = explain_key("");
  for (const auto* section :
       {"seed", "output_dir", "model", "data", "rollout", "reward", "objective", "optim", "train",
        "eval", "checkpoint", "log", "comm", "stages"})
    CHECK(text.find(std::string("\n") + section + " ") != std::string::npos);
  CHECK(text.find("objective.beta") == std::string::npos);
}

TEST_CASE("explain: a section lists its keys", "[config]") {
  const auto text = explain_key("objective");
  CHECK(text.find("objective.beta") != std::string::npos);
  CHECK(text.find("objective.epsilon_high") != std::string::npos);
  CHECK(text.find("rollout.") == std::string::npos);
  CHECK(explain_key("data.eval").find("data.eval.NAME.count") != std::string::npos);
}

TEST_CASE("explain: one key, under any of its names", "[config]") {
  CHECK(explain_key("objective.is_cap_high") ==
        "objective.is_cap_high\n  cispo: greatest ratio to the rollout's probability, the cap of "
        "truncated importance sampling\n  a number above 0; default 5\n  TRL's "
        "name: epsilon_high\n");
  CHECK(explain_key("stages.grpo.rollout.top_p") == explain_key("rollout.top_p"));
  CHECK(explain_key("data.eval.held_out.count") == explain_key("data.eval.NAME.count"));
  CHECK(explain_key("reward.functions.0.weight") == explain_key("reward.functions.weight"));
  CHECK(explain_key("objective.loss_type") == explain_key("objective.preset"));
  CHECK(explain_key("objective.preset").find("dapo          epsilon_high: 0.28") !=
        std::string::npos);
  CHECK(explain_key("log.tensorboard").find("may change when a run is resumed") !=
        std::string::npos);
}

TEST_CASE("explain: an unknown key is refused with what is near", "[config]") {
  CHECK_THROWS_WITH(explain_key("objective.bteta"),
                    "unknown key 'objective.bteta', the nearest is 'objective.beta'");
  CHECK_THROWS_WITH(explain_key("beta"), "unknown key 'beta'; there is objective.beta");
  CHECK_THROWS_AS(explain_key("zzzzzzzzzzzzzzzzzzzzzzzzz"), UserError);
}
