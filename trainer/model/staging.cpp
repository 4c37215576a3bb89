#include "trainer/model/staging.h"

#include <cstring>

namespace aha {

std::size_t PlacedArrays::padded(std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void PlacedArrays::give_places(const Memory& memory) {
  std::size_t total = 0;
  for (const auto& piece : pieces_)
    total += padded(piece.bytes);
  image_.resize(memory.host ? 0 : total);
  std::byte* base = nullptr;
  if (!image_.empty()) {
    const auto bytes = static_cast<std::int64_t>(image_.size());
    // with room to grow: sequences need more places from step to step, and a device allocates slowly
    const auto wanted = bytes > buffer_.bytes() ? bytes + bytes / 2 : bytes;
    base = reinterpret_cast<std::byte*>(buffer_.reserve(wanted / 4, memory));
  }
  for (const auto& piece : pieces_) {
    piece.set(piece.place, memory.host ? piece.data : base);
    if (!memory.host) base += padded(piece.bytes);
  }
}

void Staging::expect(std::int64_t bytes, std::int64_t arrays, const Memory& memory) {
  const auto padding = static_cast<std::int64_t>(padded(1));
  if (!memory.host) buffer_.reserve((bytes + arrays * padding + 3) / 4, memory);
}

void Staging::send(const Memory& memory) {
  give_places(memory);
  if (!image_.empty()) {
    visit([](const void* data, std::size_t bytes, std::byte* place) {
      std::memcpy(place, data, bytes);
    });
    memory.upload(image_.data(), static_cast<std::int64_t>(image_.size()), buffer_.data());
  }
  pieces_.clear();
}

void Returning::receive(const Memory& memory) {
  if (!image_.empty()) {
    memory.download(buffer_.data(), static_cast<std::int64_t>(image_.size()), image_.data());
    visit([](void* data, std::size_t bytes, const std::byte* place) {
      std::memcpy(data, place, bytes);
    });
  }
  pieces_.clear();
}

}  // namespace aha
