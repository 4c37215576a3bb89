// What each rule cuts out of a text is a text of bounded size, the same each time.
#include "rewards/math/extraction.h"
#include "rewards/text_scan.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = aha_fuzz::text_of(data, size);
  for (const auto& rule : aha::math::extraction_rules()) {
    for (const bool bare : {false, true}) {
      const auto answer = aha::math::extracted_answer(text, rule.place, bare);
      aha_fuzz::require(answer.how != nullptr);
      aha_fuzz::require(answer.text.size() <= 2 * size + 16);
    }
  }
  aha::math::extracted_gold(text);
  aha::last_tagged(text, "answer");
  aha::last_words(text, 3);
  aha_fuzz::require(aha::clipped(text).size() <= 200);
  return 0;
}
