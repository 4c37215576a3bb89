#include "trainer/model/staging.h"

#include <cstring>

namespace aha {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t padded(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

template <class Pieces>
std::size_t total(const Pieces& pieces) {
  std::size_t sum = 0;
  for (const auto& piece : pieces)
    sum += padded(piece.bytes);
  return sum;
}

}  // namespace

void Staging::send(const Memory& memory) {
  image_.resize(memory.host ? 0 : total(pieces_));
  const auto bytes = static_cast<std::int64_t>(image_.size());
  auto* base =
      bytes > 0 ? reinterpret_cast<std::byte*>(buffer_.reserve(bytes / 4, memory)) : nullptr;
  std::size_t at = 0;
  for (const auto& piece : pieces_) {
    piece.set(piece.place, memory.host ? piece.data : base + at);
    if (memory.host) continue;
    std::memcpy(image_.data() + at, piece.data, piece.bytes);
    at += padded(piece.bytes);
  }
  if (bytes > 0) memory.upload(image_.data(), bytes, base);
  pieces_.clear();
}

void Returning::prepare(const Memory& memory) {
  image_.resize(memory.host ? 0 : total(pieces_));
  const auto bytes = static_cast<std::int64_t>(image_.size());
  auto* base =
      bytes > 0 ? reinterpret_cast<std::byte*>(buffer_.reserve(bytes / 4, memory)) : nullptr;
  std::size_t at = 0;
  for (const auto& piece : pieces_) {
    piece.set(piece.place, memory.host ? piece.data : base + at);
    at += memory.host ? 0 : padded(piece.bytes);
  }
}

void Returning::receive(const Memory& memory) {
  if (!image_.empty())
    memory.download(buffer_.data(), static_cast<std::int64_t>(image_.size()), image_.data());
  std::size_t at = 0;
  for (const auto& piece : pieces_) {
    if (memory.host) break;
    std::memcpy(piece.data, image_.data() + at, piece.bytes);
    at += padded(piece.bytes);
  }
  pieces_.clear();
}

}  // namespace aha
