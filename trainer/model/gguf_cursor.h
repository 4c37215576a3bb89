#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/model/gguf.h"

namespace aha {

/// Takes a GGUF file apart from its first byte on, never beyond its end: UserError
/// "WHERE: cut off: ..." instead.
class GgufCursor {
 public:
  GgufCursor(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  std::size_t position() const { return at_; }

  /// `what` names it in the message.
  std::string_view take(std::uint64_t count, std::string_view what) {
    const auto left = bytes_.size() - at_;
    if (count > left)
      fail("{}: cut off: {} at byte {} takes {} bytes, but {} are left", where_, what, at_, count,
           left);
    const auto taken = bytes_.substr(at_, static_cast<std::size_t>(count));
    at_ += taken.size();
    return taken;
  }

  template <class Number>
  Number number(std::string_view what) {
    Number value;
    std::memcpy(&value, take(sizeof(Number), what).data(), sizeof(Number));
    return value;
  }

  /// A length of 8 bytes, then as many bytes.
  std::string_view text(std::string_view what) { return take(number<std::uint64_t>(what), what); }

  /// A value of this type; `what` names it in the message.
  GgufValue value(GgufType type, const std::string& what);
  /// A type of 4 bytes.
  GgufType type(const std::string& what);

 private:
  void pass(GgufType type, const std::string& what, int depth);
  void pass_array(const std::string& what, int depth);

  std::string_view bytes_;
  std::string where_;
  std::size_t at_ = 0;
};

}  // namespace aha
