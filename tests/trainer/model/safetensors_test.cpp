#include "trainer/model/safetensors.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "tests/support/catch.h"
#include "tests/support/fuzz.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/model/support.h"
#include "trainer/core/json.h"

using namespace aha;
using aha_test::error_of;
using aha_test::floats;
using aha_test::golden;
using aha_test::safetensors_bytes;
using aha_test::TempFolder;
using aha_test::write_text;

namespace {

/// The error's text after "FILE: ".
std::string problem(const std::string& bytes) {
  const TempFolder folder;
  const auto path = folder / "x.safetensors";
  write_text(path, bytes);
  auto message = error_of([&] { SafetensorsFile file(path); });
  const auto prefix = path.string() + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

std::string problem(const char* header, std::size_t data_bytes) {
  return problem(safetensors_bytes(header, std::string(data_bytes, '\0')));
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("SafetensorsFile: F16 is widened as torch does, subnormals too", "[model][golden]") {
  const SafetensorsFile file(golden("model/rounding.safetensors"));
  CHECK(file.metadata().at("torch") == "2.11.0");
  const auto got = floats(file, "f16");
  const auto wanted = floats(file, "f16_as_f32");
  REQUIRE(got.size() > 4000);
  CHECK(std::any_of(got.begin(), got.end(), [](float x) { return x != 0 && std::abs(x) < 6e-5F; }));
  for (std::size_t i = 0; i < got.size(); ++i)
    REQUIRE(std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(wanted[i]));
}

TEST_CASE("SafetensorsFile: read in pieces a tensor has the values of one read",
          "[model][golden]") {
  const SafetensorsFile file(golden("model/rounding.safetensors"));
  for (const char* name : {"f16", "f16_as_f32"}) {
    const auto whole = floats(file, name);
    const auto size = static_cast<std::int64_t>(whole.size());
    for (const std::int64_t most : {std::int64_t{1000}, size - 1, size, size + 1}) {
      std::vector<float> pieces;
      file.read_pieces(name, most, [&](std::int64_t first, std::span<const float> values) {
        CHECK(first == static_cast<std::int64_t>(pieces.size()));
        CHECK(static_cast<std::int64_t>(values.size()) <= most);
        pieces.insert(pieces.end(), values.begin(), values.end());
      });
      REQUIRE(pieces.size() == whole.size());
      CHECK(std::memcmp(pieces.data(), whole.data(), 4 * whole.size()) == 0);
    }
  }
}

TEST_CASE("write_safetensors: BF16 is rounded as torch does", "[model][golden]") {
  const SafetensorsFile file(golden("model/rounding.safetensors"));
  const auto values = floats(file, "f32");
  const auto wanted = floats(file, "f32_as_bf16");
  const TempFolder folder;
  const auto size = static_cast<std::int64_t>(values.size());
  const NamedTensor tensor{"x", {size}, std::span(values), FloatType::BF16};
  write_safetensors(folder / "x.safetensors", {&tensor, 1});
  const SafetensorsFile written(folder / "x.safetensors");
  CHECK(written.find("x")->dtype == "BF16");
  const auto got = floats(written, "x");
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO(values[i]);
    REQUIRE(std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(wanted[i]));
  }
}

TEST_CASE("write_safetensors: a NaN stays a NaN in BF16", "[model]") {
  const TempFolder folder;
  // all payload in the low half: truncation would make an infinity of it
  const std::vector<float> values{std::bit_cast<float>(0x7f800001U),
                                  std::numeric_limits<float>::quiet_NaN()};
  const NamedTensor tensor{"x", {2}, std::span(values), FloatType::BF16};
  write_safetensors(folder / "x.safetensors", {&tensor, 1});
  for (const float x : floats(SafetensorsFile(folder / "x.safetensors"), "x"))
    CHECK(std::isnan(x));
}

TEST_CASE("write_safetensors: the bytes are exactly these, in whatever order given", "[model]") {
  const std::vector<float> a{1.0F, -2.0F};
  const std::vector<std::int64_t> n{7};
  const std::vector<NamedTensor> tensors{{"b", {1, 2}, std::span(a), FloatType::BF16},
                                         {"step", {}, std::span(n)},
                                         {"a", {2}, std::span(a), FloatType::F32},
                                         {"none", {0}, std::span<const float>()}};
  const TempFolder folder;
  write_safetensors(folder / "x", tensors);
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
      R"("none":{"dtype":"F32","shape":[0],"data_offsets":[16,16]},)"
      R"("b":{"dtype":"BF16","shape":[1,2],"data_offsets":[16,20]}})";
  const auto padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x07\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\xc0\x80\x3f\0\xc0", 20);
  CHECK(read_file(folder / "x") == safetensors_bytes(padded, data));

  const std::vector<NamedTensor> turned(tensors.rbegin(), tensors.rend());
  write_safetensors(folder / "y", turned);
  CHECK(read_file(folder / "y") == read_file(folder / "x"));

  const SafetensorsFile file(folder / "x");
  CHECK(floats(file, "b") == a);
  CHECK(floats(file, "none").empty());
  std::int64_t step = 0;
  file.read("step", std::span(&step, 1));
  CHECK(step == 7);
}

TEST_CASE("SafetensorsFile: a read of the wrong kind is an error", "[model]") {
  const TempFolder folder;
  const std::vector<float> a{1.0F, -2.0F};
  const std::vector<std::int64_t> n{7, 8};
  const std::vector<NamedTensor> tensors{{"a", {2}, std::span(a)}, {"n", {2}, std::span(n)}};
  const auto path = folder / "x";
  write_safetensors(path, tensors);
  const SafetensorsFile file(path);
  std::vector<float> f(2);
  std::vector<std::int64_t> i(2);
  const auto says = [&](const auto& body) { return error_of(body).substr(path.string().size()); };
  CHECK(says([&] { file.read("c", std::span(f)); }) == ": tensor \"c\" is missing");
  CHECK(says([&] { file.read("a", std::span(f).first(1)); }) ==
        ": tensor \"a\" has 2 elements, expected 1");
  CHECK(says([&] { file.read("n", std::span(f)); }) ==
        ": tensor \"n\" has dtype I64, expected F32, BF16 or F16");
  CHECK(says([&] { file.read("a", std::span(i)); }) ==
        ": tensor \"a\" has dtype F32, expected I64");
}

TEST_CASE("SafetensorsFile: a hostile header is refused by name", "[model]") {
  struct Row {
    const char* header;
    std::size_t data_bytes;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {R"([1])", 0, "header is not a JSON object"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, R"("a" occurs twice in the header)"},
      {R"({"a":{"dtype":"F32","dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8,
       R"("dtype" occurs twice in the header)"},
      {R"({"a":3})", 0, R"(tensor "a": expected an object with dtype, shape and data_offsets)"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 0,
       R"(tensor "a": expected an object with dtype, shape and data_offsets)"},
      {R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4,
       R"(tensor "a": dtype is "F33", expected F32, BF16, F16, I64 or another dtype of safetensors)"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
       R"(tensor "a": shape holds "-1", expected whole numbers)"},
      {R"({"a":{"dtype":"F32","shape":4,"data_offsets":[0,4]}})", 4,
       R"(tensor "a": shape is not a list of at most 32 sizes)"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4,
       R"(tensor "a": shape has more than 2^63 elements)"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4,
       R"(tensor "a": data_offsets span 4 bytes, expected what shape and dtype take)"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
       R"(tensor "a": data_offsets span 4 bytes, expected what shape and dtype take)"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4,
       R"(tensor "a": data_offsets is not a pair [begin, end] of whole numbers)"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4,
       R"(tensor "a": data_offsets is not a pair [begin, end] of whole numbers)"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
       R"(tensor "a": ends at byte 8 of the data, but the file holds 4: cut off)"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615]}})",
       4, R"(tensor "a": data_offsets is not a pair [begin, end] of whole numbers)"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775800,9223372036854775804]}})",
       4,
       R"(tensor "a": ends at byte 9223372036854775804 of the data, but the file holds 4: cut off)"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, R"(tensor "b": begins at byte 4 of the data, expected 8 (no overlap, no hole))"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
       R"(tensor "a": begins at byte 4 of the data, expected 0 (no overlap, no hole))"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 12,
       "8 bytes follow the last tensor, expected none"},
      {R"({"__metadata__":{"format":1}})", 0, "__metadata__ is not an object of strings"},
  }));
  INFO(row.header);
  CHECK(problem(row.header, row.data_bytes) == row.says);
}

TEST_CASE("SafetensorsFile: a file that is no safetensors file is refused", "[model]") {
  CHECK(problem("abc") == "has 3 bytes, expected a safetensors file (at least 8 bytes)");
  CHECK(problem(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)) ==
        "header length is 18446744073709551615, expected at most 2: not a safetensors file, or cut "
        "off");
  CHECK_THAT(problem(safetensors_bytes("{\"a\":", "")), aha_test::contains("not valid JSON"));
  CHECK_THAT(problem(safetensors_bytes(std::string(100000, '['), "")),
             aha_test::contains("nested deeper"));
  CHECK(problem(safetensors_bytes("{}", "")) == "no error");
}

TEST_CASE("SafetensorsFile: a file cut anywhere is refused", "[model]") {
  const auto whole = read_file(golden("model/tied_bf16_sharded/model-00003-of-00003.safetensors"));
  for (std::size_t size = 0; size < whole.size(); size += 97)
    REQUIRE(problem(whole.substr(0, size)) != "no error");
}

TEST_CASE("SafetensorsFile: 10,000 broken files give an error or a file that reads", "[model]") {
  const aha_test::FuzzFolder folder;
  aha_test::Mutator mutator(2);
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},)"
      R"("c":{"dtype":"I64","shape":[],"data_offsets":[32,40]}})";
  int sound = 0;
  for (int i = 0; i < 10000; ++i) {
    // every other case keeps a right length before a broken header, to get past the first check
    const auto bytes = i % 2 == 0 ? safetensors_bytes(mutator.mutate(header), std::string(40, 'x'))
                                  : mutator.mutate(safetensors_bytes(header, std::string(40, 'x')));
    write_text(folder / "x", bytes);
    try {
      const SafetensorsFile file(folder / "x");
      std::size_t values = 0;
      for (const auto& [name, tensor] : file.tensors()) {
        values += static_cast<std::size_t>(tensor.size);
        if (values > bytes.size()) FAIL("more values than bytes: " << bytes);
        if (tensor.dtype == "F32" || tensor.dtype == "BF16") floats(file, name);
      }
      ++sound;
    } catch (const UserError& error) {
      if (std::string_view(error.what()).empty()) FAIL("an error without words: " << bytes);
    }
  }
  CHECK(sound > 50);
  CHECK(sound < 9000);
}

TEST_CASE("write_safetensors: a full disk leaves the old file and nothing else", "[model]") {
  const TempFolder folder;
  const auto path = folder / "x.safetensors";
  write_text(path, "old");
  std::filesystem::create_symlink("/dev/full", folder / "x.safetensors.tmp");
  const std::vector<float> values(100000, 1.0F);
  const NamedTensor tensor{"x", {100000}, std::span(values)};
  CHECK(error_of([&] {
          write_safetensors(path, {&tensor, 1});
        }) == path.string() + ": writing failed: No space left on device");
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("write_safetensors: a folder that is not there is named", "[model]") {
  const TempFolder folder;
  const auto path = folder / "none/x.safetensors";
  CHECK(error_of([&] { write_safetensors(path, {}); }) ==
        path.string() + ": cannot be written: No such file or directory");
}
