#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "trainer/config/dump.h"
#include "trainer/config/flat_keys.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

/// One value with the name that a user would give it in --set.
struct Value {
  std::string key;
  std::string text;
  bool free = false;
};

/// More steps leave those that were made true when no learning rate depended on their number.
bool may_grow(const StageConfig& before, const StageConfig& after) {
  const auto fixed = [](const OptimConfig& o) {
    return o.lr_scheduler_type == "constant" || o.lr_scheduler_steps > 0;
  };
  return fixed(before.optim) && fixed(after.optim) && before.train.max_steps > 0 &&
         after.train.max_steps > before.train.max_steps;
}

/// What may_grow looks at, from a checkpoint's notes.
StageConfig stage_before(const StageConfig& after, const std::string& prefix,
                         const std::map<std::string, std::string>& settled) {
  const auto text = [&](const char* key) {
    const auto found = settled.find(prefix + key);
    return found == settled.end() ? std::string() : found->second;
  };
  StageConfig before = after;
  before.optim.lr_scheduler_type = text("optim.lr_scheduler_type");
  before.optim.lr_scheduler_steps = std::atoll(text("optim.lr_scheduler_steps").c_str());
  before.train.max_steps = std::atoll(text("train.max_steps").c_str());
  return before;
}

/// Of keys such as stages.NAME.seed, in their order.
std::vector<std::string> stage_names(const std::map<std::string, std::string>& settled) {
  constexpr std::string_view kStages = "stages.";
  std::vector<std::string> names;
  for (const auto& [key, text] : settled) {
    if (!key.starts_with(kStages)) continue;
    auto name = key.substr(kStages.size(), key.find('.', kStages.size()) - kStages.size());
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

const StageConfig* stage_named(const Config& config, const std::string& name) {
  for (const auto& stage : config.stages)
    if (stage.name == name) return &stage;
  return nullptr;
}

/// Values of the job or of one stage, sections left out.
std::vector<Value> values(const std::vector<FlatKey>& keys, const std::string& prefix) {
  std::vector<Value> found;
  for (const auto& flat : keys)
    if (!flat.type.empty()) found.push_back({prefix + flat.path, flat.value, flat.key.free});
  return found;
}

std::vector<Value> stage_values(const StageConfig* stage, const std::string& name) {
  if (stage == nullptr) return {};
  return values(flat_sections(*stage), "stages." + name + ".");
}

void compare(const std::vector<Value>& before, const std::vector<Value>& after,
             std::vector<ChangedKey>& changed) {
  const auto same_key = [](const Value& value) {
    return [&value](const Value& other) { return other.key == value.key; };
  };
  for (const auto& value : before) {
    const auto other = std::find_if(after.begin(), after.end(), same_key(value));
    if (other == after.end())
      changed.push_back({value.key, value.text, "nothing", value.free});
    else if (other->text != value.text)
      changed.push_back({value.key, value.text, other->text, value.free});
  }
  for (const auto& value : after)
    if (std::none_of(before.begin(), before.end(), same_key(value)))
      changed.push_back({value.key, "nothing", value.text, value.free});
}

std::string stage_list(const Config& config) {
  std::string text = "[";
  for (const auto& stage : config.stages)
    text += (text.size() == 1 ? "" : ", ") + stage.name;
  return text + "]";
}

std::string set_list(const StageConfig& stage) {
  std::string text = "[";
  for (const auto& name : stage.data.eval_order)
    text += (text.size() == 1 ? "" : ", ") + name;
  return text + "]";
}

}  // namespace

std::map<std::string, std::string> settled_values(const Config& config) {
  std::map<std::string, std::string> settled;
  auto all = values(flat_job(config), "");
  for (const auto& stage : config.stages)
    for (auto& value : stage_values(&stage, stage.name))
      all.push_back(std::move(value));
  for (auto& value : all)
    if (!value.free) settled[value.key] = std::move(value.text);
  return settled;
}

std::vector<ChangedKey> changed_keys(const Config& before, const Config& after) {
  std::vector<ChangedKey> changed;
  compare(values(flat_job(before), ""), values(flat_job(after), ""), changed);
  if (stage_list(before) != stage_list(after))
    changed.push_back({"stages", stage_list(before), stage_list(after), false});
  for (const auto& stage : before.stages) {
    const auto* other = stage_named(after, stage.name);
    if (other == nullptr) continue;
    const std::string prefix = "stages." + stage.name + ".";
    const auto first = changed.size();
    compare(stage_values(&stage, stage.name), stage_values(other, stage.name), changed);
    if (may_grow(stage, *other))
      for (auto i = first; i < changed.size(); ++i)
        changed[i].free = changed[i].free || changed[i].key == prefix + "train.max_steps";
    // the first set has the bare metric names: their order is part of what the metrics say
    if (set_list(stage) != set_list(*other))
      changed.push_back({prefix + "data.eval", set_list(stage), set_list(*other), false});
  }
  return changed;
}

std::vector<ChangedKey> changed_keys(const std::map<std::string, std::string>& settled,
                                     const Config& after) {
  const auto listed = [](const std::map<std::string, std::string>& texts) {
    std::vector<Value> list;
    list.reserve(texts.size());
    for (const auto& [key, text] : texts)
      list.push_back({key, text});
    return list;
  };
  const auto now = settled_values(after);
  if (stage_names(settled) != stage_names(now))
    return {{"stages", join_list(stage_names(settled)), join_list(stage_names(now)), false}};
  std::vector<ChangedKey> changed;
  compare(listed(settled), listed(now), changed);
  for (const auto& stage : after.stages) {
    const std::string prefix = "stages." + stage.name + ".";
    for (auto& change : changed)
      if (change.key == prefix + "train.max_steps")
        change.free = may_grow(stage_before(stage, prefix, settled), stage);
  }
  return changed;
}

}  // namespace aha
