#pragma once
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "trainer/kernels/buffer.h"

namespace aha {

/// Small arrays of the host that have places in a table's memory, one behind the other. Where that is the
/// host's own, their places are where they are. Reused from call to call.
class PlacedArrays {
 protected:
  /// `place` will be the address; nullptr for an empty array.
  template <class T>
  void add(T* data, std::size_t bytes, T*& place) {
    place = nullptr;
    if (bytes == 0) return;
    pieces_.push_back(
        {const_cast<std::remove_const_t<T>*>(data), bytes, &place,
         [](void* to, void* address) { *static_cast<T**>(to) = static_cast<T*>(address); }});
  }
  /// Gives out the places; `image_` is then as large as they are together, empty in the host's own memory.
  void give_places(const Memory& memory);
  /// Of each array its address, its bytes and where in the image it stands.
  template <class Visit>
  void visit(Visit&& body) {
    std::size_t at = 0;
    for (const auto& piece : pieces_) {
      body(piece.data, piece.bytes, image_.data() + at);
      at += padded(piece.bytes);
    }
  }

  struct Piece {
    void* data;
    std::size_t bytes;
    void* place;
    void (*set)(void* place, void* address);
  };
  static std::size_t padded(std::size_t bytes);

  std::vector<Piece> pieces_;
  std::vector<std::byte> image_;
  Buffer buffer_;
};

/// Arrays on their way to a table's memory, in one transfer.
class Staging : PlacedArrays {
 public:
  /// `place` will be the array's address in the table's memory, once sent. An empty array has none.
  template <class T>
  void add(std::span<const T> values, const T*& place) {
    PlacedArrays::add(values.data(), values.size_bytes(), place);
  }
  void send(const Memory& memory);
  /// Takes a device's memory for `arrays` arrays of so many bytes together.
  void expect(std::int64_t bytes, std::int64_t arrays, const Memory& memory);
};

/// Arrays that a table writes for the host, brought back in one transfer.
class Returning : PlacedArrays {
 public:
  /// `place` will be where the table is to write `wanted`, once prepared. An empty array has none.
  template <class T>
  void add(std::span<T> wanted, T*& place) {
    PlacedArrays::add(wanted.data(), wanted.size_bytes(), place);
  }
  void prepare(const Memory& memory) { give_places(memory); }
  /// After the table's calls.
  void receive(const Memory& memory);
};

}  // namespace aha
