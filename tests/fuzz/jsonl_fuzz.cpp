// A data file's lines, and the rows that `aha score` reads: a row, or one sentence that says why it is none.
#include <sstream>

#include "data/line_reader.h"
#include "rewards/offline.h"
#include "rewards/registry.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLine = 1024;
  const auto text = aha_fuzz::text_of(data, size);
  const aha_fuzz::MemoryFile file(text);
  aha::LineReader reader(file.path(), kLine);
  while (const auto line = reader.next()) {
    aha::Json row;
    if (!aha::read_row(*line, kLine, row)) aha::dump_line(row);
  }
  aha_fuzz::require(reader.bytes() == std::ssize(text));

  std::istringstream in{std::string(text)};
  std::ostringstream out;
  try {
    aha::score_jsonl(in, out, {.reward = aha::parse_reward_spec("math"), .label = "label"});
  } catch (const aha::UserError& error) {
    aha_fuzz::require(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
  return 0;
}
