#include "scripts/bench/gpu/floors.h"

#include "tests/support/catch.h"
#include "trainer/core/error.h"

using namespace aha_bench;

TEST_CASE("floors: nano-vllm's lengths are those that its README counts") {
  CHECK(nv256().prompt_tokens() == 142'827);
  CHECK(nv256().output_tokens() == 133'966);
  CHECK(nv256(16).prompts.size() == 256);
}

TEST_CASE("floors: shapes have the parameters of the published models") {
  CHECK(aha::model_size(shape_named("0.5b")).parameters == 494'032'768);
  CHECK(aha::model_size(shape_named("1.5b")).parameters == 1'543'714'304);
  CHECK(aha::model_size(shape_named("0.6b")).parameters == 596'049'920);
}

TEST_CASE("floors: a step reads or multiplies all weights, and reads the keys and values") {
  aha::ModelSize model;
  model.layers = 2;
  model.block_weights = 300;
  model.head_weights = 400;
  model.kv_elements = 10;
  const Peaks peaks{1000, 4000};
  CHECK(decode_floor(model, peaks, 1, 0) == Approx(2.0));     // 1000 weights of 2 bytes
  CHECK(decode_floor(model, peaks, 100, 0) == Approx(50.0));  // 2 FLOP each a row
  CHECK(decode_floor(model, peaks, 1, 7) == Approx(2.14));
  // prompts of 3 and 4 tokens through the blocks; then both rows, then one: the first token is the prompt's
  const double floor = rollout_floor(model, peaks, {{3, 4}, {2, 3}});
  CHECK(floor == Approx(2 * 600 * 7 / 4000.0 + decode_floor(model, peaks, 2, 4 + 5) +
                        decode_floor(model, peaks, 1, 6)));
  CHECK(train_floor(model, peaks, 10, 5) == Approx(6 * (600 * 10 + 400 * 5) / 4000.0));
}

TEST_CASE("floors: a shape that is not known is the user's error") {
  CHECK_THROWS_AS(shape_named("7b"), aha::UserError);
}
