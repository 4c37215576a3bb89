// The configurations in configs/ that name a pretrained model, with a tiny random one of its family.
#include <ATen/ops/zeros.h>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"
#include "trainer/model/weights.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = AHA_SOURCE_DIR;

/// The golden model whose structure a model's name stands for.
std::string family_of(const std::string& name) {
  if (name.rfind("Qwen2.5", 0) == 0) return "qwen2";
  if (name.rfind("Qwen3", 0) == 0) return "qwen3";
  if (name.rfind("smollm2", 0) == 0) return "tied";
  if (name.rfind("DeepSeek-R1-Distill-Qwen", 0) == 0) return "qwen2";
  return "";
}

/// With the switch that Qwen3's template has.
const char* const kChat =
    "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{ "
    "'<think>\\n\\n</think>\\n\\n' }}"
    "{%- endif %}{%- endif %}";

/// Opens the thought, as that of DeepSeek-R1's distilled models.
const char* const kThinking =
    "{%- for m in messages %}{{ m.content + '\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<think>\\n' }}{%- endif %}";

/// Two layers of a family's golden with enough ids for a byte-level tokenizer, and weights of 0.
void write_model(const fs::path& folder, const std::string& family, const char* chat) {
  auto json = aha::Json::parse(slurp(kSource / "tests/golden/model" / family / "config.json"));
  json["vocab_size"] = 768;
  json["max_position_embeddings"] = 8192;
  spill(folder / "config.json", json.dump());
  const auto config = aha::read_model_config(folder);
  const auto layout = aha::make_layout(config);
  const auto bases = aha::Json::parse(slurp(kSource / "tests/golden/data/tokenizer_bpe.json"));
  aha::save_model(folder, {.config = config,
                           .layout = layout,
                           .values = at::zeros({layout.total}, at::kFloat),
                           .others = {{"tokenizer.json", bases.at("bases").at("bytes").dump()},
                                      {"chat_template.jinja", chat}}});
}

/// Whether the scorer of configs/scorers can run.
bool has_math_verify() {
  return std::system("python3 -c 'import math_verify' 2>/dev/null") == 0;
}

/// Whether programs can be run here at all.
bool runs_python() {
  return run_aha({"score", "--reward", "code:language=python"}).code == 0;
}

/// "NAME" of `path: models/NAME`; empty when there is none.
std::string pretrained(const std::string& yaml) {
  const std::string key = "path: models/";
  const auto at = yaml.find(key);
  if (at == std::string::npos) return "";
  const auto begin = at + key.size();
  return yaml.substr(begin, yaml.find_first_of(",}\n", begin) - begin);
}

}  // namespace

TEST_CASE(
    "recipes: every configuration of a pretrained model passes check with one of its family") {
  const TempFolder folder;
  const auto before = fs::current_path();
  fs::current_path(kSource);  // data/samples
  int recipes = 0;
  for (const auto& entry : fs::directory_iterator(kSource / "configs")) {
    const auto text = slurp(entry.path());
    const auto name = pretrained(text);
    if (name.empty()) continue;
    INFO(entry.path().string());
    if (text.find("math_verify") != std::string::npos && !has_math_verify()) {
      WARN(entry.path().string() << " skipped: python3 has no math_verify");
      continue;
    }
    if (text.find("name: code") != std::string::npos && !runs_python()) {
      WARN(entry.path().string() << " skipped: no Python, or nothing that holds it");
      continue;
    }
    const auto family = family_of(name);
    REQUIRE_FALSE(family.empty());
    const bool thinks = name.rfind("DeepSeek-R1", 0) == 0;
    const auto model = folder / (thinks ? family + "_thinks" : family);
    if (!fs::exists(model)) write_model(model, family, thinks ? kThinking : kChat);
    const auto end = run_aha(
        {"check", entry.path().string(), "--set", "model.path=" + model.string(), "--set",
         "data.max_prompt_length=1024", "--set", "output_dir=" + (folder / "run").string()});
    INFO(end.err);
    CHECK(end.code == 0);
    // the first row's gold, written as the prompt asks for it, is right
    const auto ideal = end.out.find("ideal ");
    REQUIRE(ideal != std::string::npos);
    CHECK_THAT(end.out.substr(ideal), contains(", numeric 1") || contains(", countdown 1") ||
                                          contains(", math 1") || contains(", command 1") ||
                                          contains(", code 1"));
    // and nothing is paid wrongly, unless the recipe that it mimics does so and the header says it
    const bool told = text.find("aha check warns of") != std::string::npos;
    CHECK((end.out.find("warning ") != std::string::npos) == told);
    ++recipes;
  }
  fs::current_path(before);
  CHECK(recipes >= 8);
  CHECK_FALSE(fs::exists(folder / "run"));
}
