#include <string>
#include <string_view>

#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/model/problems.h"
#include "trainer/model/safetensors.h"

namespace aha {
namespace fs = std::filesystem;

ModelTensors::ModelTensors(const fs::path& folder, const std::string& stem)
    : checksums_(Checksums::of(folder)) {
  const auto single = folder / (stem + ".safetensors");
  const auto index = folder / (stem + ".safetensors.index.json");
  if (fs::exists(single)) {
    path_ = single;
    const auto& file = open(single);
    for (const auto& [name, tensor] : file.tensors())
      files_.emplace(name, &file);
  } else if (fs::exists(index)) {
    path_ = index;
    open_shards(folder, index);
  } else {
    fail("{}: has neither {} nor {}", folder.string(), single.filename().string(),
         index.filename().string());
  }
}

const SafetensorsFile& ModelTensors::open(const fs::path& file) {
  const auto [place, is_new] = shards_.try_emplace(file.filename().string(), file);
  if (is_new && checksums_) place->second.expect(checksums_->tensors(file));
  return place->second;
}

void ModelTensors::open_shards(const fs::path& folder, const fs::path& index) {
  const auto where = index.string();
  const auto json = read_json(index);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    fail("{}: expected an object with 'weight_map': {{tensor: file}}", where);
  for (const auto& [name, value] : json["weight_map"].items()) {
    const auto file = value.is_string() ? value.get<std::string>() : std::string();
    // a name of one component: a hostile index must not reach files outside the folder
    if (!file.ends_with(".safetensors") ||
        file.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
      fail("{}: tensor {}: file is {}, expected the name of a .safetensors file in this folder",
           where, shown_name(name), shown_name(value.is_string() ? file : dump_line(value)));
    if (!shards_.contains(file) && !fs::exists(folder / file))
      fail("{}: tensor {}: file {} is missing", where, shown_name(name), shown_name(file));
    const auto& shard = open(folder / file);
    if (shard.find(name) == nullptr)
      fail("{}: tensor {} is not in {}, where the index says it is", where, shown_name(name),
           shard.path().string());
    files_.emplace(name, &shard);
  }
}

}  // namespace aha
