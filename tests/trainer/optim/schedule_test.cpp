#include "trainer/optim/schedule.h"

#include "tests/support/catch.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"

using namespace aha;

TEST_CASE("schedule: every rate equals transformers'") {
  const Json golden = read_json(AHA_SOURCE_DIR "/tests/golden/optim/schedule.json");
  REQUIRE(golden.at("schedules").size() > 10);
  for (const auto& row : golden.at("schedules")) {
    OptimConfig config;
    config.learning_rate = golden.at("learning_rate").get<double>();
    config.lr_scheduler_type = row.at("type").get<std::string>();
    config.warmup_steps = row.at("warmup").get<std::int64_t>();
    config.min_lr_ratio = row.at("min_lr_ratio").get<double>();
    const auto total = row.at("total").get<std::int64_t>();
    INFO(row.at("function") << " warmup " << config.warmup_steps << " total " << total);
    const auto rates = row.at("rates").get<std::vector<double>>();
    for (std::size_t step = 0; step < rates.size(); ++step)
      CHECK(learning_rate_at(static_cast<std::int64_t>(step), config, total) ==
            Approx(rates[step]).epsilon(1e-12).margin(1e-18));
  }
}

TEST_CASE("schedule: stays at its end after the last step") {
  OptimConfig config;
  config.learning_rate = 1.0;
  config.min_lr_ratio = 0.1;
  for (const char* type : {"linear", "cosine"}) {
    config.lr_scheduler_type = type;
    for (const std::int64_t step : {10, 11, 1000})
      CHECK(learning_rate_at(step, config, 10) == Approx(0.1));
  }
}

TEST_CASE("schedule: an explicit length stands in the place of the run's") {
  OptimConfig config;
  config.learning_rate = 1.0;
  config.lr_scheduler_type = "linear";
  config.lr_scheduler_steps = 100;
  CHECK(learning_rate_at(50, config, 60) == Approx(0.5));
  CHECK(learning_rate_at(50, config, 600) == learning_rate_at(50, config, 60));
}

TEST_CASE("schedule: a warm-up as long as the run divides by nothing") {
  OptimConfig config;
  config.learning_rate = 1.0;
  config.warmup_steps = 10;
  for (const char* type : {"constant", "linear", "cosine"}) {
    config.lr_scheduler_type = type;
    CHECK(learning_rate_at(0, config, 10) == 0.0);
    CHECK(learning_rate_at(9, config, 10) == Approx(0.9));
  }
}

TEST_CASE("schedule: a negative step or an unknown type is our bug") {
  OptimConfig config;
  CHECK_THROWS_AS(learning_rate_at(-1, config, 10), InternalError);
  config.lr_scheduler_type = "polynomial";
  CHECK_THROWS_AS(learning_rate_at(0, config, 10), InternalError);
}
