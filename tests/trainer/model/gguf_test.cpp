#include "trainer/model/gguf.h"

#include <bit>
#include <cstring>
#include <limits>

#include "tests/support/catch.h"
#include "tests/support/fuzz.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/model/support.h"
#include "trainer/core/json.h"
#include "trainer/model/gguf_model.h"
#include "trainer/model/gguf_tokenizer.h"
#include "trainer/model/safetensors.h"

using namespace aha;
using aha_test::contains;
using aha_test::error_of;
using aha_test::floats;
using aha_test::golden;
using aha_test::TempFolder;
using aha_test::write_text;

namespace {

void require_same_bits(std::span<const float> got, std::span<const float> wanted) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    REQUIRE(std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(wanted[i]));
}

template <class Number>
std::string raw(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string text_bytes(std::string_view text) {
  return raw<std::uint64_t>(text.size()).append(text);
}

/// A key, the number of a type and the bytes of a value.
std::string key_bytes(std::string_view key, std::uint32_t type, const std::string& value) {
  return text_bytes(key) + raw(type) + value;
}

std::string tensor_bytes(std::string_view name, const std::vector<std::uint64_t>& sizes,
                         std::uint32_t type, std::uint64_t offset) {
  auto bytes = text_bytes(name) + raw(static_cast<std::uint32_t>(sizes.size()));
  for (const auto size : sizes)
    bytes += raw(size);
  return bytes + raw(type) + raw(offset);
}

std::string file_bytes(std::uint64_t tensors, std::uint64_t keys, const std::string& rest,
                       std::size_t data_bytes = 0, std::uint32_t version = 3) {
  auto bytes = "GGUF" + raw(version) + raw(tensors) + raw(keys) + rest;
  bytes.append((32 - bytes.size() % 32) % 32, '\0');
  return bytes.append(data_bytes, '\0');
}

/// What reading these bytes says after "FILE: ".
std::string problem(const std::string& bytes) {
  const TempFolder folder;
  const auto path = folder / "x.gguf";
  write_text(path, bytes);
  auto message = error_of([&] { const GgufFile file(path); });
  const auto prefix = path.string() + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

/// tiny.gguf with `from` replaced by a text of the same length.
std::string tiny_with(const std::string& from, const std::string& to) {
  auto bytes = read_file(golden("gguf/tiny.gguf"));
  const auto at = bytes.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  return bytes.replace(at, from.size(), to);
}

/// What a whole import of these bytes says after "FILE: ".
std::string import_problem(const std::string& bytes) {
  const TempFolder folder;
  const auto path = folder / "x.gguf";
  write_text(path, bytes);
  auto message = error_of([&] {
    const GgufFile file(path);
    const auto config = gguf_model_config(file);
    check_gguf_weights(file, make_layout(config));
    gguf_tokenizer_files(file);
  });
  const auto prefix = path.string() + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

}  // namespace

TEST_CASE("GgufFile: random blocks of every type are widened as the gguf package does",
          "[model][golden]") {
  const GgufFile file(golden("gguf/quants.gguf"));
  const SafetensorsFile wanted(golden("gguf/quants.safetensors"));
  CHECK(file.tensors().size() == 10);
  for (const auto& [name, tensor] : file.tensors()) {
    INFO(name);
    CHECK(name == tensor.format->name);
    CHECK(tensor.shape == wanted.find(name)->shape);
    require_same_bits(floats(file, name), floats(wanted, name));
  }
}

TEST_CASE("GgufFile: metadata of every type is read", "[model][golden]") {
  const GgufFile file(golden("gguf/quants.gguf"));
  CHECK(file.integer("a.u8") == 200);
  CHECK(file.integer("a.i8") == -100);
  CHECK(file.integer("a.u16") == 60000);
  CHECK(file.integer("a.i16") == -30000);
  CHECK(file.integer("a.u32") == 4000000000);
  CHECK(file.integer("a.i32") == -2000000000);
  CHECK(file.integer("a.i64") == -(std::int64_t{1} << 62));
  CHECK(file.number("a.f32") == 1e-5);
  CHECK(file.number("a.f64") == 0.1);
  CHECK(file.boolean("a.bool") == true);
  CHECK(file.text("a.text") == "h\u00e4user");
  CHECK(file.texts("a.texts") == std::vector<std::string_view>{"one", "", "drei"});
  CHECK(file.integers("a.numbers") == std::vector<std::int64_t>{1, -2, 3});
  const auto nested = gguf_elements(file.metadata().find("a.nested")->second);
  REQUIRE(nested.size() == 2);
  CHECK(gguf_elements(nested[0]).size() == 2);
  CHECK(gguf_elements(nested[1]).size() == 1);
  CHECK_FALSE(file.integer("a.none"));
  const auto says = [&](const auto& body) {
    return error_of(body).substr(file.path().string().size());
  };
  CHECK(says([&] { (void)file.integer("a.text"); }) ==
        ": \"a.text\" is of type text, expected a whole number below 2^63");
  CHECK(says([&] { (void)file.integer("a.u64"); }) ==
        ": \"a.u64\" is of type u64, expected a whole number below 2^63");
  CHECK(says([&] { (void)file.texts("a.numbers"); }) ==
        ": \"a.numbers\" is of type array of i32, expected array of text");
  std::vector<float> one(1);
  CHECK(says([&] { file.read("F32", std::span(one)); }) ==
        ": tensor \"F32\" has 64 elements, expected 1");
}

TEST_CASE("GgufFile: a hostile file is refused by name", "[model]") {
  const auto row = [](std::uint64_t n, std::uint32_t type, std::uint64_t offset) {
    return file_bytes(1, 0, tensor_bytes("a", {n}, type, offset), 64);
  };
  constexpr auto kHuge = std::uint64_t{1} << 63U;
  CHECK(problem("") == "does not begin with \"GGUF\": not a GGUF file");
  CHECK(problem("GGUF") == "cut off: version at byte 4 takes 4 bytes, but 0 are left");
  CHECK(problem(file_bytes(0, 0, "", 0, 1)) == "GGUF version is 1, expected 2 or 3");
  CHECK(problem(file_bytes(0, 0, "", 0, 0x03000000)) ==
        "is a big-endian file, expected a little-endian one");
  CHECK_THAT(problem(file_bytes(0, kHuge, "")), contains("cut off"));
  CHECK_THAT(problem(file_bytes(kHuge, 0, "")), contains("cut off"));
  CHECK_THAT(problem(file_bytes(0, 1, raw(~std::uint64_t{0}))), contains("cut off: a key"));
  CHECK(problem(file_bytes(0, 1, key_bytes("k", 13, ""))) ==
        "key \"k\" has type 13, expected 0 to 12");
  CHECK(problem(file_bytes(0, 1, key_bytes("k", 7, "\x02"))) ==
        "key \"k\" is a bool of value 2, expected 0 or 1");
  CHECK(problem(file_bytes(0, 2, key_bytes("k", 0, "x") + key_bytes("k", 0, "x"))) ==
        "key \"k\" occurs twice");
  CHECK_THAT(problem(file_bytes(0, 1, key_bytes("k", 9, raw(10U) + raw(kHuge)))),
             contains("cut off: key \"k\" has 9223372036854775808 elements"));
  CHECK_THAT(problem(file_bytes(0, 1, key_bytes("k", 9, raw(8U) + raw(kHuge)))),
             contains("cut off"));
  std::string deep;
  for (int i = 0; i < 10; ++i)
    deep += raw(9U) + raw(std::uint64_t{1});
  CHECK(problem(file_bytes(0, 1, key_bytes("k", 9, deep))) ==
        "key \"k\" holds arrays nested deeper than 8 levels");
  CHECK(problem(file_bytes(0, 1, key_bytes("general.alignment", 4, raw(24U)))) ==
        "\"general.alignment\" is 24, expected a power of two");
  CHECK(problem(row(0, 0, 0)) == "tensor \"a\": size 0 of dimension 0 is out of range");
  CHECK(problem(row(kHuge, 0, 0)) ==
        "tensor \"a\": size 9223372036854775808 of dimension 0 is out of range");
  CHECK(problem(row(kHuge - 1, 0, 0)) == "tensor \"a\": has more than 2^63 bytes");
  CHECK_THAT(problem(row(32, 10, 0)), contains("tensor \"a\": has type 10, expected one of F32,"));
  CHECK(problem(row(33, 2, 0)) ==
        "tensor \"a\": has rows of 33 values, expected a multiple of 32 for Q4_0");
  CHECK(problem(row(17, 0, 0)) == "tensor \"a\": 68 bytes at 0 of the data, which has 64: cut off");
  CHECK(problem(row(1, 0, ~std::uint64_t{31})) ==
        "tensor \"a\": 4 bytes at 18446744073709551584 of the data, which has 64: cut off");
  CHECK(problem(row(1, 0, 4)) ==
        "tensor \"a\": begins at byte 4 of the data, expected a multiple of 32");
  CHECK(problem(file_bytes(1, 0, tensor_bytes("a", {1, 1, 1, 1, 1}, 0, 0), 64)) ==
        "tensor \"a\": has 5 dimensions, expected 1 to 4");
  CHECK(problem(file_bytes(2, 0, tensor_bytes("a", {1}, 0, 0) + tensor_bytes("a", {1}, 0, 32),
                           64)) == "tensor \"a\": occurs twice");
  CHECK(problem(file_bytes(2, 0, tensor_bytes("a", {16}, 0, 0) + tensor_bytes("b", {1}, 0, 32),
                           64)) == "tensors \"a\" and \"b\" overlap");
  CHECK(problem(row(16, 0, 0)) == "no error");
  CHECK(problem(file_bytes(0, 0, "", 0, 2)) == "no error");
}

TEST_CASE(
    "gguf_weights: a small Llama of all types has the gguf package's values, q and k in order",
    "[model][golden]") {
  const GgufFile file(golden("gguf/tiny.gguf"));
  const auto config = gguf_model_config(file);
  CHECK(config.rope_theta == 50000.0);
  CHECK(config.rms_norm_eps == 1e-5);
  CHECK(config.num_key_value_heads == 4);
  CHECK(config.head_dim == 32);
  CHECK(config.tie_word_embeddings);
  CHECK(config.eos_token_ids == std::vector<std::int64_t>{2});
  const auto layout = make_layout(config);
  const auto values = gguf_weights(file, config, layout);
  const SafetensorsFile wanted(golden("gguf/tiny_weights.safetensors"));
  for (const auto& p : layout.parameters) {
    INFO(p.name);
    const auto* const at = values.const_data_ptr<float>() + p.offset;
    const auto columns = p.shape.size() == 1 ? 1 : p.shape[1];
    std::vector<float> rows;  // every 61st
    for (std::int64_t row = 0; row < p.shape[0]; row += 61)
      rows.insert(rows.end(), at + row * columns, at + (row + 1) * columns);
    require_same_bits(rows, floats(wanted, p.name + ".rows"));
    double sum = 0.0;
    for (std::int64_t i = 0; i < p.size; ++i)
      sum += static_cast<double>(at[i]);
    CHECK(sum == Approx(static_cast<double>(floats(wanted, p.name + ".sum")[0])).epsilon(1e-6));
  }
}

TEST_CASE("gguf_model_config: what is not imported is refused by name", "[model]") {
  CHECK(import_problem(read_file(golden("gguf/tiny.gguf"))) == "no error");
  CHECK(import_problem(tiny_with(text_bytes("llama"), text_bytes("mamba"))) ==
        "architecture \"mamba\" is not imported, expected \"llama\"");
  CHECK_THAT(import_problem(tiny_with("llama.block_count", "llama.block_sount")),
             contains("\"llama.block_count\" is missing, expected a whole number") &&
                 contains("\"llama.block_sount\" is not known: it may change"));
}

TEST_CASE("gguf_model_config: rope_freqs.weight is Llama 3.1's scaling, or refused", "[model]") {
  // base / inv_freq of transformers 5.23's llama3 for Llama-3.2-1B: theta 5e5, head_dim 64, factor 32, low 1,
  // high 4, 8,192 positions
  std::vector<float> divisors(15, 1.0F);
  divisors.insert(divisors.end(), {1.6513291597366333F, 3.292262554168701F, 9.666729927062988F});
  divisors.resize(32, 32.0F);
  ModelConfig config;
  config.head_dim = 64;
  config.rope_theta = 500000;
  const RopeScaling wanted{RopeScaling::Kind::Llama3, 32.0, 1.0, 4.0, 8192, {}, {}, std::nullopt};
  CHECK(gguf_rope_scaling(config, divisors, std::nullopt) == wanted);
  CHECK(gguf_rope_scaling(config, divisors, 8192) == wanted);
  CHECK(gguf_rope_scaling(config, std::vector(32, 1.0F), std::nullopt) == RopeScaling{});
  CHECK_FALSE(gguf_rope_scaling(config, std::vector(32, 8.0F), std::nullopt));
  CHECK_FALSE(gguf_rope_scaling(config, std::vector(31, 1.0F), std::nullopt));

  const auto imported = [](std::span<const float> values) {
    const auto whole = [](const char* key, std::uint32_t value) {
      return key_bytes(std::string("llama.") + key, 4, raw(value));
    };
    auto bytes = file_bytes(2, 7,
                            key_bytes("general.architecture", 8, text_bytes("llama")) +
                                whole("embedding_length", 64) + whole("block_count", 1) +
                                whole("attention.head_count", 1) +
                                whole("feed_forward_length", 64) + whole("context_length", 131072) +
                                key_bytes("llama.rope.freq_base", 6, raw(500000.0F)) +
                                tensor_bytes("token_embd.weight", {64, 4}, 0, 0) +
                                tensor_bytes("rope_freqs.weight", {32}, 0, 1024),
                            1024 + 128);
    std::memcpy(&bytes[bytes.size() - 128], values.data(), 128);
    const TempFolder folder;
    write_text(folder / "x.gguf", bytes);
    return gguf_model_config(GgufFile(folder / "x.gguf")).rope_scaling;
  };
  CHECK(imported(divisors) == wanted);
  for (const float wrong : {9.67F, 0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    divisors[17] = wrong;
    CHECK_THAT(error_of([&] { imported(divisors); }),
               contains("\"rope_freqs.weight\" holds no 32 divisors of Llama 3.1's formula"));
  }
}

TEST_CASE("check_gguf_weights: tensors that are missing, of another shape or of no use are refused",
          "[model]") {
  CHECK_THAT(import_problem(tiny_with("blk.0.attn_q.weight", "blk.7.attn_q.weight")),
             contains("tensor \"blk.0.attn_q.weight\" is missing, expected shape [256, 256]") &&
                 contains("tensor \"blk.7.attn_q.weight\" with shape [256, 256] is not a part"));
  CHECK_THAT(import_problem(tiny_with(key_bytes("llama.feed_forward_length", 4, raw(64U)),
                                      key_bytes("llama.feed_forward_length", 4, raw(65U)))),
             contains("tensor \"blk.0.ffn_gate.weight\" has shape [64, 256], expected [65, 256]"));
}

TEST_CASE("gguf_tokenizer_files: a missing or unknown part is refused by name", "[model]") {
  const auto renamed = [](const std::string& key) {
    auto other = key;
    other.back() = '_';
    return import_problem(tiny_with(text_bytes(key), text_bytes(other)));
  };
  CHECK(renamed("tokenizer.ggml.model") ==
        "\"tokenizer.ggml.model\" is missing, expected \"gpt2\" (byte-level BPE)");
  CHECK(renamed("tokenizer.ggml.pre") ==
        "\"tokenizer.ggml.pre\" is missing, expected smollm, qwen2, llama-bpe, gpt-2 and default");
  CHECK(renamed("tokenizer.ggml.tokens") == "\"tokenizer.ggml.tokens\" is missing or empty");
  CHECK(renamed("tokenizer.ggml.merges") == "\"tokenizer.ggml.merges\" is missing");
  CHECK(import_problem(tiny_with(text_bytes("smollm"), text_bytes("bigllm"))) ==
        "\"tokenizer.ggml.pre\" is \"bigllm\", expected smollm, qwen2, llama-bpe, gpt-2 and "
        "default");
  CHECK(import_problem(tiny_with(text_bytes("gpt2"), text_bytes("bert"))) ==
        "\"tokenizer.ggml.model\" is \"bert\", expected \"gpt2\" (byte-level BPE)");
  CHECK_THAT(import_problem(tiny_with(text_bytes("<|im_end|>"), text_bytes("<|im_\xff\xfe|>|"))),
             contains("is not UTF-8"));
  CHECK(import_problem(tiny_with(text_bytes("<|im_start|>"), text_bytes("<|im_end|>  "))) ==
        "no error");
  CHECK_THAT(import_problem(tiny_with(key_bytes("tokenizer.ggml.bos_token_id", 4, raw(1U)),
                                      key_bytes("tokenizer.ggml.bos_token_id", 4, raw(423U)))),
             contains("\"tokenizer.ggml.bos_token_id\" is 423, which is no token"));
}

TEST_CASE("GgufFile: ten thousand broken files give a line or a sound file", "[model][fuzz]") {
  const aha_test::FuzzFolder folder;
  aha_test::Mutator mutator(3);
  const auto whole = read_file(golden("gguf/quants.gguf"));
  const auto head = whole.substr(0, 1200);  // where the parser decides
  const auto path = folder / "x";
  int sound = 0;
  for (int i = 0; i < 10000; ++i) {
    auto bytes = i % 2 == 0 ? mutator.mutate(whole) : mutator.mutate(head) + whole.substr(1200);
    if (i % 3 == 0)  // counts, lengths and offsets that overflow
      bytes.replace(std::min(bytes.size(), mutator.below(1200)), 8,
                    raw(~std::uint64_t{0} >> mutator.below(64)));
    write_text(path, bytes);
    try {
      const GgufFile file(path);
      for (const auto& [name, tensor] : file.tensors()) {
        if (tensor.bytes > bytes.size()) FAIL("more bytes than the file has");
        floats(file, name);
      }
      for (const auto& [key, value] : file.metadata())
        if (value.type == GgufType::Array) gguf_elements(value);
      ++sound;
    } catch (const UserError& error) {
      if (std::string_view(error.what()).empty()) FAIL("an error without words");
    }
  }
  CHECK(sound > 100);
  CHECK(sound < 9000);
}

TEST_CASE("gguf import: broken models give a line or a model", "[model][fuzz]") {
  const aha_test::FuzzFolder folder;
  aha_test::Mutator mutator(4);
  const auto whole = read_file(golden("gguf/tiny.gguf"));
  const auto table = whole.find("token_embd.weight") + 2000;  // the data cannot break anything
  const auto head = whole.substr(0, table);
  const auto path = folder / "x";
  for (int i = 0; i < 500; ++i) {
    write_text(path, mutator.mutate(head) + whole.substr(table));
    const auto said = error_of([&] {
      const GgufFile file(path);
      const auto config = gguf_model_config(file);
      gguf_weights(file, config, make_layout(config));
      gguf_tokenizer_files(file);
    });
    if (said.empty()) FAIL("an error without words");
  }
}
