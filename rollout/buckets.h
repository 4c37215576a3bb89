#pragma once
#include "trainer/kernels/ops.h"

namespace aha {

/// The most rows that a device decodes side by side: more are no faster, and want more keys and values.
constexpr Index kMostRows = 512;

/// Tokens of prompts that a device takes at a time: enough to be busy with, and no more memory than that.
constexpr Index kPrefillTokens = 8192;

/// Rows of the smallest recorded step that has room for `rows`, 1 to kMostRows: 1, 2, 4, 8, then multiples of 16.
constexpr Index bucket_of(Index rows) {
  if (rows > 8) return round_up(rows, 16);
  Index bucket = 1;
  while (bucket < rows)
    bucket *= 2;
  return bucket;
}

}  // namespace aha
