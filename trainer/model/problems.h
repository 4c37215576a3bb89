#pragma once
#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/core/json.h"

namespace aha {

/// A name from an untrusted file, fit for one line of an error message.
inline std::string shown_name(std::string_view text) {
  constexpr std::size_t kLimit = 100;
  auto line = dump_line(Json(text.substr(0, kLimit)));
  if (text.size() > kLimit) line += "...";
  return line;
}

/// Independent things that are wrong, thrown together as one UserError with a line each. After
/// kMaxLines only their number is kept: a wrong folder can have thousands. `where`, when given,
/// begins each line.
class ModelProblems {
 public:
  explicit ModelProblems(std::string where = "")
      : prefix_(where.empty() ? std::move(where) : std::move(where) + ": ") {}

  template <class... Args>
  void add(fmt::format_string<Args...> line, Args&&... args) {
    if (++count_ > kMaxLines) return;
    if (!text_.empty()) text_ += '\n';
    text_ += prefix_ + fmt::format(line, std::forward<Args>(args)...);
  }
  bool none() const { return count_ == 0; }
  /// Throws when there are any.
  void raise() const {
    if (none()) return;
    if (count_ <= kMaxLines) throw UserError(text_);
    throw UserError(text_ + fmt::format("\n... and {} more like these", count_ - kMaxLines));
  }

 private:
  static constexpr std::size_t kMaxLines = 20;
  std::string prefix_;
  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace aha
