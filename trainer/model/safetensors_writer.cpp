#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <tuple>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/model/file_writer.h"
#include "trainer/model/safetensors.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

bool is_integer(const NamedTensor& t) {
  return t.values.index() == 1;
}

std::int64_t element_bytes(const NamedTensor& t) {
  if (is_integer(t)) return 8;
  return t.dtype == FloatType::F32 ? 4 : 2;
}

const char* dtype_name(const NamedTensor& t) {
  if (is_integer(t)) return "I64";
  if (t.dtype == FloatType::F32) return "F32";
  return t.dtype == FloatType::BF16 ? "BF16" : "F16";
}

std::int64_t data_bytes(const NamedTensor& t) {
  const auto size = std::visit([](const auto& values) { return values.size(); }, t.values);
  return static_cast<std::int64_t>(size) * element_bytes(t);
}

void check_tensors(std::span<const NamedTensor> tensors) {
  std::set<std::string_view> names;
  for (const auto& t : tensors) {
    std::int64_t size = 1;
    for (const auto n : t.shape)
      size *= n;
    check(size * element_bytes(t) == data_bytes(t),
          "a tensor to write has as many values as shape");
    check(names.insert(t.name).second && t.name != "__metadata__", "names to write differ");
  }
}

/// A weight that float16 would turn into infinity is refused before anything is written.
void check_range(const fs::path& path, const NamedTensor& t) {
  constexpr float kFirstInfinite = 65520.0F;  // half a step above the largest, 65504
  if (is_integer(t) || t.dtype != FloatType::F16) return;
  for (const float value : std::get<0>(t.values))
    if (std::abs(value) >= kFirstInfinite && std::isfinite(value))
      fail("{}: tensor \"{}\" holds {}, float16 ends at 65504; write float32 or bfloat16",
           path.string(), t.name, value);
}

std::uint16_t half_bits(float value) {
  return c10::detail::fp16_ieee_from_fp32_value(value);
}

std::string_view bytes_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

void write_values(FileWriter& out, const NamedTensor& t) {
  if (is_integer(t)) {
    const auto values = std::get<1>(t.values);
    return out.write(bytes_of(values.data(), values.size_bytes()));
  }
  auto values = std::get<0>(t.values);
  if (t.dtype == FloatType::F32) return out.write(bytes_of(values.data(), values.size_bytes()));
  const auto round = t.dtype == FloatType::BF16 ? c10::detail::round_to_nearest_even : half_bits;
  std::array<std::uint16_t, 1 << 14> rounded;
  while (!values.empty()) {
    const auto piece = values.first(std::min(values.size(), rounded.size()));
    std::transform(piece.begin(), piece.end(), rounded.begin(), round);
    out.write(bytes_of(rounded.data(), piece.size() * sizeof rounded[0]));
    values = values.subspan(piece.size());
  }
}

}  // namespace

TensorChecksums write_safetensors(const fs::path& path, std::span<const NamedTensor> tensors) {
  check_tensors(tensors);
  std::vector<const NamedTensor*> order;
  for (const auto& t : tensors) {
    check_range(path, t);
    order.push_back(&t);
  }
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return std::pair(-element_bytes(*a), std::string_view(a->name)) <
           std::pair(-element_bytes(*b), std::string_view(b->name));
  });

  OrderedJson header;
  header["__metadata__"] = {{"format", "pt"}};
  std::int64_t offset = 0;
  for (const auto* t : order) {
    const auto end = offset + data_bytes(*t);
    header[t->name] = {
        {"dtype", dtype_name(*t)}, {"shape", t->shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  auto text = dump_line(header);
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begins at a multiple of 8
  std::array<char, 8> length;
  for (std::size_t i = 0; i < 8; ++i)
    length[i] = static_cast<char>((text.size() >> (8 * i)) & 0xffU);

  FileWriter out(path);
  out.write({length.data(), length.size()});
  out.write(text);
  TensorChecksums checksums;
  checksums[std::string(kHeaderChecksum)] = out.take_checksum();
  for (const auto* t : order) {
    write_values(out, *t);
    checksums[t->name] = out.take_checksum();
  }
  out.commit();
  return checksums;
}

std::string shard_name(std::string_view stem, std::size_t shard, std::size_t shards) {
  if (shards == 1) return fmt::format("{}.safetensors", stem);
  return fmt::format("{}-{:05}-of-{:05}.safetensors", stem, shard + 1, shards);
}

Checksums write_shard_index(const fs::path& folder, std::string_view stem, std::int64_t total_bytes,
                            const std::map<std::string, std::string>& files) {
  const OrderedJson index{{"metadata", {{"total_size", total_bytes}}}, {"weight_map", files}};
  return write_summed(folder, fmt::format("{}.safetensors.index.json", stem), index.dump(2) + "\n");
}

Checksums write_model_tensors(const fs::path& folder, std::span<const NamedTensor> tensors,
                              std::int64_t shard_bytes) {
  std::vector<std::vector<NamedTensor>> shards(1);
  std::int64_t total = 0;
  std::int64_t in_shard = 0;
  for (const auto& t : tensors) {
    const auto bytes = data_bytes(t);
    if (in_shard > 0 && in_shard + bytes > shard_bytes) {
      shards.emplace_back();
      in_shard = 0;
    }
    shards.back().push_back(t);
    in_shard += bytes;
    total += bytes;
  }
  Checksums checksums;
  std::map<std::string, std::string> files;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto name = shard_name("model", i, shards.size());
    checksums.add(name, write_safetensors(folder / name, shards[i]));
    for (const auto& t : shards[i])
      files[t.name] = name;
  }
  // what is left of another number of shards: readers would prefer the single file to the index
  std::error_code ignored;
  if (shards.size() == 1) {
    fs::remove(folder / "model.safetensors.index.json", ignored);
    return checksums;
  }
  checksums.add(write_shard_index(folder, "model", total, files));
  fs::remove(folder / "model.safetensors", ignored);
  return checksums;
}

}  // namespace aha
