#include "trainer/config/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/config/flat_keys.h"
#include "trainer/config/yaml_fields.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

const YamlNode empty_map(YamlNode::Kind::Map);

bool gives(const YamlNode& map, const std::string& key) {
  return map.find(key) != nullptr;
}

/// A layer that names a file takes the task of the layers below away, and the other way round; another
/// task takes the options of the one before away.
void make_room(const YamlNode& map, DataSource& source) {
  const auto* path = map.find("path");
  const auto* task = map.find("task");
  const bool other_task = task != nullptr && task->value.text != source.task;
  if (path != nullptr && task == nullptr && !path->value.text.empty()) {
    source.task.clear();
    source.task_options = {};
  }
  if (other_task) source.task_options = {};
  if (task != nullptr && path == nullptr && !task->value.text.empty()) {
    source.path.clear();
    source.format = DataSource().format;
  }
}

/// The value of a reward's option as text; nothing where it is none. The words of `command` may be a list,
/// which is kept as its JSON.
std::optional<std::string> option_text(const std::string& name, const YamlNode& node) {
  using Kind = YamlNode::Kind;
  if (node.kind == Kind::Null) return "";
  if (node.kind == Kind::Scalar) return node.text;
  if (name != kListOption || node.kind != Kind::List) return std::nullopt;
  auto words = Json::array();
  for (const auto& item : node.items) {
    if (item.kind != Kind::Scalar) return std::nullopt;
    words.push_back(item.text);
  }
  return dump_line(words);
}

}  // namespace

std::string Problems::text() const {
  std::string text;
  for (const auto& [place, message] : lines_)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", place.text, message);
  return text;
}

Place Layer::place(const YamlNode& node) const {
  if (!override_text.empty()) return {order, 1, 1, override_text};
  return {0, node.line, node.column, fmt::format("{}:{}:{}", file, node.line, node.column)};
}

Reader::Reader(const Layer& layer, const YamlNode& map, std::string prefix)
    : layer_(layer), map_(map), prefix_(std::move(prefix)) {
  std::map<std::string, int> first;
  for (const auto& entry : map.entries) {
    const auto [known, is_new] = first.emplace(entry.key.text, entry.key.line);
    if (!is_new)
      layer.problems->add(
          layer.place(entry.key),
          fmt::format("the key {} is repeated, it stands in line {} already; keep one",
                      entry.key.what(), known->second));
  }
}

const YamlNode::Entry* Reader::take_name(const std::string& name) {
  known_.push_back(name);
  const auto* entry = map_.find(name);
  if (entry == nullptr) return nullptr;
  taken_.insert(name);
  return entry;
}

const YamlNode::Entry* Reader::take(const Key& key) {
  const auto* entry = take_name(key.name);
  const auto* other = key.alias.empty() ? nullptr : take_name(key.alias);
  if (entry != nullptr && other != nullptr && entry->value.text != other->value.text)
    layer_.problems->add(layer_.place(other->key),
                         fmt::format("{} {} contradicts {} {}; give one of them", key.alias,
                                     other->value.what(), key.name, entry->value.what()));
  if (entry == nullptr) entry = other;
  // an override of one key says nothing of the section around it
  const bool whole =
      layer_.override_text.empty() || entry == nullptr || entry->value.kind != YamlNode::Kind::Map;
  if (entry != nullptr && whole) (*layer_.places)[path(key.name)] = layer_.place(entry->key);
  return entry;
}

void Reader::leaf(const Key& key, Leaf value) {
  const auto* entry = take(key);
  if (entry == nullptr) return;
  const auto wrong = read_leaf(key, entry->value, value);
  if (!wrong) return;
  // an absent value has no place of its own
  const bool absent = entry->value.kind == YamlNode::Kind::Null;
  layer_.problems->add(layer_.place(absent ? entry->key : entry->value),
                       fmt::format("{}: {}", path(entry->key.text), *wrong));
  layer_.problems->spoil(path(key.name));
}

const YamlNode* Reader::map_of(const YamlNode::Entry& entry) {
  if (entry.value.kind == YamlNode::Kind::Map) return &entry.value;
  if (entry.value.kind == YamlNode::Kind::Null) return &empty_map;
  layer_.problems->add(
      layer_.place(entry.value),
      fmt::format("{}: expected a map of keys, not {}", path(entry.key.text), entry.value.what()));
  layer_.problems->spoil(path(entry.key.text));
  return nullptr;
}

void Reader::read_map(const YamlNode& map, const std::string& path, const Parts& parts) {
  Reader reader(layer_, map, path);
  parts(reader);
  reader.finish();
}

void Reader::section(const Key& key, const Parts& parts) {
  const auto* entry = take(key);
  const auto* map = entry == nullptr ? nullptr : map_of(*entry);
  if (map != nullptr) read_map(*map, path(key.name), parts);
}

void Reader::source(const Key& key, DataSource& source) {
  const auto* entry = take(key);
  const auto* map = entry == nullptr ? nullptr : map_of(*entry);
  if (map == nullptr) return;
  make_room(*map, source);
  read_map(*map, path(key.name), [&](Visitor& v) { describe(v, source); });
}

void Reader::model(const Key& key, ModelConfigSection& model) {
  const auto* entry = take(key);
  const auto* map = entry == nullptr ? nullptr : map_of(*entry);
  if (map == nullptr) return;
  const auto* folder = map->find("path");
  if (folder != nullptr && !folder->value.text.empty() && !gives(*map, "init")) model.init.reset();
  const auto* init = map->find("init");
  if (init != nullptr && init->value.kind == YamlNode::Kind::Map && folder == nullptr)
    model.path.clear();
  read_map(*map, path(key.name), [&](Visitor& v) { describe(v, model); });
}

void Reader::init(const Key& key, std::optional<ModelInit>& init) {
  const auto* entry = take(key);
  if (entry == nullptr) return;
  if (entry->value.kind == YamlNode::Kind::Null) {
    init.reset();
    return;
  }
  const auto* map = map_of(*entry);
  if (map == nullptr) return;
  if (!init) init.emplace();
  read_map(*map, path(key.name), [&](Visitor& v) { describe(v, *init); });
}

void Reader::eval_sets(const Key& key, DataSection& data) {
  const auto* entry = take(key);
  const auto* map = entry == nullptr ? nullptr : map_of(*entry);
  if (map == nullptr) return;
  Reader names(layer_, *map, path(key.name));
  for (const auto& set : map->entries) {
    const std::string& name = set.key.text;
    if (map->find(name) != &set) continue;  // repeated: reported above
    if (!is_name(name)) {
      layer_.problems->add(layer_.place(set.key),
                           fmt::format("{}: {} is no name for a set; use letters, digits, _ and -",
                                       path(key.name), set.key.what()));
      continue;
    }
    if (!data.eval.contains(name)) data.eval_order.push_back(name);
    names.source(Key(name, ""), data.eval[name]);
  }
}

void Reader::rewards(const Key& key, std::vector<RewardFunction>& functions) {
  const auto* entry = take(key);
  if (entry == nullptr) return;
  if (entry->value.kind == YamlNode::Kind::Map && !layer_.override_text.empty()) {
    change_rewards(path(key.name), entry->value, functions);
    return;
  }
  if (entry->value.kind != YamlNode::Kind::List) {
    layer_.problems->add(
        layer_.place(entry->value.kind == YamlNode::Kind::Null ? entry->key : entry->value),
        fmt::format("{}: expected a list of rewards, as in [{{name: numeric}}], not {}",
                    path(key.name), entry->value.what()));
    layer_.problems->spoil(path(key.name));
    return;
  }
  functions.clear();
  for (std::size_t i = 0; i < entry->value.items.size(); ++i)
    read_reward(fmt::format("{}.{}", path(key.name), i), entry->value.items[i],
                functions.emplace_back());
}

void Reader::read_reward(const std::string& item_path, const YamlNode& item,
                         RewardFunction& function) {
  (*layer_.places)[item_path] = layer_.place(item);
  if (item.kind == YamlNode::Kind::Map) {
    read_map(item, item_path, [&](Visitor& v) { describe(v, function); });
    return;
  }
  layer_.problems->add(layer_.place(item),
                       fmt::format("{}: expected a map, as in {{name: numeric}}, not {}",
                                   item_path.substr(0, item_path.rfind('.')), item.what()));
  layer_.problems->spoil(item_path);
}

/// `--set reward.functions.REWARD.weight=2`: of those that are there, the one with that name or number.
void Reader::change_rewards(const std::string& list_path, const YamlNode& changes,
                            std::vector<RewardFunction>& functions) {
  const Reader repeats(layer_, changes, list_path);
  for (const auto& change : changes.entries) {
    const std::string& which = change.key.text;
    std::vector<std::string> names;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < functions.size(); ++i) {
      names.push_back(functions[i].name);
      if (functions[i].name == which || std::to_string(i) == which) found.push_back(i);
    }
    if (found.size() == 1) {
      const auto item_path = fmt::format("{}.{}", list_path, found.front());
      read_reward(item_path, change.value, functions[found.front()]);
      continue;
    }
    layer_.problems->add(
        layer_.place(change.key),
        found.empty() ? fmt::format("{}: no reward has the name or number '{}'; there is {}",
                                    list_path, which, names.empty() ? "none" : join_list(names))
                      : fmt::format("{}: {} rewards have the name '{}'; give the number, from 0",
                                    list_path, found.size(), which));
    layer_.problems->spoil(list_path);
  }
}

void Reader::other_keys(std::map<std::string, std::string>& options) {
  for (const auto& entry : map_.entries) {
    const std::string& name = entry.key.text;
    if (!taken_.insert(name).second) continue;
    if (auto text = option_text(name, entry.value))
      options[name] = std::move(*text);
    else
      layer_.problems->add(
          layer_.place(entry.value),
          fmt::format("{}: {}, not {}", path(name),
                      name == kListOption ? "expected words, as in [python3, scorer.py]"
                                          : "an option of a reward is one value",
                      entry.value.what()));
  }
}

void Reader::finish() {
  for (const auto& entry : map_.entries)
    if (taken_.insert(entry.key.text).second) report_unknown(entry.key);
}

void Reader::report_unknown(const YamlNode& key) {
  std::string text = fmt::format("unknown key {}{}", key.what(),
                                 prefix_.empty() ? std::string() : " in " + prefix_);
  const auto homes = keys_named(key.text);
  const auto near = nearest(key.text, known_);
  if (!near.empty()) {
    text += fmt::format(", the nearest is '{}'", near);
    layer_.problems->spoil(path(near));
  } else if (!homes.empty()) {
    const bool top = homes.front().find('.') == std::string::npos;
    text +=
        fmt::format("; there is {}{}", fmt::join(homes, " and "), top ? " at the top level" : "");
    for (const auto& home : homes)
      layer_.problems->spoil(home);
  } else {
    text += fmt::format("; known are {}", join_list(known_));
  }
  layer_.problems->add(layer_.place(key), text);
}

}  // namespace aha
