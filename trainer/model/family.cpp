#include "trainer/model/family.h"

#include <algorithm>
#include <array>

namespace aha {
namespace {

constexpr std::array<Family, 5> kFamilies{{
    {.model_type = "llama", .architecture = "LlamaForCausalLM"},
    {.model_type = "qwen2", .architecture = "Qwen2ForCausalLM", .qkv_bias = true},
    {.model_type = "qwen3", .architecture = "Qwen3ForCausalLM", .qk_norm = true},
    {.model_type = "mistral", .architecture = "MistralForCausalLM"},
    {.model_type = "phi3", .architecture = "Phi3ForCausalLM", .fused = true},
}};

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}

const Family* find_family(std::string_view model_type) {
  const auto found = std::find_if(kFamilies.begin(), kFamilies.end(), [&](const Family& family) {
    return family.model_type == model_type;
  });
  return found == kFamilies.end() ? nullptr : &*found;
}

}  // namespace aha
