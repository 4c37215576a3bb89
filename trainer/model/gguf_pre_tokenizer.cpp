#include <algorithm>
#include <array>

#include "trainer/core/text.h"
#include "trainer/model/gguf_tokenizer.h"

namespace aha {
namespace {

constexpr const char* kGpt2 =
    R"json({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})json";

constexpr const char* kSingleDigitsThenGpt2 = R"json({"type":"Sequence","pretokenizers":[
  {"type":"Digits","individual_digits":true},
  {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]})json";

// the pattern of cl100k: llama-bpe takes up to three digits together, qwen2 one
constexpr const char* kQwen2 = R"json({"type":"Sequence","pretokenizers":[
  {"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},
  {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false}]})json";
constexpr const char* kLlama3 = R"json({"type":"Sequence","pretokenizers":[
  {"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},
  {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})json";

// what llama.cpp does where a file does not say better: four cuts, one after the other
constexpr const char* kDefault = R"json({"type":"Sequence","pretokenizers":[
  {"type":"Split","pattern":{"Regex":"[\\p{P}\\$\\+<=>\\^~\\|]+"},"behavior":"Isolated","invert":false},
  {"type":"Split","pattern":{"Regex":"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"
}
, "behavior" : "Isolated", "invert" : false
},
  {"type":"Split","pattern":{"Regex":"\\p{N}+"},"behavior":"Isolated","invert":false},
  {"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated","invert":false},
  {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]
})json";

constexpr std::array kPreTokenizers = {
    GgufPreTokenizer{"smollm", "null", kSingleDigitsThenGpt2, false, false},
    GgufPreTokenizer{"qwen2", R"({"type":"NFC"})", kQwen2, false, false},
    GgufPreTokenizer{"llama-bpe", "null", kLlama3, true, true},
    GgufPreTokenizer{"gpt-2", "null", kGpt2, false, false},
    GgufPreTokenizer{"default", "null", kDefault, false, false},
};

}  // namespace

const GgufPreTokenizer* gguf_pre_tokenizer(std::string_view name) {
  const auto found = std::find_if(kPreTokenizers.begin(), kPreTokenizers.end(),
                                  [&](const GgufPreTokenizer& p) { return name == p.name; });
  return found == kPreTokenizers.end() ? nullptr : &*found;
}

std::string gguf_pre_tokenizer_names() {
  std::vector<std::string> names;
  for (const auto& known : kPreTokenizers)
    names.emplace_back(known.name);
  return join_list(names);
}

}  // namespace aha
