#include "trainer/report/encode.h"

#include <zlib.h>

#include <vector>

#include "tests/support/catch.h"
#include "trainer/core/error.h"
#include "trainer/report/page_files.h"

using namespace aha;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<std::uint8_t> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    word = (word << 6U) | static_cast<std::uint32_t>(kDigits.find(c));
    bits += 6;
    if (bits >= 8)
      bytes.push_back(static_cast<std::uint8_t>(word >> static_cast<unsigned>(bits -= 8)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("base64: the vectors of RFC 4648", "[report]") {
  CHECK(base64(bytes_of("")).empty());
  CHECK(base64(bytes_of("f")) == "Zg==");
  CHECK(base64(bytes_of("fo")) == "Zm8=");
  CHECK(base64(bytes_of("foo")) == "Zm9v");
  CHECK(base64(bytes_of("foob")) == "Zm9vYg==");
  CHECK(base64(bytes_of("fooba")) == "Zm9vYmE=");
  CHECK(base64(bytes_of("foobar")) == "Zm9vYmFy");
  CHECK(base64(bytes_of("\xff\xfe\xfd")) == "//79");
}

TEST_CASE("packed: zlib reads it back, and it holds nothing that HTML knows", "[report]") {
  std::string text = "</script><script>alert(1)</script><!-- \x01\xff ";
  for (int i = 0; i < 12; ++i)
    text += text;
  const std::string code = packed(text);
  CHECK(code.find_first_of("<>&\"'-") == std::string::npos);
  CHECK(code.size() < text.size() / 20);
  const auto bytes = from_base64(code);
  std::string back(text.size(), '\0');
  uLongf size = back.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(back.data()), &size, bytes.data(), bytes.size()) ==
          Z_OK);
  CHECK(back == text);
}

TEST_CASE("html_escaped: no character is left that could be markup", "[report]") {
  CHECK(html_escaped("<a href=\"x\" b='y'>&amp;") ==
        "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
}

TEST_CASE("csp_source: the hash of nothing, as the Content-Security-Policy writes it", "[report]") {
  CHECK(csp_source("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") ==
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  CHECK_THROWS_AS(csp_source("00"), InternalError);
}

TEST_CASE("page_file: every part is there and ends no element that holds it", "[report]") {
  for (const char* name :
       {"script", "style", "body", "dygraphs_script", "dygraphs_style", "dygraphs_licence"}) {
    INFO(name);
    const PageFile file = page_file(name);
    CHECK_FALSE(file.text.empty());
    CHECK(file.sha256.size() == 64);
    for (const char* end : {"</script", "</style", "<!--", "-->"})
      CHECK(file.text.find(end) == std::string_view::npos);
  }
  CHECK(page_file("none").text.empty());
  CHECK(page_file("dygraphs_licence").text.find("MIT") != std::string_view::npos);
}
