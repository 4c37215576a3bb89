#include <sys/resource.h>

#include <algorithm>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;
namespace fs = std::filesystem;

TEST_CASE("import-gguf: the folder answers as transformers and its tokenizer as tokenizers do",
          "[golden]") {
  TempFolder folder;
  const fs::path golden = fs::path(AHA_SOURCE_DIR) / "tests/golden/gguf";
  const auto gguf = (golden / "tiny.gguf").string();
  const auto model = (folder / "new" / "model").string();
  const auto end = run_aha({"import-gguf", gguf, model});
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK_FALSE(fs::exists(model + ".part"));
  for (const char* file : {"config.json", "generation_config.json", "model.safetensors",
                           "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"})
    CHECK(fs::exists(fs::path(model) / file));
  const auto wanted = aha::Json::parse(slurp(golden / "tiny.json"));
  const auto answers =
      run_aha({"logprobs", "--model", model}, aha::Json{{"ids", wanted.at("ids")}}.dump() + "\n");
  INFO(answers.err);
  REQUIRE(answers.code == 0);
  const auto logprobs = rows_of(answers.out).front().at("logprobs");
  REQUIRE(logprobs.size() == wanted.at("logprobs").size());
  for (std::size_t t = 0; t < logprobs.size(); ++t)
    CHECK(logprobs.at(t).get<double>() ==
          Approx(wanted.at("logprobs").at(t).get<double>()).margin(1e-4));
  for (const auto& text : wanted.at("texts")) {
    const auto ids = run_aha({"tokenize", "--model", model}, text.dump() + "\n");
    REQUIRE(ids.code == 0);
    CHECK(rows_of(ids.out).front().at("ids") == text.at("ids"));
  }
  const auto chat =
      run_aha({"tokenize", "--model", model}, R"({"messages":[{"role":"user","content":"a"}]})");
  CHECK(rows_of(chat.out).front().at("text") == "<|im_start|>user\na<|im_end|>\n");

  const auto again = run_aha({"import-gguf", gguf, model});
  CHECK(again.code == 2);
  CHECK_THAT(again.err, contains("is there already"));
  const auto bytes = slurp(golden / "tiny.gguf");
  spill(folder / "cut.gguf", bytes.substr(0, bytes.size() / 2));
  const auto cut =
      run_aha({"import-gguf", (folder / "cut.gguf").string(), (folder / "cut").string()});
  CHECK(cut.code == 2);
  CHECK_THAT(cut.err, contains("cut.gguf") && contains("cut off"));
  CHECK_FALSE(fs::exists(folder / "cut"));
  Program::Options small;
  small.largest_file = 100000;
  const auto full =
      Program({"import-gguf", gguf, (folder / "full").string()}, std::move(small)).wait();
  CHECK(full.code == 2);
  CHECK_FALSE((fs::exists(folder / "full") || fs::exists(folder / "full.part")));
}

namespace {

/// A Llama of 67 M parameters, all 0 (a hole in the file). Bytes of its weights.
std::size_t write_large_model(const fs::path& folder) {
  constexpr std::size_t kWidth = 1024, kInner = 4096, kIds = 16384;
  aha::Json config{{"model_type", "llama"},       {"vocab_size", kIds},
                   {"hidden_size", kWidth},       {"num_hidden_layers", 3},
                   {"num_attention_heads", 16},   {"intermediate_size", kInner},
                   {"tie_word_embeddings", true}, {"max_position_embeddings", 64}};
  spill(folder / "config.json", config.dump());
  aha::Json header;
  std::size_t bytes = 0;
  const auto add = [&](const std::string& name, const std::vector<std::size_t>& shape) {
    std::size_t size = sizeof(float);
    for (const auto n : shape)
      size *= n;
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {bytes, bytes + size}}};
    bytes += size;
  };
  add("model.embed_tokens.weight", {kIds, kWidth});
  add("model.norm.weight", {kWidth});
  for (int layer = 0; layer < 3; ++layer) {
    const auto at = "model.layers." + std::to_string(layer) + ".";
    for (const char* name : {"input_layernorm", "post_attention_layernorm"})
      add(at + name + ".weight", {kWidth});
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"})
      add(at + "self_attn." + name + ".weight", {kWidth, kWidth});
    add(at + "mlp.gate_proj.weight", {kInner, kWidth});
    add(at + "mlp.up_proj.weight", {kInner, kWidth});
    add(at + "mlp.down_proj.weight", {kWidth, kInner});
  }
  auto text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  spill(folder / "model.safetensors",
        std::string(reinterpret_cast<const char*>(&length), sizeof length) + text);
  fs::resize_file(folder / "model.safetensors", sizeof length + text.size() + bytes);
  return bytes;
}

}  // namespace

TEST_CASE("load: weights are in memory once") {
  const TempFolder folder;
  const auto weights = static_cast<double>(write_large_model(folder.path()));
  const auto end = run_aha({"logprobs", "--model", folder.path().string()}, R"({"ids":[1,2]})");
  INFO(end.err);
  REQUIRE(end.code == 0);
  rusage used{};
  REQUIRE(getrusage(RUSAGE_CHILDREN, &used) == 0);  // of the largest one so far
  CHECK(1024.0 * static_cast<double>(used.ru_maxrss) <= 1.15 * weights + 250e6);
}

TEST_CASE("logprobs: --context chooses longrope's factors, which bound the sequences") {
  const auto model = fs::path(AHA_SOURCE_DIR) / "tests/golden/model/phi3_longrope";
  const auto run = [&](std::size_t length, const char* context) {
    const std::vector<int> ids(length, 7);
    return run_aha({"logprobs", "--model", model.string(), "--context", context},
                   aha::Json{{"ids", ids}}.dump() + "\n");
  };
  const auto first = [&](const char* context) {
    return rows_of(run(20, context).out).front().at("logprobs");
  };
  CHECK(first("72") == first("0"));
  CHECK(first("73") != first("0"));
  CHECK(run(73, "0").code == 0);  // the last id is not run
  const auto beyond = run(74, "0");
  CHECK(beyond.code == 2);
  CHECK_THAT(beyond.err, contains("the model has 72 positions in the context of longrope's short "
                                  "factors"));
  CHECK(run(74, "74").code == 0);
}

TEST_CASE("generate: rows of the embedding beyond a tokenizer with fewer ids are never sampled") {
  const TempFolder folder;
  const auto model = folder / "model";
  fs::copy(fs::path(AHA_SOURCE_DIR) / "tests/golden/model/untied", model);  // 50 rows
  auto tokenizer = aha::Json::parse(R"({"added_tokens": [], "pre_tokenizer": null, "decoder": null,
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3}, "merges": []}})");
  const auto run = [&] {
    spill(model / "tokenizer.json", tokenizer.dump());
    return run_aha({"generate", "--model", model.string(), "-n", "4", "--ignore-eos",
                    "--max-completion-length", "40"},
                   R"({"question": "ab"})");
  };
  const auto end = run();
  INFO(end.err);
  REQUIRE(end.code == 0);
  const auto rows = rows_of(end.out);
  REQUIRE(rows.size() == 4);
  for (const auto& row : rows) {
    const auto ids = row.at("completion_ids").get<std::vector<int>>();
    CHECK(ids.size() == 40);
    CHECK(*std::max_element(ids.begin(), ids.end()) < 4);
  }
  for (int id = 4; id < 51; ++id)
    tokenizer["model"]["vocab"]["t" + std::to_string(id)] = id;
  const auto refused = run();
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, contains("the tokenizer has 51 ids") && contains("'vocab_size' 50"));
}
