#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "trainer/core/error.h"

namespace aha {

/// Values one after the other in a string of bytes, for messages between ranks of one program: the
/// machine's own byte order, no versions.
class ByteWriter {
 public:
  template <class T>
  void add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void add(const std::string& text) {
    add(text.size());
    bytes_ += text;
  }
  template <class T>
  void add(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    add(values.size());
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote, in the same order. InternalError when the bytes end before.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text() { return std::string(take(get<std::size_t>())); }
  template <class T>
  std::vector<T> values() {
    const auto count = get<std::size_t>();
    check(count <= rest_.size() / sizeof(T), "a message is as long as it says");
    std::vector<T> result(count);
    if (count > 0) std::memcpy(result.data(), take(count * sizeof(T)).data(), count * sizeof(T));
    return result;
  }

 private:
  std::string_view take(std::size_t size) {
    check(size <= rest_.size(), "a message is as long as it says");
    const auto part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }

  std::string_view rest_;
};

}  // namespace aha
