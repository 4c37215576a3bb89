#include "trainer/model/weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"
#include "trainer/model/problems.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbed = "model.embed_tokens.weight";

/// "[2, 3]".
std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const auto n : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

bool readable(std::string_view dtype) {
  return dtype == "F32" || dtype == "BF16" || dtype == "F16";
}

/// The parameter a stored tensor is for, or the one it repeats; null: it is for nothing.
const Parameter* taker(const ParameterLayout& layout, std::string_view name) {
  if (const auto* parameter = layout.find(name)) return parameter;
  return name == kHead ? layout.find(kEmbed) : nullptr;  // a tied head
}

/// A head that is stored beside a tied embedding must be the embedding again: transformers would take
/// another one for what it is, and this decoder would lose it.
void check_tied_head(const ModelTensors& stored, const ParameterLayout& layout) {
  const auto head = stored.files().find(kHead);
  if (head == stored.files().end() || layout.find(kHead) != nullptr) return;
  const auto& file = *head->second;
  if (!file.same_values(kHead, *stored.files().find(kEmbed)->second, kEmbed))
    fail("{}: tensor \"{}\" differs from \"{}\", but 'tie_word_embeddings' is true, expected false",
         file.path().string(), kHead, kEmbed);
}

/// Compares everything that is stored with everything that is wanted.
void check_stored(const ModelTensors& stored, const fs::path& folder,
                  const ParameterLayout& layout) {
  ModelProblems problems;
  for (const auto& parameter : layout.parameters)
    if (!stored.files().contains(parameter.name))
      problems.add("{}: tensor {} is missing, expected shape {}", folder.string(),
                   shown_name(parameter.name), shape_text(parameter.shape));
  for (const auto& [name, file] : stored.files()) {
    const auto& tensor = *file->find(name);
    const auto where = file->path().string();
    const auto* parameter = taker(layout, name);
    if (parameter == nullptr) {
      if (!name.ends_with(".rotary_emb.inv_freq"))
        problems.add("{}: tensor {} with shape {} is not a part of this model", where,
                     shown_name(name), shape_text(tensor.shape));
      continue;
    }
    if (tensor.shape != parameter->shape)
      problems.add("{}: tensor {} has shape {}, expected {}", where, shown_name(name),
                   shape_text(tensor.shape), shape_text(parameter->shape));
    if (!readable(tensor.dtype))
      problems.add("{}: tensor {} has dtype {}, expected F32, BF16 or F16", where, shown_name(name),
                   tensor.dtype);
  }
  problems.raise();
  check_tied_head(stored, layout);
}

/// A NaN or infinity of a tensor.
struct NotFinite {
  std::int64_t at;
  float value;
};

std::optional<NotFinite> first_not_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7f800000;
  const auto bad = [](float x) {
    return (std::bit_cast<std::uint32_t>(x) & kExponent) == kExponent;
  };
  bool any = false;
  for (const float x : values)
    any |= bad(x);
  if (!any) return std::nullopt;
  const auto found = std::find_if(values.begin(), values.end(), bad);
  return NotFinite{found - values.begin(), *found};
}

/// Reads one parameter, and says what is not finite.
using Read = std::function<std::optional<NotFinite>(const SafetensorsFile&, const Parameter&)>;

void read_all(const fs::path& folder, const ParameterLayout& layout, const Read& read) {
  const ModelTensors stored(folder);
  check_stored(stored, folder, layout);
  ModelProblems problems;
  for (const auto& parameter : layout.parameters) {
    const auto& file = *stored.files().find(parameter.name)->second;
    if (const auto bad = read(file, parameter))
      problems.add("{}: tensor {} holds {} at element {}, expected finite numbers",
                   file.path().string(), shown_name(parameter.name), bad->value, bad->at);
  }
  problems.raise();
}

}  // namespace

Tensor load_weights(const fs::path& folder, const ParameterLayout& layout) {
  Tensor values;
  read_all(folder, layout, [&](const SafetensorsFile& file, const Parameter& p) {
    if (!values.defined()) values = at::empty({layout.total}, at::kFloat);
    const std::span own(values.mutable_data_ptr<float>() + p.offset,
                        static_cast<std::size_t>(p.size));
    file.read(p.name, own);
    return first_not_finite(own);
  });
  return values;
}

void read_weights(const fs::path& folder, const ParameterLayout& layout, const TakeValues& take) {
  constexpr std::int64_t kPiece = std::int64_t{1} << 20;
  read_all(folder, layout, [&](const SafetensorsFile& file, const Parameter& p) {
    std::optional<NotFinite> bad;
    file.read_pieces(p.name, kPiece, [&](std::int64_t first, std::span<const float> values) {
      if (bad) return;
      bad = first_not_finite(values);
      if (bad)
        bad->at += first;
      else
        take(p, first, values);
    });
    return bad;
  });
}

Tensor load_weights(const fs::path& folder, const ParameterLayout& layout, std::int64_t begin,
                    std::int64_t end) {
  if (begin == 0 && end == layout.total) return load_weights(folder, layout);
  Tensor part;
  read_weights(
      folder, layout, [&](const Parameter& p, std::int64_t at, std::span<const float> values) {
        if (!part.defined()) part = at::empty({end - begin}, at::kFloat);
        const auto place = p.offset + at;
        const auto after = place + static_cast<std::int64_t>(values.size());
        const auto first = std::clamp(begin, place, after);
        const auto last = std::clamp(end, place, after);
        std::copy_n(values.data() + (first - place), std::max<std::int64_t>(0, last - first),
                    part.mutable_data_ptr<float>() + (std::max(first, begin) - begin));
      });
  return part;
}

void check_weights(const fs::path& folder, const ParameterLayout& layout) {
  check_stored(ModelTensors(folder), folder, layout);
}

Checksums save_model(const fs::path& folder, const ModelFiles& files) {
  check(files.values.is_contiguous() && files.values.scalar_type() == at::kFloat &&
            files.values.is_cpu() && files.values.numel() == files.layout.total,
        "values are a flat f32 buffer of the layout");
  const auto* const data = files.values.const_data_ptr<float>();
  std::vector<NamedTensor> tensors;
  for (const auto& p : files.layout.parameters)
    tensors.push_back({p.name, p.shape,
                       std::span(data + p.offset, static_cast<std::size_t>(p.size)), files.dtype});
  auto config = files.config;
  config.dtype = float_type_name(files.dtype);

  make_folder(folder);
  Checksums checksums = write_model_tensors(folder, tensors, files.shard_bytes);
  checksums.add(write_summed(folder, "config.json", to_json(config).dump(2) + "\n"));
  checksums.add(write_summed(folder, "generation_config.json",
                             generation_config_json(config).dump(2) + "\n"));
  for (const auto& [name, bytes] : files.others) {
    check(fs::path(name).filename() == name, "a file of a model is named without folders");
    checksums.add(write_summed(folder, name, bytes));
  }
  return checksums;
}

FloatType float_type(std::string_view name) {
  for (const auto type : {FloatType::F32, FloatType::BF16, FloatType::F16})
    if (float_type_name(type) == name) return type;
  throw InternalError("a dtype to write is float32, bfloat16 or float16");
}

std::string_view float_type_name(FloatType type) {
  if (type == FloatType::F32) return "float32";
  return type == FloatType::BF16 ? "bfloat16" : "float16";
}

}  // namespace aha
