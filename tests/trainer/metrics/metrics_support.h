#pragma once
#include <string>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/core/types/group.h"

namespace aha_test {

inline aha::Json golden(const std::string& name) {
  return aha::read_json(std::string(AHA_SOURCE_DIR) + "/tests/golden/metrics/" + name);
}

/// A completion of `length` tokens.
inline aha::Completion completion(std::int64_t length, bool truncated,
                                  const std::string& text = "") {
  aha::Completion c;
  const auto n = static_cast<std::size_t>(length);
  c.ids.assign(n, 1);
  c.logprobs.assign(n, -1.0F);
  c.entropies.assign(n, 0.5F);
  c.sampled.assign(n, 1);
  c.finish = truncated ? aha::FinishReason::Length : aha::FinishReason::Stop;
  c.text = text;
  return c;
}

}  // namespace aha_test
