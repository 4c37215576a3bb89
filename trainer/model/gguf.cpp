#include "trainer/model/gguf.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/model/gguf_cursor.h"

namespace aha {
namespace {

constexpr std::uint32_t kMaxRank = 4;
constexpr std::int64_t kDefaultAlignment = 32;
constexpr std::int64_t kMaxAlignment = std::int64_t{1} << 30;

std::string_view view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_start(GgufCursor& cursor, std::string_view bytes, const std::string& where) {
  if (!bytes.starts_with("GGUF")) fail("{}: does not begin with \"GGUF\": not a GGUF file", where);
  cursor.take(4, "magic");
  const auto version = cursor.number<std::uint32_t>("version");
  if (version != 0 && (version & 0xffffU) == 0)
    fail("{}: is a big-endian file, expected a little-endian one", where);
  if (version != 2 && version != 3) fail("{}: GGUF version is {}, expected 2 or 3", where, version);
}

/// One row of the table, its offset still counted from the start of the data.
GgufTensor table_row(GgufCursor& cursor, const std::string& where) {
  const auto rank = cursor.number<std::uint32_t>("the table of tensors");
  if (rank < 1 || rank > kMaxRank)
    fail("{}: has {} dimensions, expected 1 to {}", where, rank, kMaxRank);
  GgufTensor tensor;
  tensor.size = 1;
  for (std::uint32_t i = 0; i < rank; ++i) {
    const auto size = cursor.number<std::uint64_t>("the table of tensors");
    if (size < 1 || size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
        __builtin_mul_overflow(tensor.size, static_cast<std::int64_t>(size), &tensor.size))
      fail("{}: size {} of dimension {} is out of range", where, size, i);
    tensor.shape.push_back(static_cast<std::int64_t>(size));
  }
  const auto type = cursor.number<std::uint32_t>("the table of tensors");
  tensor.format = gguf_format(type);
  if (tensor.format == nullptr)
    fail("{}: has type {}, expected one of {}", where, type, gguf_format_names());
  const auto block = static_cast<std::int64_t>(tensor.format->block);
  if (tensor.shape[0] % block != 0)
    fail("{}: has rows of {} values, expected a multiple of {} for {}", where, tensor.shape[0],
         block, tensor.format->name);
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(tensor.size / block, static_cast<std::int64_t>(tensor.format->bytes),
                             &bytes))
    fail("{}: has more than 2^63 bytes", where);
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  tensor.bytes = static_cast<std::size_t>(bytes);
  tensor.begin = cursor.number<std::uint64_t>("the table of tensors");
  return tensor;
}

/// Every tensor lies in the data, at an aligned offset, and none in another.
void check_places(const std::map<std::string, GgufTensor, std::less<>>& tensors,
                  std::size_t data_bytes, std::size_t alignment, const std::string& where) {
  std::vector<std::pair<const GgufTensor*, std::string_view>> order;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.begin > data_bytes || tensor.bytes > data_bytes - tensor.begin)
      fail("{}: tensor {}: {} bytes at {} of the data, which has {}: cut off", where,
           gguf_shown(name), tensor.bytes, tensor.begin, data_bytes);
    if (tensor.begin % alignment != 0)
      fail("{}: tensor {}: begins at byte {} of the data, expected a multiple of {}", where,
           gguf_shown(name), tensor.begin, alignment);
    order.emplace_back(&tensor, name);
  }
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.first->begin < b.first->begin; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (order[i].first->begin - order[i - 1].first->begin < order[i - 1].first->bytes)
      fail("{}: tensors {} and {} overlap", where, gguf_shown(order[i - 1].second),
           gguf_shown(order[i].second));
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : path_(path), file_(path) {
  static_assert(std::endian::native == std::endian::little, "the file is read as it lies");
  const auto where = path.string();
  const auto bytes = view(file_.bytes());
  GgufCursor cursor(bytes, where);
  check_start(cursor, bytes, where);
  const auto tensor_count = cursor.number<std::uint64_t>("the number of tensors");
  const auto key_count = cursor.number<std::uint64_t>("the number of keys");
  for (std::uint64_t i = 0; i < key_count; ++i) {
    const std::string key(cursor.text("a key"));
    const auto what = "key " + gguf_shown(key);
    const auto type = cursor.type(what);
    if (!metadata_.emplace(key, cursor.value(type, what)).second)
      fail("{}: {} occurs twice", where, what);
  }
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    const std::string name(cursor.text("the name of a tensor"));
    const auto what = fmt::format("{}: tensor {}", where, gguf_shown(name));
    if (!tensors_.emplace(name, table_row(cursor, what)).second) fail("{}: occurs twice", what);
  }
  const auto alignment = integer("general.alignment").value_or(kDefaultAlignment);
  if (alignment < 1 || alignment > kMaxAlignment ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment)))
    fail("{}: \"general.alignment\" is {}, expected a power of two", where, alignment);
  const auto step = static_cast<std::size_t>(alignment);
  const auto data_begin = std::min((cursor.position() + step - 1) / step * step, bytes.size());
  check_places(tensors_, bytes.size() - data_begin, step, where);
  for (auto& [name, tensor] : tensors_)
    tensor.begin += data_begin;
}

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

void GgufFile::read(std::string_view name, std::span<float> out) const {
  const auto* tensor = find(name);
  if (tensor == nullptr) fail("{}: tensor {} is missing", path_.string(), gguf_shown(name));
  if (static_cast<std::size_t>(tensor->size) != out.size())
    fail("{}: tensor {} has {} elements, expected {}", path_.string(), gguf_shown(name),
         tensor->size, out.size());
  dequantize(*tensor->format, file_.bytes().data() + tensor->begin, out);
  file_.forget(tensor->begin, tensor->begin + tensor->bytes);
}

}  // namespace aha
