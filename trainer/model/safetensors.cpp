#include "trainer/model/safetensors.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "trainer/core/crc32c.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/model/problems.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the safetensors library
constexpr std::size_t kMaxRank = 32;

/// Bytes of an element; nothing for a dtype that safetensors does not have.
std::optional<std::int64_t> element_bytes(std::string_view dtype) {
  static const std::map<std::string_view, std::int64_t> kBytes{
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
      {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
      {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};
  const auto found = kBytes.find(dtype);
  return found == kBytes.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> natural(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto number = value.get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::int64_t>(number);
}

/// The parser keeps the last of two equal keys: a repeated name must be found separately.
std::optional<std::string> repeated_key(std::string_view json) {
  std::vector<std::set<std::string>> open;
  std::optional<std::string> repeated;
  const auto look = [&](int /*depth*/, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
      repeated = value.get<std::string>();
    return true;
  };
  const auto ignored = Json::parse(json, look);
  return repeated;
}

std::string_view header_text(std::span<const std::byte> bytes, const std::string& where) {
  if (bytes.size() < kLengthBytes)
    fail("{}: has {} bytes, expected a safetensors file (at least {} bytes)", where, bytes.size(),
         kLengthBytes);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    length |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  const auto rest = bytes.size() - kLengthBytes;
  if (length > kMaxHeader || length > rest)
    fail("{}: header length is {}, expected at most {}: not a safetensors file, or cut off", where,
         length, std::min<std::uint64_t>(kMaxHeader, rest));
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes,
          static_cast<std::size_t>(length)};
}

/// One entry of the header, offsets still counted from the end of the header.
StoredTensor parse_entry(const Json& entry, const std::string& where) {
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
      !entry.contains("shape") || !entry.contains("data_offsets"))
    fail("{}: expected an object with dtype, shape and data_offsets", where);
  StoredTensor tensor;
  const auto& dtype = entry["dtype"];
  const auto width =
      dtype.is_string() ? element_bytes(dtype.get_ref<const std::string&>()) : std::nullopt;
  if (!width)
    fail("{}: dtype is {}, expected F32, BF16, F16, I64 or another dtype of safetensors", where,
         shown_name(dtype.is_string() ? dtype.get<std::string>() : dump_line(dtype)));
  tensor.dtype = dtype.get<std::string>();

  const auto& shape = entry["shape"];
  if (!shape.is_array() || shape.size() > kMaxRank)
    fail("{}: shape is not a list of at most {} sizes", where, kMaxRank);
  tensor.size = 1;
  for (const auto& n : shape) {
    const auto size = natural(n);
    if (!size) fail("{}: shape holds {}, expected whole numbers", where, shown_name(dump_line(n)));
    tensor.shape.push_back(*size);
    if (__builtin_mul_overflow(tensor.size, *size, &tensor.size))
      fail("{}: shape has more than 2^63 elements", where);
  }

  const auto& offsets = entry["data_offsets"];
  const bool pair = offsets.is_array() && offsets.size() == 2;
  const auto begin = pair ? natural(offsets[0]) : std::nullopt;
  const auto end = pair ? natural(offsets[1]) : std::nullopt;
  if (!begin || !end || *begin > *end)
    fail("{}: data_offsets is not a pair [begin, end] of whole numbers", where);
  std::int64_t wanted = 0;
  if (__builtin_mul_overflow(tensor.size, *width, &wanted) || *end - *begin != wanted)
    fail("{}: data_offsets span {} bytes, expected what shape and dtype take", where,
         *end - *begin);
  tensor.begin = static_cast<std::size_t>(*begin);
  return tensor;
}

std::map<std::string, std::string> parse_metadata(const Json& entry, const std::string& where) {
  std::map<std::string, std::string> metadata;
  if (!entry.is_object()) fail("{}: __metadata__ is not an object of strings", where);
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) fail("{}: __metadata__ is not an object of strings", where);
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

/// Tensors must tile [0, data_bytes) exactly: no overlap, no hole, nothing outside the file.
void check_tiling(const std::map<std::string, StoredTensor, std::less<>>& tensors,
                  std::size_t data_bytes, const std::string& where) {
  struct Range {
    std::size_t begin, end;
    std::string_view name;
  };
  std::vector<Range> ranges;
  ranges.reserve(tensors.size());
  for (const auto& [name, t] : tensors)
    ranges.push_back(
        {t.begin, t.begin + static_cast<std::size_t>(t.size * *element_bytes(t.dtype)), name});
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t expected = 0;
  for (const auto& range : ranges) {
    if (range.end > data_bytes)
      fail("{}: tensor {}: ends at byte {} of the data, but the file holds {}: cut off", where,
           shown_name(range.name), range.end, data_bytes);
    if (range.begin != expected)
      fail("{}: tensor {}: begins at byte {} of the data, expected {} (no overlap, no hole)", where,
           shown_name(range.name), range.begin, expected);
    expected = range.end;
  }
  if (expected != data_bytes)
    fail("{}: {} bytes follow the last tensor, expected none", where, data_bytes - expected);
}

/// Element-wise conversion without assuming that the file aligns its data.
template <class Stored, class Convert, class Out>
void convert(const std::byte* from, std::span<Out> out, const Convert& value_of) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, from + i * sizeof(Stored), sizeof(Stored));
    out[i] = value_of(stored);
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const fs::path& path) : path_(path), file_(path) {
  const auto where = path.string();
  const auto text = header_text(file_.bytes(), where);
  const auto header = parse_json(text, where + ": header");
  if (!header.is_object()) fail("{}: header is not a JSON object", where);
  if (const auto twice = repeated_key(text))
    fail("{}: {} occurs twice in the header", where, shown_name(*twice));
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__")
      metadata_ = parse_metadata(entry, where);
    else
      tensors_.emplace(name,
                       parse_entry(entry, fmt::format("{}: tensor {}", where, shown_name(name))));
  }
  data_begin_ = kLengthBytes + text.size();
  check_tiling(tensors_, file_.bytes().size() - data_begin_, where);
  for (auto& [name, tensor] : tensors_)
    tensor.begin += data_begin_;
}

void SafetensorsFile::expect(const TensorChecksums& checksums) {
  const auto header = checksums.find(kHeaderChecksum);
  if (header == checksums.end() || checksums.size() != tensors_.size() + 1)
    fail("{}: its tensors are not those that {} has checksums of", path_.string(),
         Checksums::kFile);
  const auto* const begin = reinterpret_cast<const char*>(file_.bytes().data());
  require_checksum(path_, "the header", crc32c({begin, data_begin_}), header->second);
  expected_ = checksums;
}

std::string_view SafetensorsFile::bytes_of(const StoredTensor& tensor) const {
  const auto size = static_cast<std::size_t>(tensor.size * *element_bytes(tensor.dtype));
  return {reinterpret_cast<const char*>(file_.bytes().data()) + tensor.begin, size};
}

void SafetensorsFile::verify(std::string_view name, const StoredTensor& tensor) const {
  if (expected_.empty()) return;
  const auto found = expected_.find(name);
  if (found == expected_.end())
    fail("{}: tensor {} has no checksum in {}", path_.string(), shown_name(name), Checksums::kFile);
  require_checksum(path_, "tensor " + shown_name(name), crc32c(bytes_of(tensor)), found->second);
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

const StoredTensor& SafetensorsFile::need(std::string_view name) const {
  const auto* tensor = find(name);
  if (tensor == nullptr) fail("{}: tensor {} is missing", path_.string(), shown_name(name));
  return *tensor;
}

const StoredTensor& SafetensorsFile::need(std::string_view name, std::size_t length) const {
  const auto& tensor = need(name);
  if (static_cast<std::size_t>(tensor.size) != length)
    fail("{}: tensor {} has {} elements, expected {}", path_.string(), shown_name(name),
         tensor.size, length);
  return tensor;
}

void SafetensorsFile::read(std::string_view name, std::span<float> out) const {
  const auto& tensor = need(name, out.size());
  verify(name, tensor);
  copy(name, tensor, 0, out);
}

void SafetensorsFile::read_part(std::string_view name, std::int64_t first,
                                std::span<float> out) const {
  const auto& tensor = need(name);
  check(first >= 0 && first + static_cast<std::int64_t>(out.size()) <= tensor.size,
        "a part of a tensor lies inside of it");
  verify(name, tensor);
  copy(name, tensor, first, out);
}

void SafetensorsFile::read_pieces(
    std::string_view name, std::int64_t most,
    const std::function<void(std::int64_t first, std::span<const float> values)>& take) const {
  const auto& tensor = need(name);
  verify(name, tensor);
  std::vector<float> piece;
  for (std::int64_t first = 0; first < tensor.size; first += most) {
    piece.resize(static_cast<std::size_t>(std::min(most, tensor.size - first)));
    copy(name, tensor, first, piece);
    take(first, piece);
  }
}

void SafetensorsFile::copy(std::string_view name, const StoredTensor& tensor, std::int64_t first,
                           std::span<float> out) const {
  if (out.empty()) return;
  const std::size_t width = tensor.dtype == "F32" ? 4 : 2;
  const std::size_t begin = tensor.begin + width * static_cast<std::size_t>(first);
  const auto* from = file_.bytes().data() + begin;
  if (tensor.dtype == "F32")
    std::memcpy(out.data(), from, out.size_bytes());
  else if (tensor.dtype == "BF16")
    convert<std::uint16_t>(from, out, [](auto bits) { return c10::detail::f32_from_bits(bits); });
  else if (tensor.dtype == "F16")
    convert<std::uint16_t>(from, out,
                           [](auto bits) { return c10::detail::fp16_ieee_to_fp32_value(bits); });
  else
    fail("{}: tensor {} has dtype {}, expected F32, BF16 or F16", path_.string(), shown_name(name),
         tensor.dtype);
  file_.forget(tensor.begin, tensor.begin + bytes_of(tensor).size());
}

bool SafetensorsFile::same_values(std::string_view name, const SafetensorsFile& other,
                                  std::string_view other_name) const {
  constexpr std::int64_t kPiece = std::int64_t{1} << 20;
  const auto& tensor = other.need(other_name);
  if (need(name).size != tensor.size) return false;
  other.verify(other_name, tensor);
  bool same = true;
  std::vector<float> piece;
  read_pieces(name, kPiece, [&](std::int64_t first, std::span<const float> values) {
    if (!same) return;
    piece.resize(values.size());
    other.copy(other_name, tensor, first, piece);
    same = std::memcmp(piece.data(), values.data(), values.size_bytes()) == 0;
  });
  return same;
}

void SafetensorsFile::read(std::string_view name, std::span<std::int64_t> out) const {
  const auto& tensor = need(name, out.size());
  if (out.empty()) return;
  verify(name, tensor);
  if (tensor.dtype != "I64")
    fail("{}: tensor {} has dtype {}, expected I64", path_.string(), shown_name(name),
         tensor.dtype);
  std::memcpy(out.data(), file_.bytes().data() + tensor.begin, out.size_bytes());
}

}  // namespace aha
