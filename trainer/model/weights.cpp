#include "trainer/model/weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstdint>
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

std::string name_text(std::string_view name) {
  return dump_line(Json(name.substr(0, 100)));
}

bool readable(std::string_view dtype) {
  return dtype == "F32" || dtype == "BF16" || dtype == "F16";
}

/// The parameter a stored tensor is for, or the one it repeats; null: it is for nothing.
const Parameter* taker(const ParameterLayout& layout, std::string_view name) {
  if (const auto* parameter = layout.find(name)) return parameter;
  return name == kHead ? layout.find(kEmbed) : nullptr;  // a tied head
}

/// Compares everything that is stored with everything that is wanted.
void check_stored(const ModelTensors& stored, const fs::path& folder,
                  const ParameterLayout& layout) {
  ModelProblems problems;
  for (const auto& parameter : layout.parameters)
    if (!stored.files().contains(parameter.name))
      problems.add("{}: tensor {} is missing, expected shape {}", folder.string(),
                   name_text(parameter.name), shape_text(parameter.shape));
  for (const auto& [name, file] : stored.files()) {
    const auto& tensor = *file->find(name);
    const auto where = file->path().string();
    const auto* parameter = taker(layout, name);
    if (parameter == nullptr) {
      if (!name.ends_with(".rotary_emb.inv_freq"))
        problems.add("{}: tensor {} with shape {} is not a part of this model", where,
                     name_text(name), shape_text(tensor.shape));
      continue;
    }
    if (tensor.shape != parameter->shape)
      problems.add("{}: tensor {} has shape {}, expected {}", where, name_text(name),
                   shape_text(tensor.shape), shape_text(parameter->shape));
    if (!readable(tensor.dtype))
      problems.add("{}: tensor {} has dtype {}, expected F32, BF16 or F16", where, name_text(name),
                   tensor.dtype);
  }
  problems.raise();
}

/// Element of the first NaN or infinity, or -1.
std::int64_t first_not_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7f800000;
  const auto bad = [](float x) {
    return (std::bit_cast<std::uint32_t>(x) & kExponent) == kExponent;
  };
  bool any = false;
  for (const float x : values)
    any |= bad(x);
  if (!any) return -1;
  return std::find_if(values.begin(), values.end(), bad) - values.begin();
}

using TakeValues = std::function<void(const Parameter&, std::span<const float>)>;

/// Reads every parameter to where `place` says, and shows it to `take` when that is not empty.
void read_all(const fs::path& folder, const ParameterLayout& layout,
              const std::function<std::span<float>(const Parameter&)>& place,
              const TakeValues& take) {
  const ModelTensors stored(folder);
  check_stored(stored, folder, layout);
  ModelProblems problems;
  for (const auto& parameter : layout.parameters) {
    const auto& file = *stored.files().find(parameter.name)->second;
    const auto values = place(parameter);
    file.read(parameter.name, values);
    if (const auto at = first_not_finite(values); at >= 0)
      problems.add("{}: tensor {} holds {} at element {}, expected finite numbers",
                   file.path().string(), name_text(parameter.name),
                   values[static_cast<std::size_t>(at)], at);
    else if (take)
      take(parameter, values);
  }
  problems.raise();
}

}  // namespace

Tensor load_weights(const fs::path& folder, const ParameterLayout& layout) {
  Tensor values;
  read_all(folder, layout,
           [&](const Parameter& p) {
             if (!values.defined()) values = at::empty({layout.total}, at::kFloat);
             return std::span(values.mutable_data_ptr<float>() + p.offset,
                              static_cast<std::size_t>(p.size));
           },
           {});
  return values;
}

void read_weights(const fs::path& folder, const ParameterLayout& layout, const TakeValues& take) {
  std::vector<float> values;
  read_all(
      folder, layout,
      [&](const Parameter& p) {
        values.resize(static_cast<std::size_t>(p.size));
        return std::span(values);
      },
      take);
}

Tensor load_weights(const fs::path& folder, const ParameterLayout& layout, std::int64_t begin,
                    std::int64_t end) {
  if (begin == 0 && end == layout.total) return load_weights(folder, layout);
  Tensor part;
  read_weights(folder, layout, [&](const Parameter& p, std::span<const float> values) {
    if (!part.defined()) part = at::empty({end - begin}, at::kFloat);
    const auto first = std::clamp(begin, p.offset, p.offset + p.size);
    const auto last = std::clamp(end, p.offset, p.offset + p.size);
    std::copy_n(values.data() + (first - p.offset), std::max<std::int64_t>(0, last - first),
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
