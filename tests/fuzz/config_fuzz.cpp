// A configuration file's text: a configuration, or errors for its author.
#include "tests/fuzz/fuzz_input.h"
#include "trainer/config/dump.h"
#include "trainer/config/load.h"
#include "trainer/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(aha_fuzz::text_of(data, size));
  try {
    aha::resolved_yaml(aha::parse_config(text, "fuzz.yaml"));
  } catch (const aha::UserError& error) {
    aha_fuzz::require(!std::string_view(error.what()).empty());
  }
  return 0;
}
