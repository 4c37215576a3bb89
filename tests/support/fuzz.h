#pragma once
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/temp_folder.h"

namespace aha_test {

/// A folder for thousands of short-lived files: in memory where the system has such a place.
class FuzzFolder {
 public:
  FuzzFolder() {
    if (std::string name = "/dev/shm/aha_test_XXXXXX"; ::mkdtemp(name.data()) != nullptr)
      memory_ = name;
  }
  ~FuzzFolder() {
    std::error_code ignored;
    if (!memory_.empty()) std::filesystem::remove_all(memory_, ignored);
  }
  FuzzFolder(const FuzzFolder&) = delete;
  FuzzFolder& operator=(const FuzzFolder&) = delete;

  const std::filesystem::path& path() const { return memory_.empty() ? disk_.path() : memory_; }
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }

 private:
  TempFolder disk_;
  std::filesystem::path memory_;
};

/// What hurts readers of JSON.
inline const std::vector<std::string>& hostile_json() {
  static const std::vector<std::string> kPieces{"-1",
                                                "0",
                                                "1e18",
                                                "1e400",
                                                "9223372036854775807",
                                                "18446744073709551615",
                                                "99999999999999999999",
                                                "0.5",
                                                "null",
                                                "true",
                                                "[]",
                                                "{}",
                                                "\"\"",
                                                "[[[[",
                                                "}",
                                                "\"",
                                                ",",
                                                "[0,1]",
                                                "[-4,2]",
                                                "[4294967296,4294967296]",
                                                "\"F64\"",
                                                "\"I64\"",
                                                "NaN",
                                                "\\u0000",
                                                "\xff"};
  return kPieces;
}

/// Makes broken texts of whole ones: bytes flipped, cut out, doubled, or replaced by one of the
/// `hostile` pieces; and numbers replaced, or the end cut off. The same seed gives the same cases.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed, std::vector<std::string> hostile = hostile_json())
      : random_(seed), hostile_(std::move(hostile)) {}

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  const std::string& one_of(const std::vector<std::string>& list) {
    return list[below(list.size())];
  }

  std::string mutate(std::string text, std::size_t most_changes = 4) {
    for (auto times = 1 + below(most_changes); times > 0; --times)
      mutate_once(text);
    return text;
  }

 private:
  void mutate_once(std::string& text) {
    if (text.empty()) text = "x";
    const auto at = below(text.size());
    const auto length = std::min(1 + below(8), text.size() - at);
    switch (below(7)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1U << below(8)));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), 1 + below(40)));
        break;
      case 3:
        text.replace(at, length, one_of(hostile_));
        break;
      case 4:
        text.insert(at, one_of(hostile_));
        break;
      case 5:
        replace_number(text, one_of(hostile_));
        break;
      default:
        text.resize(at);
        break;
    }
  }

  /// Puts `with` in place of a whole number, so that the rest still parses.
  void replace_number(std::string& text, std::string_view with) {
    constexpr std::string_view kDigits = "0123456789";
    const auto from = text.find_first_of(kDigits, below(text.size()));
    if (from == std::string::npos) return;
    const auto to = std::min(text.find_first_not_of(kDigits, from), text.size());
    text.replace(from, to - from, with);
  }

  std::mt19937_64 random_;
  std::vector<std::string> hostile_;
};

}  // namespace aha_test
