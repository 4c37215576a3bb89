#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "trainer/core/json.h"

namespace aha {

/// 64-bit hash of bytes that is the same on every machine and in every version: FNV-1a (offset
/// basis 0xcbf29ce484222325, prime 0x100000001b3) followed by the 64-bit finaliser of MurmurHash3.
/// Not for adversaries. Which problems are held out, and which rows are duplicates, rest on it:
/// never change it.
std::uint64_t text_hash(std::string_view bytes);

/// Which question a row asks: the hash of row[field], a text as it stands and anything else as
/// JSON; of the whole row when it has no such field. Rows with equal hashes count as the same
/// question.
std::uint64_t question_hash(const Json& row, const std::string& field);

/// Lets maps keyed by std::string be asked with a std::string_view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace aha
