#include "trainer/metrics/tensorboard.h"

#include <bit>
#include <cmath>
#include <concepts>
#include <limits>
#include <vector>

#include "trainer/core/crc32c.h"

namespace aha {
namespace {

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8U;
}

template <std::unsigned_integral T>
void put_little_endian(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// Protocol buffer wire format: a field is a varint (number << 3 | type), then the value.
enum Wire : std::uint32_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, std::uint32_t field, Wire wire) {
  put_varint(out, field << 3 | wire);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, Bytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_double(std::string& out, std::uint32_t field, double value) {
  put_key(out, field, Fixed64);
  put_little_endian(out, std::bit_cast<std::uint64_t>(value));
}

/// proto3 leaves a zero out, except in a `oneof`.
std::string event_head(double wall_time) {
  std::string event;
  if (std::bit_cast<std::uint64_t>(wall_time) != 0) put_double(event, 1, wall_time);
  return event;
}

}  // namespace

std::string scalar_event(double wall_time, std::int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const auto& scalar : scalars) {
    std::string value;
    put_bytes(value, 1, scalar.tag);
    put_key(value, 2, Fixed32);
    put_little_endian(value, std::bit_cast<std::uint32_t>(scalar.value));
    put_bytes(summary, 1, value);
  }
  std::string event = event_head(wall_time);
  if (step != 0) {
    put_key(event, 2, Varint);
    put_varint(event, static_cast<std::uint64_t>(step));
  }
  put_bytes(event, 5, summary);
  return event;
}

std::string version_event(double wall_time) {
  std::string event = event_head(wall_time);
  put_bytes(event, 3, "brain.Event:2");
  return event;
}

std::string tf_record(std::string_view bytes) {
  std::string length;
  put_little_endian(length, static_cast<std::uint64_t>(bytes.size()));
  std::string record = length;
  put_little_endian(record, masked_crc32c(length));
  record += bytes;
  put_little_endian(record, masked_crc32c(bytes));
  return record;
}

TensorboardWriter::TensorboardWriter(const std::filesystem::path& folder, double wall_time,
                                     std::uint64_t offset)
    : file_(folder / kFileName, offset) {
  if (offset == 0) file_.append(tf_record(version_event(wall_time)));
}

void TensorboardWriter::write(const MetricsRow& row, double wall_time) {
  std::vector<Scalar> scalars;
  for (const auto& [key, value] : row.entries())
    if (std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))
      scalars.push_back({key, static_cast<float>(value)});
  if (scalars.empty()) return;
  file_.append_or_hold(tf_record(scalar_event(wall_time, row.global_step(), scalars)));
}

}  // namespace aha
