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

void write_safetensors(const fs::path& path, std::span<const NamedTensor> tensors) {
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
  for (const auto* t : order)
    write_values(out, *t);
  out.commit();
}

void write_model_tensors(const fs::path& folder, std::span<const NamedTensor> tensors,
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
  const auto single = folder / "model.safetensors";
  const auto index_path = folder / "model.safetensors.index.json";
  std::error_code ignored;
  if (shards.size() == 1) {
    write_safetensors(single, shards[0]);
    fs::remove(index_path, ignored);
    return;
  }
  Json weight_map;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_safetensors(folder / name, shards[i]);
    for (const auto& t : shards[i])
      weight_map[t.name] = name;
  }
  const OrderedJson index{{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  write_file_atomic(index_path, index.dump(2) + "\n");
  fs::remove(single, ignored);  // readers would prefer it to the index
}

}  // namespace aha
