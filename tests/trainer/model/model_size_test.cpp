#include "trainer/model/model_size.h"

#include "tests/support/catch.h"
#include "tests/trainer/model/decoder_support.h"
#include "trainer/model/parameters.h"

using namespace aha;
using namespace aha_test;

namespace {

/// Shapes of published config.json files.
ModelConfig shape(const char* type, std::int64_t C, std::int64_t F, std::int64_t L, bool tied) {
  ModelConfig config;
  config.model_type = type;
  config.hidden_size = C;
  config.intermediate_size = F;
  config.num_hidden_layers = L;
  config.tie_word_embeddings = tied;
  return config;
}

ModelConfig with_heads(ModelConfig config, std::int64_t H, std::int64_t Hk, std::int64_t D,
                       std::int64_t V) {
  config.num_attention_heads = H;
  config.num_key_value_heads = Hk;
  config.head_dim = D;
  config.vocab_size = V;
  return config;
}

}  // namespace

TEST_CASE("model size: parameters are those that the published models have") {
  const auto parameters = [](const ModelConfig& config) { return model_size(config).parameters; };
  // the counts on the models' pages and of num_parameters() in transformers
  CHECK(parameters(with_heads(shape("qwen2", 896, 4864, 24, true), 14, 2, 64, 151936)) ==
        494'032'768);
  CHECK(parameters(with_heads(shape("qwen2", 1536, 8960, 28, true), 12, 2, 128, 151936)) ==
        1'543'714'304);
  CHECK(parameters(with_heads(shape("qwen2", 3584, 18944, 28, false), 28, 4, 128, 152064)) ==
        7'615'616'512);
  CHECK(parameters(with_heads(shape("qwen2", 5120, 13824, 48, false), 40, 8, 128, 152064)) ==
        14'770'033'664);
  CHECK(parameters(with_heads(shape("qwen3", 1024, 3072, 28, true), 16, 8, 128, 151936)) ==
        596'049'920);
  CHECK(parameters(with_heads(shape("llama", 576, 1536, 30, true), 9, 3, 64, 49152)) ==
        134'515'008);
}

TEST_CASE("model size: equals the layout of every family, tied and not") {
  for (const auto& family : families())
    for (const bool tied : {false, true}) {
      auto config = with_heads(shape("", 32, 48, 3, tied), 4, 2, 8, 50);
      config.model_type = family.model_type;
      INFO(family.model_type);
      const ModelSize size = model_size(config);
      const ParameterLayout layout = make_layout(config);
      CHECK(size.parameters == layout.total);
      CHECK(size.block_parameters == layout.blocks[1].input_norm - layout.blocks[0].input_norm);
    }
}

TEST_CASE("model size: keys and values of a position, and what training keeps of a row") {
  const auto config = with_heads(shape("qwen2", 896, 4864, 24, true), 14, 2, 64, 151936);
  CHECK(model_size(config).kv_elements * 2 == 12'288);  // bytes in 16 bits, as engines report it
  CHECK(model_size(config).kv_elements * 4 * kKvBlock == KvCache::bytes_for(config, 1));
}

TEST_CASE("model size: what is kept does not grow on the way back, however wide attention is",
          "[model]") {
  auto config = toy_family("qwen3");
  config.intermediate_size = 32;  // 4 heads of 20: more than gate and up together
  Model model = varied(config, aha::cpu_ops());
  const Rows rows({std::vector<aha::TokenId>(100, 3)});
  TrainingPass pass(model);
  pass.forward(rows.batch(), std::vector<std::int64_t>(100, 1));
  const std::int64_t kept = pass.kept_bytes();
  (void)pass.backward(std::vector<float>(100, 1.0F), std::vector<float>(100, 1.0F));
  CHECK(pass.kept_bytes() == kept);
  // beside keys, values and their derivatives, which are of blocks of 16 rows
  const auto row = aha::training_row(config, false);
  const std::int64_t blocks = rows.num_blocks * aha::kKvBlock * 2 * 2 * 20 * 4;
  CHECK(pass.scratch_bytes() == 4 * 100 * (row.block + row.back) + blocks);
}
