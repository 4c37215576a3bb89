#include "trainer/model/model_config.h"

#include "tests/support/catch.h"
#include "tests/support/fuzz.h"
#include "tests/trainer/model/config_support.h"
#include "trainer/core/file.h"

using namespace aha;
using namespace aha_test;

TEST_CASE("read_model_config: what transformers 5 wrote is read", "[model][golden]") {
  const auto c = read_model_config(golden("model/untied"));
  CHECK(c.vocab_size == 50);
  CHECK(c.hidden_size == 32);
  CHECK(c.num_hidden_layers == 2);
  CHECK(c.num_attention_heads == 4);
  CHECK(c.num_key_value_heads == 2);
  CHECK(c.head_dim == 16);
  CHECK(c.intermediate_size == 48);
  CHECK(c.max_position_embeddings == 64);
  CHECK(c.rope_theta == 500000.0);
  CHECK(c.rms_norm_eps == 1e-6);
  CHECK_FALSE(c.tie_word_embeddings);
  CHECK(c.bos_token_id == 1);
  CHECK(c.eos_token_ids == std::vector<std::int64_t>{2});
  CHECK(c.pad_token_id == 0);
  CHECK(c.dtype == "float32");
  CHECK(read_model_config(golden("stories260K")).eos_token_ids == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("read_model_config: what transformers 4 wrote is read", "[model]") {
  const TempFolder folder;
  const auto c = read(folder, kVersion4);
  CHECK(c.head_dim == 4);
  CHECK(c.num_key_value_heads == 3);
  CHECK(c.rope_theta == 100000.0);
  CHECK(c.initializer_range == 0.041666666666666664);
  CHECK(c.tie_word_embeddings);
  CHECK(c.eos_token_ids == std::vector<std::int64_t>{0});
  CHECK_FALSE(c.pad_token_id);
  CHECK(c.dtype == "bfloat16");
}

TEST_CASE("read_model_config: both dialects of one thing mean the same", "[model]") {
  const TempFolder folder;
  const auto plain = read(folder, kVersion4);
  const auto* const patch = GENERATE(
      R"({"rope_theta": null, "rope_parameters": {"rope_theta": 1e5, "rope_type": "default"}})",
      R"({"rope_scaling": {"type": "default"}})", R"({"rope_scaling": {"rope_type": "default"}})",
      R"({"rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"}})",
      R"({"torch_dtype": null, "dtype": "bfloat16"})", R"({"head_dim": null})",
      R"({"head_dim": 4})", R"({"eos_token_id": [0]})", R"({"pad_token_id": -1})",
      R"({"layer_types": ["full_attention", "full_attention", "full_attention"]})",
      R"({"use_sliding_window": false, "sliding_window": null, "quantization_config": null})",
      R"({"is_causal": true, "text_config": null})");
  INFO(patch);
  CHECK(read(folder, patched(patch)) == plain);
}

TEST_CASE("read_model_config: generation_config.json overrides the special ids", "[model]") {
  const TempFolder folder;
  write_text(folder / "generation_config.json", R"({"bos_token_id": 7, "eos_token_id": [3, 4]})");
  const auto c = read(folder, patched(R"({"pad_token_id": 9})"));
  CHECK(c.bos_token_id == 7);
  CHECK(c.eos_token_ids == std::vector<std::int64_t>{3, 4});
  CHECK(c.pad_token_id == 9);

  write_text(folder / "generation_config.json", R"({"eos_token_id": 100})");
  CHECK(error_of([&] { read_model_config(folder.path()); }) ==
        (folder / "generation_config.json").string() +
            ": 'eos_token_id' is 100, expected an id in [0, 100)");
}

TEST_CASE("read_model_config: what this decoder does not do is refused by name", "[model]") {
  struct Row {
    const char* patch;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"model_type": "gemma2"})",
       R"('model_type' is "gemma2", expected one of "llama", "qwen2", "qwen3", "mistral", "phi3")"},
      {R"({"model_type": null})",
       R"('model_type' is missing, expected one of "llama", "qwen2", "qwen3", "mistral", "phi3")"},
      {R"({"architectures": ["LlamaForSequenceClassification"]})",
       R"('architectures' is ["LlamaForSequenceClassification"], expected ["LlamaForCausalLM"])"},
      {R"({"hidden_act": "gelu"})", R"('hidden_act' is "gelu", expected "silu")"},
      {R"({"attention_bias": true})", "'attention_bias' is true, expected false"},
      {R"({"mlp_bias": true})", "'mlp_bias' is true, expected false"},
      {R"({"attention_dropout": 0.1})", "'attention_dropout' is 0.1, expected 0.0"},
      {R"({"use_sliding_window": true})", "'use_sliding_window' is true, expected false"},
      {R"({"is_causal": false})", "'is_causal' is false, expected true"},
      {R"({"text_config": {"hidden_size": 8}})",
       R"('text_config' is {"hidden_size":8}, expected nothing: a model of text and more is not built)"},
      {R"({"partial_rotary_factor": 0.5})", "'partial_rotary_factor' is 0.5, expected 1.0"},
      {R"({"quantization_config": {"bits": 4}})",
       R"('quantization_config' is {"bits":4}, expected nothing: quantised weights are not read)"},
      {R"({"num_experts": 8})",
       "'num_experts' is 8, expected nothing: mixtures of experts are not built"},
      {R"({"sliding_window": 4096})", "'sliding_window' is 4096, expected nothing: llama has none"},
      {R"({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}})",
       R"('rope_scaling.rope_type' is "dynamic", expected "default", "linear", "llama3" or "longrope")"},
      {R"({"rope_scaling": {"type": "su"}})",
       R"('rope_scaling.type' is "su", expected "default", "linear", "llama3" or "longrope")"},
      {R"({"rope_parameters": {"rope_type": "yarn"}})",
       R"('rope_parameters.rope_type' is "yarn", expected "default", "linear", "llama3" or "longrope")"},
      {R"({"rope_scaling": {"rope_type": "linear", "type": "default", "factor": 2}})",
       R"('rope_scaling.type' is "default", expected "linear" as 'rope_type' says)"},
      {R"({"rope_scaling": {"type": "linear"}})",
       "'rope_scaling.factor' is missing, expected a number"},
      {R"({"rope_scaling": {"type": "linear", "factor": 0.5}})",
       "'rope_scaling.factor' is 0.5, expected a number in [1, 1000000]"},
      {R"({"rope_scaling": {"type": "linear", "factor": 2, "beta_fast": 32}})",
       R"('rope_scaling.beta_fast' is 32, expected nothing: rope_type "linear" has no such key)"},
      {R"({"rope_scaling": {"\u0000x": 2}})",
       R"('rope_scaling.\u0000x' is 2, expected nothing: rope_type "default" has no such key)"},
      {R"({"rope_scaling": {"factor": 2}})",
       R"('rope_scaling.factor' is 2, expected nothing: rope_type "default" has no such key)"},
      {R"({"rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"rope_type": "linear", "factor": 3}})",
       R"('rope_parameters' is {"factor":3,"rope_type":"linear"}, expected the same scaling as in 'rope_scaling')"},
      {R"({"rope_scaling": {"rope_type": "llama3", "factor": 32}})",
       "'rope_scaling.low_freq_factor' is missing, expected a number\n"
       "'rope_scaling.high_freq_factor' is missing, expected a number"},
      {R"({"rope_scaling": {"rope_type": "llama3", "factor": 32, "low_freq_factor": 4, "high_freq_factor": 4, "original_max_position_embeddings": 1}})",
       "'rope_scaling.high_freq_factor' is 4, expected more than 'low_freq_factor' 4\n"
       "'original_max_position_embeddings' is 1, expected an integer in [2, 4194304]"},
      {R"({"rope_parameters": {"rope_theta": 10000.0}})",
       "'rope_parameters.rope_theta' is 10000 but 'rope_theta' is 100000, expected the same"},
      {R"({"rope_parameters": 3})", "'rope_parameters' is 3, expected an object or null"},
      {R"({"layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
       R"('layer_types' is ["full_attention","sliding_attention","full_attention"], expected "full_attention" for every layer)"},
      {R"({"layer_types": ["full_attention"]})",
       R"('layer_types' is ["full_attention"], expected a list with one entry per hidden layer)"},
      {R"({"torch_dtype": "float8_e4m3fn"})",
       R"('torch_dtype' is "float8_e4m3fn", expected "float32", "bfloat16" or "float16")"},
  }));
  CHECK(problem(patched(row.patch)) == row.says);
}

TEST_CASE("read_model_config: hostile sizes are refused by name", "[model]") {
  struct Row {
    const char* patch;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"hidden_size": -36})", "'hidden_size' is -36, expected an integer in [1, 1048576]"},
      {R"({"vocab_size": 0})", "'vocab_size' is 0, expected an integer in [1, 16777216]"},
      {R"({"num_hidden_layers": 1e18})", "'num_hidden_layers' is 1e+18, expected an integer"},
      {R"({"num_hidden_layers": 9223372036854775807})",
       "'num_hidden_layers' is 9223372036854775807, expected an integer in [1, 4096]"},
      {R"({"intermediate_size": 18446744073709551615})",
       "'intermediate_size' is 18446744073709551615, expected an integer"},
      {R"({"hidden_size": "36"})", "'hidden_size' is \"36\", expected an integer"},
      {R"({"intermediate_size": null})", "'intermediate_size' is missing, expected an integer"},
      {R"({"num_attention_heads": 8})",
       "'num_attention_heads' is 8, expected a divisor of 'hidden_size' 36\n"
       "'num_key_value_heads' is 3, expected a divisor of 'num_attention_heads' 8"},
      {R"({"num_key_value_heads": 0})",
       "'num_key_value_heads' is 0, expected an integer in [1, 4096]"},
      {R"({"head_dim": 3})",
       "'head_dim' is 3, expected an even number (rotary embedding turns pairs)"},
      {R"({"max_position_embeddings": 1000000000000})",
       "'max_position_embeddings' is 1000000000000, expected an integer in [1, 4194304]"},
      {R"({"rms_norm_eps": 0})", "'rms_norm_eps' is 0, expected a number in [1e-12, 0.1]"},
      {R"({"rope_theta": -1})", "'rope_theta' is -1, expected a number in [1, 1000000000000]"},
      {R"({"rope_theta": "1e4"})", "'rope_theta' is \"1e4\", expected a number"},
      {R"({"tie_word_embeddings": 1})", "'tie_word_embeddings' is 1, expected true or false"},
      {R"({"eos_token_id": 100})", "'eos_token_id' is 100, expected an id in [0, 100)"},
      {R"({"eos_token_id": [0, "1"]})",
       "'eos_token_id' is [0,\"1\"], expected an integer or a list of integers"},
      {R"({"bos_token_id": -2})", "'bos_token_id' is -2, expected an id in [0, 100)"},
      {R"({"hidden_size": "x", "vocab_size": true})",
       "'vocab_size' is true, expected an integer\n'hidden_size' is \"x\", expected an integer"},
  }));
  CHECK(problem(patched(row.patch)) == row.says);
}

TEST_CASE("read_model_config: a missing, cut or foreign file is an error", "[model]") {
  const TempFolder folder;
  CHECK(error_of([&] { read_model_config(folder.path()); }) ==
        (folder / "config.json").string() + ": cannot be read: No such file or directory");
  CHECK(problem("[1]") == "is not a JSON object, expected a model's settings");
  CHECK_THAT(problem("{\"model_type\": "), aha_test::contains("not valid JSON"));
}

TEST_CASE("to_json: what is written is read back as the same", "[model]") {
  const TempFolder folder;
  auto c = read_model_config(
      golden(GENERATE("model/untied", "model/llama_linear", "model/llama3", "model/qwen2",
                      "model/qwen3", "model/mistral", "model/phi3", "model/phi3_longrope")));
  c.eos_token_ids = GENERATE(values<std::vector<std::int64_t>>({{}, {2}, {1, 2}}));
  c.dtype = "bfloat16";
  c.initializer_range = 0.1 + 0.2;
  c.generation = Json::object();
  write_text(folder / "config.json", to_json(c).dump(2));
  CHECK(read_model_config(folder.path()) == c);
  c.generation["temperature"] = 0.7;
  write_text(folder / "generation_config.json", generation_config_json(c).dump(2));
  CHECK(read_model_config(folder.path()) == c);
}

TEST_CASE("validate_model_config: a line begins with where the values are from", "[model]") {
  ModelConfig c = read_model_config(golden("model/tied"));
  CHECK_NOTHROW(validate_model_config(c, "model.init"));
  c.num_key_value_heads = 3;
  CHECK(error_of([&] { validate_model_config(c, "model.init"); }) ==
        "model.init: 'num_key_value_heads' is 3, expected a divisor of 'num_attention_heads' 4");
}

TEST_CASE("check_vocabulary: a tokenizer with fewer ids than the embedding has rows is fine",
          "[model]") {
  const auto c = read_model_config(golden("model/tied"));
  CHECK_NOTHROW(check_vocabulary(50, c, "t", "m"));
  CHECK_NOTHROW(check_vocabulary(40, c, "t", "m"));
}

TEST_CASE("check_vocabulary: a tokenizer with more ids than the embedding has rows is refused",
          "[model]") {
  const auto c = read_model_config(golden("model/tied"));
  CHECK(error_of([&] { check_vocabulary(51, c, "toy/tokenizer.json", "m/config.json"); }) ==
        "toy/tokenizer.json: the tokenizer has 51 ids, but m/config.json has 'vocab_size' 50: "
        "expected at least as many");
}

TEST_CASE("read_model_config: 10,000 broken files give an error or a sound config", "[model]") {
  const aha_test::FuzzFolder folder;
  aha_test::Mutator mutator(1);
  const std::string seeds[] = {kVersion4, family_file("phi3", kLongRope)};
  int sound = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto text = mutator.mutate(seeds[i % 2]);
    const bool generation = i % 10 == 0;
    write_text(folder / "config.json", generation ? seeds[0] : text);
    write_text(folder / "generation_config.json", generation ? text : "{}");
    try {
      const auto config = read_model_config(folder.path());
      validate_model_config(config, "read");
      ++sound;
    } catch (const UserError& error) {
      if (std::string_view(error.what()).empty()) FAIL("an error without words: " << text);
    }
  }
  CHECK(sound > 100);
  CHECK(sound < 9900);
}
