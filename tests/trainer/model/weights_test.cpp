#include "trainer/model/weights.h"

#include <ATen/ops/equal.h>
#include <c10/util/BFloat16.h>

#include <cstring>
#include <filesystem>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/model/support.h"
#include "trainer/core/json.h"

using namespace aha;
namespace fs = std::filesystem;
using aha_test::error_of;
using aha_test::golden;
using aha_test::TempFolder;
using aha_test::write_text;

namespace {

struct Model {
  explicit Model(const fs::path& folder)
      : config(read_model_config(folder)),
        layout(make_layout(config)),
        values(load_weights(folder, layout)) {}

  ModelFiles files() const { return {config, layout, values, float_type(config.dtype), {}}; }

  ModelConfig config;
  ParameterLayout layout;
  Tensor values;
};

/// The tensors of the tied golden, free to be changed before they are written to `folder`.
std::vector<NamedTensor> tensors_of(const Model& model) {
  std::vector<NamedTensor> out;
  const auto* data = model.values.const_data_ptr<float>();
  for (const auto& p : model.layout.parameters)
    out.push_back({p.name, p.shape, std::span(data + p.offset, static_cast<std::size_t>(p.size))});
  return out;
}

std::string load_error(const TempFolder& folder, const ParameterLayout& layout) {
  auto text = error_of([&] { load_weights(folder.path(), layout); });
  const auto prefix = folder.path().string();
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
    text.replace(at, prefix.size(), "DIR");
  return text;
}

std::string bytes_of(const fs::path& folder, const char* name) {
  return read_file(folder / name);
}

}  // namespace

TEST_CASE("load_weights: a parameter's values are the file's", "[model][golden]") {
  const Model model(golden("model/untied"));
  const SafetensorsFile file(golden("model/untied/model.safetensors"));
  for (const auto& p : model.layout.parameters) {
    std::vector<float> wanted(static_cast<std::size_t>(p.size));
    file.read(p.name, std::span(wanted));
    const auto view = parameter_view(model.values, p);
    CHECK(view.sizes() == c10::IntArrayRef(p.shape));
    const auto* got = view.const_data_ptr<float>();
    CHECK(std::equal(wanted.begin(), wanted.end(), got));
  }
}

TEST_CASE("save_model: the safetensors are byte for byte those of transformers",
          "[model][golden]") {
  const auto* const name =
      GENERATE("model/tied", "model/untied", "stories260K", "model/llama_linear", "model/llama3",
               "model/qwen2", "model/qwen3", "model/mistral", "model/phi3", "model/phi3_longrope");
  const TempFolder folder;
  save_model(folder / "m", Model(golden(name)).files());
  CHECK(bytes_of(folder / "m", "model.safetensors") == bytes_of(golden(name), "model.safetensors"));
  CHECK(read_model_config(folder / "m") == read_model_config(golden(name)));
}

TEST_CASE("load_weights: transformers' BF16 shards are the rounded weights", "[model][golden]") {
  const Model sharded(golden("model/tied_bf16_sharded"));
  CHECK(sharded.config.dtype == "bfloat16");
  const Model full(golden("model/tied"));
  auto files = full.files();
  files.dtype = FloatType::BF16;
  const TempFolder folder;
  save_model(folder / "m", files);
  const Model rounded(folder / "m");
  CHECK(rounded.config.dtype == "bfloat16");
  CHECK(at::equal(rounded.values, sharded.values));
  CHECK_FALSE(at::equal(rounded.values, full.values));
}

TEST_CASE("save_model: float16 is rounded as torch rounds it, and what it cannot hold is refused",
          "[model][golden]") {
  const SafetensorsFile file(golden("model/rounding.safetensors"));
  std::vector<float> halves(static_cast<std::size_t>(file.find("f16_as_f32")->size));
  file.read("f16_as_f32", std::span(halves));
  const TempFolder folder;
  const std::vector<std::int64_t> shape{std::ssize(halves)};
  const NamedTensor tensor{"a", shape, std::span<const float>(halves), FloatType::F16};
  write_safetensors(folder / "x.safetensors", std::span(&tensor, 1));
  const SafetensorsFile written(folder / "x.safetensors");
  std::vector<float> again(halves.size());
  written.read("a", std::span(again));
  CHECK(written.find("a")->dtype == "F16");
  CHECK(std::equal(again.begin(), again.end(), halves.begin()));
  // ties go to the even neighbour: 1 + 1/2048 lies between 1 and 1 + 1/1024
  for (const auto& [value, wanted] :
       {std::pair{1.0F + 0x1p-11F, 1.0F}, std::pair{1.0F + 3 * 0x1p-11F, 1.0F + 0x1p-9F},
        std::pair{65519.0F, 65504.0F}}) {
    const std::vector<float> one{value};
    const NamedTensor t{"a", {1}, std::span<const float>(one), FloatType::F16};
    write_safetensors(folder / "x.safetensors", std::span(&t, 1));
    float back = 0;
    SafetensorsFile(folder / "x.safetensors").read("a", std::span(&back, 1));
    CHECK(back == wanted);
  }
  const std::vector<float> large{1.0F, -65520.0F};
  const NamedTensor t{"a", {2}, std::span<const float>(large), FloatType::F16};
  CHECK(error_of([&] { write_safetensors(folder / "y.safetensors", std::span(&t, 1)); }) ==
        (folder / "y.safetensors").string() +
            ": tensor \"a\" holds -65520, float16 ends at 65504; write float32 or bfloat16");
  CHECK_FALSE(fs::exists(folder / "y.safetensors"));
}

TEST_CASE("save_model: save, load, save gives equal bytes", "[model]") {
  const Model model(golden(GENERATE("model/untied", "model/qwen2", "model/phi3")));
  const auto dtype = GENERATE(FloatType::F32, FloatType::BF16, FloatType::F16);
  const auto shard_bytes = GENERATE(as<std::int64_t>{}, kShardBytes, 9000);
  const TempFolder folder;
  auto files = model.files();
  files.dtype = dtype;
  files.shard_bytes = shard_bytes;
  files.others = {{"tokenizer.json", "{\"a\": 1}\n"}};
  save_model(folder / "1", files);

  const Model again(folder / "1");
  auto files_again = again.files();
  files_again.shard_bytes = shard_bytes;
  files_again.others = {{"tokenizer.json", bytes_of(folder / "1", "tokenizer.json")}};
  save_model(folder / "2", files_again);
  for (const auto& entry : fs::directory_iterator(folder / "1")) {
    INFO(entry.path());
    CHECK(read_file(entry.path()) == read_file(folder / "2" / entry.path().filename()));
  }
  CHECK(fs::exists(folder / "1/model.safetensors.index.json") == (shard_bytes != kShardBytes));
}

TEST_CASE("save_model: generation settings are the parent's, with the ids of the model",
          "[model]") {
  const Model model(golden("model/tied"));
  const TempFolder folder;
  const TempFolder parent;
  write_text(parent / "config.json", bytes_of(golden("model/tied"), "config.json"));
  const auto saved = [&](const char* settings) {
    write_text(parent / "generation_config.json", settings);
    const auto config = read_model_config(parent.path());
    save_model(folder / "m", {config, model.layout, model.values, FloatType::F32, {}});
    CHECK(read_model_config(folder / "m") == config);
    return Json::parse(bytes_of(folder / "m", "generation_config.json"));
  };
  CHECK(
      saved(R"({"do_sample": true, "eos_token_id": [3, 2], "pad_token_id": null, "temperature": 0.7,
                  "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05, "odd": {"a": [null, 1e-9]}})") ==
      Json::parse(
          R"({"bos_token_id": 1, "do_sample": true, "eos_token_id": [3, 2], "pad_token_id": 0,
                  "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05,
                  "odd": {"a": [null, 1e-9]}})"));
  CHECK(saved("{}") == Json::parse(R"({"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0})"));
}

TEST_CASE("save_model: large models are cut into shards with an index", "[model]") {
  const Model model(golden("model/tied"));
  const TempFolder folder;
  auto files = model.files();
  save_model(folder.path(), files);  // a stale single file would be preferred to the index
  files.shard_bytes = 30000;
  save_model(folder.path(), files);
  CHECK_FALSE(fs::exists(folder / "model.safetensors"));
  const auto index = read_json(folder / "model.safetensors.index.json");
  CHECK(index["metadata"]["total_size"] == model.layout.total * 4);
  CHECK(index["weight_map"].size() == model.layout.parameters.size());
  CHECK(index["weight_map"]["model.embed_tokens.weight"] == "model-00001-of-00003.safetensors");
  CHECK(index["weight_map"]["model.norm.weight"] == "model-00003-of-00003.safetensors");
  CHECK(at::equal(load_weights(folder.path(), model.layout), model.values));

  save_model(folder.path(), model.files());  // and back again
  CHECK_FALSE(fs::exists(folder / "model.safetensors.index.json"));
  CHECK(at::equal(load_weights(folder.path(), model.layout), model.values));
}

TEST_CASE("load_weights: every problem is named, one line each", "[model]") {
  const Model model(golden("model/tied"));
  auto tensors = tensors_of(model);
  tensors[0].shape = {32, 50};
  tensors[1].name = "model.layers.0.input_layernorm.bias";
  const std::vector<std::int64_t> ints(32);
  tensors.back().values = std::span(ints);
  const TempFolder folder;
  write_model_tensors(folder.path(), tensors);
  CHECK(load_error(folder, model.layout) ==
        "DIR: tensor \"model.layers.0.input_layernorm.weight\" is missing, expected shape [32]\n"
        "DIR/model.safetensors: tensor \"model.embed_tokens.weight\" has shape [32, 50], expected "
        "[50, 32]\n"
        "DIR/model.safetensors: tensor \"model.layers.0.input_layernorm.bias\" with shape [32] is "
        "not a part of this model\n"
        "DIR/model.safetensors: tensor \"model.norm.weight\" has dtype I64, expected F32, BF16 or "
        "F16");
}

TEST_CASE("load_weights: a wrong folder is not a thousand lines", "[model]") {
  const Model model(golden("model/tied"));
  const TempFolder folder;
  write_model_tensors(folder.path(), {});
  auto config = model.config;
  config.num_hidden_layers = 500;
  const auto text = load_error(folder, make_layout(config));
  CHECK(std::count(text.begin(), text.end(), '\n') == 20);
  CHECK_THAT(text, aha_test::contains("\n... and 4482 more like these"));
}

TEST_CASE("load_weights: an untied head must be there, a tied one may be", "[model]") {
  const Model tied(golden("model/tied"));
  auto config = tied.config;
  config.tie_word_embeddings = false;
  const TempFolder folder;
  auto tensors = tensors_of(tied);
  write_model_tensors(folder.path(), tensors);
  CHECK(load_error(folder, make_layout(config)) ==
        "DIR: tensor \"lm_head.weight\" is missing, expected shape [50, 32]");

  tensors.push_back(tensors[0]);
  tensors.back().name = "lm_head.weight";
  tensors.push_back(tensors[1]);
  tensors.back().name = "model.layers.0.self_attn.rotary_emb.inv_freq";
  write_model_tensors(folder.path(), tensors);
  CHECK(at::equal(load_weights(folder.path(), tied.layout), tied.values));

  tensors[tensors.size() - 2].shape = {32, 50};
  write_model_tensors(folder.path(), tensors);
  CHECK(load_error(folder, tied.layout) ==
        "DIR/model.safetensors: tensor \"lm_head.weight\" has shape [32, 50], expected [50, 32]");
}

TEST_CASE("load_weights: a tied head that is not the embedding is refused", "[model]") {
  const Model tied(golden("model/tied"));
  auto tensors = tensors_of(tied);
  const auto size = static_cast<std::size_t>(tied.layout.at("model.embed_tokens.weight").size);
  std::vector<float> head(tied.values.const_data_ptr<float>(),
                          tied.values.const_data_ptr<float>() + size);
  tensors.push_back({"lm_head.weight", tensors[0].shape, std::span<const float>(head)});
  const TempFolder folder;
  const std::string says =
      "tensor \"lm_head.weight\" differs from \"model.embed_tokens.weight\", but "
      "'tie_word_embeddings' is true, expected false";
  const auto single = "DIR/model.safetensors: " + says;
  const auto check_error = [&] {
    return error_of([&] { check_weights(folder.path(), tied.layout); });
  };
  SECTION("the last value differs") {
    head.back() += 1;
    write_model_tensors(folder.path(), tensors);
    CHECK(load_error(folder, tied.layout) == single);
    CHECK_THAT(check_error(), aha_test::contains(says));
  }
  SECTION("its file is another one") {
    head.front() += 1;
    write_model_tensors(folder.path(), tensors, 30000);
    CHECK_THAT(load_error(folder, tied.layout), aha_test::contains(says));
  }
  SECTION("a copy of another dtype is compared as it is read") {
    tensors[0].dtype = FloatType::BF16;
    write_model_tensors(folder.path(), tensors);
    CHECK(load_error(folder, tied.layout) == single);
    for (auto& value : head)
      value = static_cast<float>(c10::BFloat16(value));
    write_model_tensors(folder.path(), tensors);
    CHECK_NOTHROW(load_weights(folder.path(), tied.layout));
    CHECK_NOTHROW(check_weights(folder.path(), tied.layout));
  }
  SECTION("a shape or dtype that cannot be compared is said alone") {
    const std::vector<std::int64_t> ints(size);
    tensors.back().values = std::span(ints);
    write_model_tensors(folder.path(), tensors);
    CHECK(load_error(folder, tied.layout) ==
          "DIR/model.safetensors: tensor \"lm_head.weight\" has dtype I64, expected F32, BF16 or "
          "F16");
  }
}

TEST_CASE("load_weights: a dtype that is not read is named with its tensor", "[model]") {
  const auto bytes = bytes_of(golden("model/tied"), "model.safetensors");
  std::size_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  auto header = Json::parse(bytes.substr(sizeof(length), length));
  auto& last = header["model.norm.weight"];  // [32], and the last of the file
  const auto begin = last["data_offsets"][0].get<std::size_t>();
  const auto [dtype, width] =
      GENERATE(table<std::string, std::size_t>({{"F64", 8}, {"F8_E4M3", 1}}));
  last["dtype"] = dtype;
  last["data_offsets"][1] = begin + 32 * width;
  auto data = bytes.substr(sizeof(length) + length);
  REQUIRE(data.size() == begin + 128);
  data.resize(begin + 32 * width);
  const TempFolder folder;
  write_text(folder / "model.safetensors", aha_test::safetensors_bytes(header.dump(), data));
  const auto layout = make_layout(read_model_config(golden("model/tied")));
  const auto says = "DIR/model.safetensors: tensor \"model.norm.weight\" has dtype " + dtype +
                    ", expected F32, BF16 or F16";
  CHECK(load_error(folder, layout) == says);
}

TEST_CASE("load_weights: a folder without weights says what is looked for", "[model]") {
  const TempFolder folder;
  CHECK(load_error(folder, {}) ==
        "DIR: has neither model.safetensors nor model.safetensors.index.json");
}

TEST_CASE("load_weights: an index that lies or leaves the folder is refused", "[model]") {
  struct Row {
    const char* index;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"[]", "expected an object with 'weight_map': {tensor: file}"},
      {R"({"weight_map": {"a": 3}})",
       R"(tensor "a": file is "3", expected the name of a .safetensors file in this folder)"},
      {R"({"weight_map": {"a": "../out.safetensors"}})",
       R"(tensor "a": file is "../out.safetensors", expected the name of a .safetensors file in this folder)"},
      {R"({"weight_map": {"a": "/etc/x.safetensors"}})",
       R"(tensor "a": file is "/etc/x.safetensors", expected the name of a .safetensors file in this folder)"},
      {R"({"weight_map": {"a": "x\u0000.safetensors"}})",
       R"(tensor "a": file is "x\u0000.safetensors", expected the name of a .safetensors file in this folder)"},
      {R"({"weight_map": {"a": "config.json"}})",
       R"(tensor "a": file is "config.json", expected the name of a .safetensors file in this folder)"},
      {R"({"weight_map": {"a": "gone.safetensors"}})",
       R"(tensor "a": file "gone.safetensors" is missing)"},
      {R"({"weight_map": {"a": "x.safetensors"}})",
       R"(tensor "a" is not in DIR/x.safetensors, where the index says it is)"},
  }));
  const TempFolder folder;
  write_safetensors(folder / "x.safetensors", {});
  write_text(folder / "model.safetensors.index.json", row.index);
  CHECK(load_error(folder, {}) == std::string("DIR/model.safetensors.index.json: ") + row.says);
}

TEST_CASE("load_weights: a NaN or an infinity is refused with its place", "[model]") {
  Model model(golden("model/tied"));
  const TempFolder folder;
  const auto& norm = model.layout.at("model.norm.weight");
  model.values[norm.offset + 3] = std::numeric_limits<float>::quiet_NaN();
  model.values[model.layout.embed] = -std::numeric_limits<float>::infinity();
  save_model(folder.path(), model.files());
  const auto error = error_of([&] { load_weights(folder.path(), model.layout); });
  CAPTURE(error);
  CHECK(error.find("tensor \"model.embed_tokens.weight\" holds -inf at element 0, expected finite "
                   "numbers") != std::string::npos);
  CHECK(error.find("tensor \"model.norm.weight\" holds nan at element 3") != std::string::npos);
  // in pieces, too, and nothing of such a piece is given away
  CHECK(error_of([&] {
          read_weights(folder.path(), model.layout,
                       [&](const Parameter& p, std::int64_t, std::span<const float>) {
                         CHECK(p.name != "model.norm.weight");
                       });
        }) == error);
}

TEST_CASE("load_weights: a truncated file is refused", "[model]") {
  const TempFolder folder;
  const auto whole = bytes_of(golden("model/tied"), "model.safetensors");
  write_text(folder / "model.safetensors", whole.substr(0, whole.size() - 1));
  const auto layout = make_layout(read_model_config(golden("model/tied")));
  CHECK_THAT(load_error(folder, layout), aha_test::contains("cut off"));
}
