#include "trainer/model/parameters.h"

#include <ATen/ops/equal.h>

#include <cmath>

#include "tests/support/catch.h"
#include "tests/trainer/model/support.h"
#include "trainer/core/json.h"
#include "trainer/core/philox.h"
#include "trainer/model/safetensors.h"

using namespace aha;
using aha_test::golden;

TEST_CASE("make_layout: names, shapes and order of a tied model", "[model]") {
  const auto layout = make_layout(read_model_config(golden("model/tied")));
  REQUIRE(layout.parameters.size() == 20);
  const char* const block[] = {"input_layernorm",  "self_attn.q_proj", "self_attn.k_proj",
                               "self_attn.v_proj", "self_attn.o_proj", "post_attention_layernorm",
                               "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
  CHECK(layout.parameters[0].name == "model.embed_tokens.weight");
  for (std::size_t i = 0; i < 18; ++i)
    CHECK(layout.parameters[1 + i].name ==
          "model.layers." + std::to_string(i / 9) + "." + block[i % 9] + ".weight");
  CHECK(layout.parameters[19].name == "model.norm.weight");
  CHECK(layout.find("lm_head.weight") == nullptr);
  CHECK(layout.head == layout.embed);

  using Shape = std::vector<std::int64_t>;
  CHECK(layout.at("model.embed_tokens.weight").shape == Shape{50, 32});
  CHECK(layout.at("model.layers.1.self_attn.q_proj.weight").shape == Shape{32, 32});
  CHECK(layout.at("model.layers.1.self_attn.k_proj.weight").shape == Shape{16, 32});
  CHECK(layout.at("model.layers.1.mlp.down_proj.weight").shape == Shape{32, 48});
}

TEST_CASE("make_layout: a family's tensors are those that transformers stores", "[model][golden]") {
  const auto* const name = GENERATE("llama3", "qwen2", "qwen3", "mistral", "phi3", "phi3_longrope");
  INFO(name);
  const auto folder = golden(std::string("model/") + name);
  const auto layout = make_layout(read_model_config(folder));
  const SafetensorsFile file(folder / "model.safetensors");
  CHECK(layout.parameters.size() == file.tensors().size());
  std::int64_t next = 0;
  for (const auto& p : layout.parameters) {
    INFO(p.name);
    REQUIRE(file.find(p.name) != nullptr);
    CHECK(p.shape == file.find(p.name)->shape);
    CHECK(p.offset == next);
    CHECK(p.decay == (p.shape.size() == 2));
    next += p.size;
  }
}

TEST_CASE("init_parameters: biases are 0, norms of heads 1", "[model]") {
  const auto check = [](const char* name, const char* parameter, float wanted) {
    const auto config = read_model_config(golden(name));
    const auto layout = make_layout(config);
    const auto values = init_parameters(layout, config, 1);
    const auto& p = layout.at(parameter);
    for (std::int64_t i = 0; i < p.size; ++i)
      CHECK(values.const_data_ptr<float>()[p.offset + i] == wanted);
  };
  check("model/qwen2", "model.layers.1.self_attn.k_proj.bias", 0.0F);
  check("model/qwen3", "model.layers.0.self_attn.q_norm.weight", 1.0F);
}

TEST_CASE("make_layout: the number of parameters is transformers'", "[model][golden]") {
  const auto index = read_json(golden("model/tied_bf16_sharded/model.safetensors.index.json"));
  CHECK(make_layout(read_model_config(golden("model/tied"))).total ==
        index["metadata"]["total_parameters"]);
  CHECK(make_layout(read_model_config(golden("stories260K"))).total == 260032);
}

TEST_CASE("make_layout: parameters tile the buffer and neighbours form one matrix", "[model]") {
  const auto layout = make_layout(read_model_config(golden("model/untied")));
  std::int64_t next = 0;
  for (const auto& p : layout.parameters) {
    CHECK(p.offset == next);
    CHECK(p.trainable);
    CHECK(p.decay == (p.shape.size() == 2));
    next += p.size;
  }
  CHECK(next == layout.total);
  CHECK(layout.head == layout.at("lm_head.weight").offset);
  CHECK(layout.final_norm == layout.at("model.norm.weight").offset);
  REQUIRE(layout.blocks.size() == 2);
  const std::string prefix = "model.layers.1.";
  const auto& b = layout.blocks[1];
  const auto at = [&](const char* name) { return layout.at(prefix + name + ".weight").offset; };
  CHECK(b.input_norm == at("input_layernorm"));
  CHECK(b.qkv == at("self_attn.q_proj"));
  CHECK(b.qkv + std::int64_t{64} * 32 == at("self_attn.k_proj"));
  CHECK(b.qkv + std::int64_t{96} * 32 == at("self_attn.v_proj"));
  CHECK(b.o == at("self_attn.o_proj"));
  CHECK(b.post_norm == at("post_attention_layernorm"));
  CHECK(b.gate_up == at("mlp.gate_proj"));
  CHECK(b.gate_up + std::int64_t{48} * 32 == at("mlp.up_proj"));
  CHECK(b.down == at("mlp.down_proj"));
}

TEST_CASE("init_parameters: norms are 1, the rest is normal and keyed by element", "[model]") {
  auto config = read_model_config(golden("stories260K"));
  config.initializer_range = 0.05;
  const auto layout = make_layout(config);
  const auto values = init_parameters(layout, config, 7);
  REQUIRE(values.numel() == layout.total);
  const auto* data = values.const_data_ptr<float>();

  const auto& norm = layout.at("model.layers.2.input_layernorm.weight");
  for (std::int64_t i = 0; i < norm.size; ++i)
    CHECK(data[norm.offset + i] == 1.0F);

  const auto& up = layout.parameters[8];
  CHECK(up.name == "model.layers.0.mlp.up_proj.weight");
  for (const std::uint64_t e : {0U, 1U, 5000U})
    CHECK(data[static_cast<std::uint64_t>(up.offset) + e] ==
          static_cast<float>(
              0.05 * normal({.seed = 7, .purpose = Purpose::Init, .ordinal = 8, .position = e})));

  // 32,768 values: the standard error of their mean is 0.05/181, of their deviation 0.05/256
  double sum = 0.0;
  double squares = 0.0;
  const auto& embed = layout.parameters[0];
  for (std::int64_t i = 0; i < embed.size; ++i) {
    sum += static_cast<double>(data[i]);
    squares += static_cast<double>(data[i]) * static_cast<double>(data[i]);
  }
  const auto n = static_cast<double>(embed.size);
  CHECK(std::abs(sum / n) < 4 * 0.05 / 181);
  CHECK(std::abs(std::sqrt(squares / n) - 0.05) < 4 * 0.05 / 256);
}

TEST_CASE("init_parameters: the number of threads changes nothing, the seed everything",
          "[model]") {
  const auto config = read_model_config(golden("stories260K"));
  const auto layout = make_layout(config);
  ThreadPool pool(3);
  const auto alone = init_parameters(layout, config, 1);
  CHECK(at::equal(alone, init_parameters(layout, config, 1, Exec{&pool})));
  CHECK_FALSE(at::equal(alone, init_parameters(layout, config, 2)));
}

TEST_CASE("init_parameters: another size elsewhere leaves a parameter alone", "[model]") {
  auto config = read_model_config(golden("model/tied"));
  const auto small = make_layout(config);
  const auto before = init_parameters(small, config, 5);
  config.vocab_size = 80;
  const auto large = make_layout(config);
  const auto after = init_parameters(large, config, 5);
  const std::string name = "model.layers.1.self_attn.k_proj.weight";
  CHECK(at::equal(parameter_view(before, small.at(name)), parameter_view(after, large.at(name))));
}
