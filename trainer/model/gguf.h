#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/file.h"
#include "trainer/model/gguf_dequant.h"

namespace aha {

/// The type of a metadata value, by its number in the file.
enum class GgufType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  Text,
  Array,
  U64,
  I64,
  F64
};

/// A metadata value: a view of its bytes in the mapped file, proven to be whole.
struct GgufValue {
  GgufType type = GgufType::U8;
  std::string_view bytes;
};

/// Where one tensor lies in a GGUF file.
struct GgufTensor {
  const GgufFormat* format = nullptr;
  std::vector<std::int64_t> shape;  ///< row-major (the file has the innermost size first)
  std::int64_t size = 0;            ///< elements
  std::size_t begin = 0;            ///< first byte, from the start of the file
  std::size_t bytes = 0;
};

/// A memory-mapped GGUF file, version 2 or 3, little-endian: "GGUF", counts, metadata (keys and typed
/// values), the table of tensors, then their data, each at a multiple of `general.alignment`.
///
/// The constructor proves all of it: UserError, naming file, key or tensor and value, when a count, length or
/// offset points beyond the file, arrays nest deeper than 8, a key or name occurs twice, tensors overlap, or one has
/// a type that we do not read. Afterwards no read can leave the file. Nothing is copied but keys and names.
///
/// The readers of metadata give nothing when the key is absent; UserError when its value has another
/// type.
class GgufFile {
 public:
  explicit GgufFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }
  const std::map<std::string, GgufTensor, std::less<>>& tensors() const { return tensors_; }
  const GgufTensor* find(std::string_view name) const;

  /// A whole number of any width.
  std::optional<std::int64_t> integer(std::string_view key) const;
  /// F32 or F64. An F32 becomes the shortest decimal that rounds to it: 1e-5, not 9.99999975e-6.
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string_view> text(std::string_view key) const;
  /// An array of texts, or of whole numbers of any width.
  std::optional<std::vector<std::string_view>> texts(std::string_view key) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view key) const;

  /// Widens a tensor to f32 into `out`, whose length must be the tensor's. UserError when there is no
  /// such tensor or it has another length.
  void read(std::string_view name, std::span<float> out) const;

 private:
  const GgufValue* value(std::string_view key) const;
  [[noreturn]] void wrong(std::string_view key, const GgufValue& value,
                          std::string_view wanted) const;

  std::filesystem::path path_;
  MappedFile file_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::map<std::string, GgufTensor, std::less<>> tensors_;
};

/// "array of text", "f32", ...
std::string gguf_type_name(const GgufValue& value);

/// The elements of an array, which may be arrays. UserError when there are more than 2^24.
std::vector<GgufValue> gguf_elements(const GgufValue& array);

/// A text from an untrusted file as JSON, fit for one line of an error message.
std::string gguf_shown(std::string_view text);

}  // namespace aha
