#include "trainer/model/resident_weights.h"

#include <cstring>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/model/decoder_support.h"
#include "trainer/core/file.h"

using namespace aha_test;
using aha::FloatType;

namespace {

/// All that the decoder reads, as f32.
std::vector<float> read_by_decoder(aha::ResidentWeights& weights, const aha::ModelConfig& c,
                                   const aha::Ops& ops) {
  std::vector<float> all;
  const auto vector = [&](const float* x, std::int64_t n) { all.insert(all.end(), x, x + n); };
  const auto matrix = [&](const aha::Weight& w, std::int64_t n) {
    all.resize(all.size() + static_cast<std::size_t>(n));
    ops.widen({}, w.rows, w.type, n, &all[all.size() - static_cast<std::size_t>(n)]);
  };
  const auto heads = (c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim;
  const auto edges = weights.edges();
  matrix(edges.embed, c.vocab_size * c.hidden_size);
  vector(edges.final_norm, c.hidden_size);
  matrix(edges.head, c.vocab_size * c.hidden_size);
  for (std::int64_t l = 0; l < c.num_hidden_layers; ++l) {
    const auto w = weights.gather(l);
    vector(w.input_norm, c.hidden_size);
    matrix(w.qkv, heads * c.hidden_size);
    matrix(w.o, c.hidden_size * c.num_attention_heads * c.head_dim);
    vector(w.post_norm, c.hidden_size);
    matrix(w.gate_up, 2 * c.intermediate_size * c.hidden_size);
    matrix(w.down, c.intermediate_size * c.hidden_size);
    if (w.qkv_bias != nullptr) vector(w.qkv_bias, heads);
    if (w.qk_norm != nullptr) vector(w.qk_norm, 2 * c.head_dim);
  }
  return all;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

}  // namespace

TEST_CASE("resident weights: in 16 bits they are what a model folder of that type holds",
          "[model]") {
  const auto& ops = aha::cpu_ops();
  for (const auto& config : bit_configs())
    for (const auto storage : {FloatType::BF16, FloatType::F16}) {
      INFO(config.model_type << " " << aha::float_type_name(storage));
      auto small = varied(config, ops, storage);
      const auto seen = read_by_decoder(small.weights, config, ops);
      auto large = varied(config, ops);
      CHECK_FALSE(same_bits(seen, read_by_decoder(large.weights, config, ops)));

      const TempFolder folder;
      aha::save_model(folder.path(), {config, small.layout, small.weights.values(), storage, {}});
      auto loaded = Model::load(folder.path(), ops);
      CHECK(same_bits(seen, read_by_decoder(loaded.weights, config, ops)));

      // without f32 values beside them, and saved again as the same bytes
      aha::ResidentWeights only(config, small.layout, ops, {}, storage);
      aha::read_weights(folder.path(), small.layout,
                        [&](const aha::Parameter& p, std::int64_t first,
                            std::span<const float> values) { only.put({}, p, first, values); });
      only.publish({});
      CHECK(same_bits(seen, read_by_decoder(only, config, ops)));
      const TempFolder again;
      aha::save_model(again.path(), {config, small.layout, loaded.weights.values(), storage, {}});
      CHECK(aha::read_file(folder / "model.safetensors") ==
            aha::read_file(again / "model.safetensors"));
    }
}

TEST_CASE("resident weights: values that changed are seen after publish", "[model]") {
  const auto& ops = aha::cpu_ops();
  const auto config = toy_config(false);
  auto model = varied(config, ops, FloatType::BF16);
  const auto before = read_by_decoder(model.weights, config, ops);
  for (std::int64_t i = 0; i < model.layout.total; ++i)
    model.weights.data()[i] *= 2;
  CHECK(same_bits(before, read_by_decoder(model.weights, config, ops)));
  model.weights.publish({});
  auto after = read_by_decoder(model.weights, config, ops);
  for (auto& x : after)
    x /= 2;
  CHECK(same_bits(before, after));
}

TEST_CASE("resident weights: a value that fp16 does not reach is refused by name", "[model]") {
  auto model = varied(toy_config(false), aha::cpu_ops(), FloatType::F16);
  const auto& p = model.layout.at("model.layers.1.mlp.down_proj.weight");
  model.weights.data()[p.offset + 5] = -70000.0F;
  CHECK(
      error_of([&] { model.weights.publish({}); }) ==
      "model.storage: model.layers.1.mlp.down_proj.weight holds -70000, which fp16 (at most 65504) "
      "does not reach; use f32");
}
