#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "trainer/kernels/buffer.h"

namespace aha {

/// Small arrays of the host on their way to a table's memory, in one transfer. Where that is the host's own,
/// nothing is moved. Reused from call to call.
class Staging {
 public:
  /// `place` will be the array's address in the table's memory, once sent. An empty array has none.
  template <class T>
  void add(std::span<const T> values, const T*& place) {
    place = nullptr;
    if (values.empty()) return;
    pieces_.push_back(
        {values.data(), values.size_bytes(), &place, [](void* to, const void* address) {
           *static_cast<const T**>(to) = static_cast<const T*>(address);
         }});
  }
  void send(const Memory& memory);

 private:
  struct Piece {
    const void* data;
    std::size_t bytes;
    void* place;
    void (*set)(void* place, const void* address);
  };
  std::vector<Piece> pieces_;
  std::vector<std::byte> image_;
  Buffer buffer_;
};

/// Small arrays that a table writes for the host, brought back in one transfer.
class Returning {
 public:
  /// `place` will be where the table is to write `wanted`, once prepared.
  template <class T>
  void add(std::span<T> wanted, T*& place) {
    pieces_.push_back({wanted.data(), wanted.size_bytes(), &place, [](void* to, void* address) {
                         *static_cast<T**>(to) = static_cast<T*>(address);
                       }});
  }
  void prepare(const Memory& memory);
  /// After the table's calls.
  void receive(const Memory& memory);

 private:
  struct Piece {
    void* data;
    std::size_t bytes;
    void* place;
    void (*set)(void* place, void* address);
  };
  std::vector<Piece> pieces_;
  std::vector<std::byte> image_;
  Buffer buffer_;
};

}  // namespace aha
