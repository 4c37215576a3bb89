#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/core/file.h"
#include "trainer/core/float_type.h"
#include "trainer/model/checksums.h"

namespace aha {

/// Where one tensor lies in a safetensors file.
struct StoredTensor {
  std::string dtype;                ///< as written in the file: F32, BF16, F16, I64, ...
  std::vector<std::int64_t> shape;  ///< row-major
  std::int64_t size = 0;            ///< elements
  std::size_t begin = 0;            ///< first byte, from the start of the file
};

/// A memory-mapped safetensors file: 8 bytes of header length (little-endian), a JSON header
/// {name: {dtype, shape, data_offsets}}, then the data of the tensors without holes.
///
/// The constructor proves the whole header: UserError, naming file, tensor and value, when a length
/// points beyond the file, ranges overlap, leave holes or do not fit shape and dtype, a name occurs
/// twice or a dtype is unknown. Afterwards no read can leave the file.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  /// In the order of their names.
  const std::map<std::string, StoredTensor, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const StoredTensor* find(std::string_view name) const;

  /// Compares the header now, and each tensor when it is read. UserError naming the tensor.
  void expect(const TensorChecksums& checksums);

  /// Reads F32, BF16 or F16 as f32 into `out`, whose length must be the tensor's. UserError when
  /// there is no such tensor, or it has another dtype or length.
  void read(std::string_view name, std::span<float> out) const;
  /// Reads its elements from `first` on, as many as `out` holds, which must be there.
  void read_part(std::string_view name, std::int64_t first, std::span<float> out) const;
  /// Reads a tensor in pieces of at most `most` elements: `take` is given where each begins and its values.
  void read_pieces(
      std::string_view name, std::int64_t most,
      const std::function<void(std::int64_t first, std::span<const float> values)>& take) const;
  /// Whether a tensor and one of `other` have the same values: the same bits, each as f32.
  bool same_values(std::string_view name, const SafetensorsFile& other,
                   std::string_view other_name) const;
  /// Reads I64.
  void read(std::string_view name, std::span<std::int64_t> out) const;

 private:
  const StoredTensor& need(std::string_view name) const;
  const StoredTensor& need(std::string_view name, std::size_t length) const;
  std::string_view bytes_of(const StoredTensor& tensor) const;
  void verify(std::string_view name, const StoredTensor& tensor) const;
  /// Of what was verified.
  void copy(std::string_view name, const StoredTensor& tensor, std::int64_t first,
            std::span<float> out) const;

  std::filesystem::path path_;
  MappedFile file_;
  std::size_t data_begin_ = 0;
  std::map<std::string, StoredTensor, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
  TensorChecksums expected_;
};

/// The tensors of a model folder: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` maps names to. UserError when neither is there, a shard is
/// missing, lies outside the folder or lacks a tensor that the index says it has. Where the folder has
/// checksums, every tensor is compared with its own when it is read. `stem` in place of "model" names
/// other tensors that are kept in this way.
class ModelTensors {
 public:
  explicit ModelTensors(const std::filesystem::path& folder, const std::string& stem = "model");

  /// model.safetensors, or the index.
  const std::filesystem::path& path() const { return path_; }
  /// File of each tensor, in the order of names.
  const std::map<std::string, const SafetensorsFile*, std::less<>>& files() const { return files_; }

 private:
  void open_shards(const std::filesystem::path& folder, const std::filesystem::path& index);
  const SafetensorsFile& open(const std::filesystem::path& file);

  std::filesystem::path path_;
  std::optional<Checksums> checksums_;
  std::map<std::string, SafetensorsFile> shards_;  // nodes stay where they are
  std::map<std::string, const SafetensorsFile*, std::less<>> files_;
};

/// One tensor to write; the values are not owned and are stored as I64 or as `dtype`.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::variant<std::span<const float>, std::span<const std::int64_t>> values;
  FloatType dtype = FloatType::F32;
};

/// Writes one safetensors file with `__metadata__` {"format": "pt"}, to a temporary name first. The
/// bytes depend on names, shapes and values only, not on the order given: widest dtype first, then
/// by name, as the safetensors library does. UserError when the disk is full, the folder not
/// writable, or a finite value beyond the largest of F16.
TensorChecksums write_safetensors(const std::filesystem::path& path,
                                  std::span<const NamedTensor> tensors);

/// STEM.safetensors, or STEM-00001-of-0000N.safetensors for shard 0 of N.
std::string shard_name(std::string_view stem, std::size_t shard, std::size_t shards);

/// Writes FOLDER/STEM.safetensors.index.json: which file has which tensor.
Checksums write_shard_index(const std::filesystem::path& folder, std::string_view stem,
                            std::int64_t total_bytes,
                            const std::map<std::string, std::string>& files);

/// Bytes of tensor data in one shard, as Hugging Face writes them.
inline constexpr std::int64_t kShardBytes = 5'000'000'000;

/// Writes FOLDER/model.safetensors, or, when the data is more than `shard_bytes`,
/// FOLDER/model-00001-of-0000N.safetensors and their index. A shard is filled in the order given.
Checksums write_model_tensors(const std::filesystem::path& folder,
                              std::span<const NamedTensor> tensors,
                              std::int64_t shard_bytes = kShardBytes);

}  // namespace aha
