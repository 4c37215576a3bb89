#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trainer/core/tensor.h"
#include "trainer/model/model_config.h"
#include "trainer/model/parameters.h"
#include "trainer/model/safetensors.h"

namespace aha {

/// Reads the safetensors of a Hugging Face folder into a flat buffer [layout.total] f32.
///
/// UserError with one line per problem, each naming the file, the tensor, what was found and what
/// is wanted: a missing tensor, another shape, a dtype that is not F32, BF16 or F16, a tensor that
/// no parameter takes. A tied model may carry an lm_head.weight that repeats the embedding (another
/// one is an error), and any model the rotary tables of old files: both are ignored. Nothing large is
/// allocated before all of it fits.
Tensor load_weights(const std::filesystem::path& folder, const ParameterLayout& layout);

/// Elements [begin, end) of that buffer alone; the others are read and checked, too.
Tensor load_weights(const std::filesystem::path& folder, const ParameterLayout& layout,
                    std::int64_t begin, std::int64_t end);

/// Given the values of a parameter from its element `first` on, which are gone when it returns.
using TakeValues =
    std::function<void(const Parameter&, std::int64_t first, std::span<const float> values)>;
/// The same, a parameter after the other, in pieces of 4 MB.
void read_weights(const std::filesystem::path& folder, const ParameterLayout& layout,
                  const TakeValues& take);

/// The checks of `load_weights` alone: headers are read, and of the values a tied head's.
void check_weights(const std::filesystem::path& folder, const ParameterLayout& layout);

/// What a model folder is written from; nothing is owned but the files.
struct ModelFiles {
  const ModelConfig& config;
  const ParameterLayout& layout;
  const Tensor& values;  ///< [layout.total] f32, CPU, contiguous
  FloatType dtype = FloatType::F32;
  std::vector<std::pair<std::string, std::string>> others;  ///< tokenizer files: name, bytes
  std::int64_t shard_bytes = kShardBytes;
};

/// Writes config.json, generation_config.json, the safetensors and `others` into `folder` (made
/// when absent): what transformers and vLLM load as it stands. Each file is replaced in one step;
/// replacing the folder as a whole is the caller's. The same values give the same bytes, and what
/// `load_weights` and `read_model_config` read from it is written again as the same bytes. Returns the
/// checksums of what was written.
Checksums save_model(const std::filesystem::path& folder, const ModelFiles& files);

/// Of "float32", "bfloat16" or "float16", as in a config.json.
FloatType float_type(std::string_view name);
std::string_view float_type_name(FloatType type);

}  // namespace aha
