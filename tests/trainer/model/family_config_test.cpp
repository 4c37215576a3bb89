#include "tests/support/catch.h"
#include "tests/trainer/model/config_support.h"
#include "trainer/model/rope.h"

using namespace aha;
using namespace aha_test;

TEST_CASE("read_model_config: scaled rotary embeddings are read from both dialects", "[model]") {
  const TempFolder folder;
  const std::string llama3 =
      R"("factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 2048)";
  const auto old = read(
      folder, patched((R"({"rope_scaling": {"rope_type": "llama3", )" + llama3 + "}}").c_str()));
  CHECK(old.rope_scaling.kind == RopeScaling::Kind::Llama3);
  CHECK(old.rope_scaling.factor == 32.0);
  CHECK(old.rope_scaling.low_freq_factor == 1.0);
  CHECK(old.rope_scaling.high_freq_factor == 4.0);
  CHECK(old.rope_scaling.original_positions == 2048);
  CHECK(old.positions() == 8192);
  CHECK(
      read(
          folder,
          patched(
              (R"({"rope_theta": null, "rope_parameters": {"rope_theta": 1e5, "rope_type": "llama3", )" +
               llama3 + "}}")
                  .c_str())) == old);
  const auto linear = read(folder, patched(R"({"rope_scaling": {"type": "linear", "factor": 2}})"));
  CHECK(linear.rope_scaling.kind == RopeScaling::Kind::Linear);
  CHECK(linear.rope_scaling.factor == 2.0);
}

TEST_CASE("read_model_config: what a family's file leaves out is what transformers takes",
          "[model]") {
  const TempFolder folder;
  const auto qwen2 = read(
      folder,
      family_file(
          "qwen2",
          R"({"use_sliding_window": false, "sliding_window": 131072, "max_window_layers": 21})"));
  CHECK(qwen2.family().qkv_bias);
  CHECK(qwen2.head_dim == 16);
  CHECK(qwen2.positions() == 512);
  CHECK_FALSE(qwen2.sliding_window);
  CHECK(read(folder, family_file("qwen2", R"({"head_dim": null})")) == qwen2);
  CHECK_FALSE(qwen2.tie_word_embeddings);

  const auto qwen3 = read(folder, family_file("qwen3"));
  CHECK(qwen3.family().qk_norm);
  CHECK(qwen3.head_dim == 128);
  CHECK(read(folder, family_file("qwen3", R"({"head_dim": 20, "num_attention_heads": 6})"))
            .head_dim == 20);

  CHECK(read(folder, family_file("mistral", R"({"max_position_embeddings": 9000})")).positions() ==
        4096);
  CHECK(read(folder, family_file("mistral", R"({"sliding_window": null})")).positions() == 512);
  CHECK(read(folder, family_file("phi3")).rms_norm_eps == 1e-5);
}

TEST_CASE("read_model_config: a sliding window bounds the positions, and they say why", "[model]") {
  const TempFolder folder;
  const auto c = read(folder, family_file("phi3", R"({"sliding_window": 100})"));
  CHECK(c.positions() == 100);
  CHECK(positions_text(c) ==
        "100 positions before its 'sliding_window' hides tokens, which is not built");
  CHECK(positions_text(read(folder, family_file("phi3"))) == "512 positions");
}

TEST_CASE("read_model_config: longrope has two contexts", "[model]") {
  const TempFolder folder;
  auto c = read(folder, family_file("phi3", kLongRope));
  CHECK(c.rope_scaling.kind == RopeScaling::Kind::LongRope);
  CHECK(c.rotary_dims() == 12);
  CHECK(c.sliding_window == 262144);
  CHECK(c.positions() == 128);
  CHECK(positions_text(c) == "128 positions in the context of longrope's short factors");
  // sqrt(1 + ln 4 / ln 128)
  CHECK(rope_attention_factor(c) == Approx(1.1338934190).epsilon(1e-9));
  const auto low = rope_frequencies(c);
  c.long_context = true;
  CHECK(c.positions() == 512);
  CHECK(rope_frequencies(c)[1] == Approx(static_cast<double>(low[1]) / 2).epsilon(1e-6));
  auto early = Json::parse(kLongRope);
  early["rope_scaling"]["type"] = "su";
  CHECK(read(folder, family_file("phi3", early.dump().c_str())).rope_scaling == c.rope_scaling);
}

TEST_CASE("read_model_config: what a family does not do is refused by name", "[model]") {
  struct Row {
    const char* family;
    const char* patch;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"qwen2", R"({"use_sliding_window": true})", "'use_sliding_window' is true, expected false"},
      {"qwen2", R"({"attention_bias": false})", "'attention_bias' is false, expected true"},
      {"qwen2", R"({"architectures": ["LlamaForCausalLM"]})",
       R"('architectures' is ["LlamaForCausalLM"], expected ["Qwen2ForCausalLM"])"},
      {"qwen2", R"({"num_experts_per_tok": 4})",
       "'num_experts_per_tok' is 4, expected nothing: mixtures of experts are not built"},
      {"qwen3", R"({"attention_bias": true})", "'attention_bias' is true, expected false"},
      {"qwen3", R"({"layer_types": ["sliding_attention", "full_attention"]})",
       R"('layer_types' is ["sliding_attention","full_attention"], expected "full_attention" for every layer)"},
      {"mistral", R"({"partial_rotary_factor": 0.5})",
       "'partial_rotary_factor' is 0.5, expected 1.0"},
      {"mistral", R"({"sliding_window": 0})",
       "'sliding_window' is 0, expected an integer in [1, 16777216]"},
      {"phi3", R"({"attention_bias": true})", "'attention_bias' is true, expected false"},
      {"phi3", R"({"lm_head_bias": true})", "'lm_head_bias' is true, expected false"},
      {"phi3", R"({"resid_pdrop": 0.1})", "'resid_pdrop' is 0.1, expected 0.0"},
      {"phi3", R"({"partial_rotary_factor": 0.6})",
       "'partial_rotary_factor' is 0.6, expected an even part of the 16 dimensions of a head"},
      {"phi3", R"({"rope_scaling": {"type": "linear", "factor": 2}})",
       R"('rope_scaling.type' is "linear", expected "default" or "longrope")"},
      {"phi3", R"({"rope_scaling": {"type": "longrope"}})",
       "'rope_scaling.short_factor' is missing, expected a list of numbers\n"
       "'rope_scaling.long_factor' is missing, expected a list of numbers"},
      {"phi3",
       R"({"rope_scaling": {"type": "longrope", "short_factor": [1], "long_factor": [1, 1, 1, 1, 1, 1, 1, 0]}})",
       "'rope_scaling.short_factor' has 1 entries, expected 8: one for two of the 16 dimensions "
       "that turn\n'rope_scaling.long_factor' holds 0, expected numbers in [1e-6, 1e6]"},
      {"phi3",
       R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1], "original_max_position_embeddings": 64}})",
       "'rope_parameters.original_max_position_embeddings' is 64, expected 4096: the value beside "
       "the object, 4096 where there is none, is the one that counts"},
  }));
  CHECK(problem(family_file(row.family, row.patch)) == row.says);
}
