// First line: a row of messages with variables; the rest: a chat template. It is rendered, the same each time, or
// refused.
#include "data/tokenizer/chat_template.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/core/error.h"

namespace {

std::string rendered(std::string_view row, std::string_view source) {
  const std::string known =
      R"({"messages": [{"role": "user", "content": "hi"}], "date": "2024-07-26"})";
  try {
    const aha::ChatTemplate chat(source, "fuzz", {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
    auto json = aha::parse_ordered_json(row.starts_with("{") ? row : known, "fuzz");
    return aha::render_row(chat, json, "fuzz");
  } catch (const aha::UserError& error) {
    aha_fuzz::require(!std::string_view(error.what()).empty());
    return error.what();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [row, source] = aha_fuzz::split(aha_fuzz::text_of(data, size));
  const auto text = rendered(row, source);
  if (size < 256) aha_fuzz::require(text == rendered(row, source));
  return 0;
}
