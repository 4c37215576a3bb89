#include "trainer/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "trainer/config/describe.h"
#include "trainer/config/presets.h"
#include "trainer/config/reader.h"
#include "trainer/config/yaml_tree.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

/// `--set`, as the map that would stand in a file.
struct Override {
  std::string text;   ///< "--set KEY=VALUE"
  int order = 0;      ///< 1, 2, ... of the command line
  std::string stage;  ///< empty: the base section and every stage
  YamlNode map;
};

/// A stage as it is read, layer upon layer.
struct Draft {
  StageConfig stage;
  Places places;
};

class Loader {
 public:
  Loader(const std::string& text, std::string name) : name_(std::move(name)) {
    try {
      root_ = parse_yaml(text);
    } catch (const YamlProblem& problem) {
      fail("{}:{}:{}: {}", name_, problem.line, problem.column, problem.message);
    }
    if (root_.kind == YamlNode::Kind::Null) root_ = YamlNode(YamlNode::Kind::Map);
    if (root_.kind != YamlNode::Kind::Map)
      fail("{}:{}:{}: expected a map of keys, not {}", name_, root_.line, root_.column,
           root_.what());
  }

  Config load(const std::vector<std::string>& overrides, const StageRules& more) {
    read_file_layer();
    std::vector<Override> sets;
    for (const auto& text : overrides)
      if (auto set = parse_override(text, static_cast<int>(&text - overrides.data()) + 1))
        sets.push_back(std::move(*set));
    apply(sets);
    for (auto& draft : drafts_) {
      fill_preset(draft);
      config_.stages.push_back(draft.stage);
    }
    report(broken_rules(config_));
    if (more)
      for (const auto& stage : config_.stages)
        report(more(stage));
    if (!problems_.empty()) throw UserError(problems_.text());
    return config_;
  }

 private:
  Layer file_layer(Places& places) { return {name_, "", 0, &problems_, &places}; }

  void read_file_layer() {
    const Layer layer = file_layer(base_.places);
    Reader top(layer, root_, "");
    describe_job(top, config_);
    describe_sections(top, base_.stage);
    const auto* stages = top.take(stages_key());
    top.finish();
    if (stages != nullptr) read_stages(*stages);
    if (drafts_.empty()) drafts_.push_back(base_);
  }

  void read_stages(const YamlNode::Entry& stages) {
    const Layer layer = file_layer(base_.places);
    if (stages.value.kind != YamlNode::Kind::List || stages.value.items.empty()) {
      problems_.add(
          layer.place(stages.key),
          fmt::format(
              "stages: expected a list of at least one {{name, method, ...}}, not {}",
              stages.value.kind == YamlNode::Kind::List ? "an empty one" : stages.value.what()));
      problems_.spoil("stages");
      return;
    }
    for (const auto& item : stages.value.items)
      read_stage(layer, item);
  }

  void read_stage(const Layer& base_layer, const YamlNode& item) {
    if (item.kind != YamlNode::Kind::Map) {
      problems_.add(
          base_layer.place(item),
          fmt::format("stages: expected a map {{name, method, ...}}, not {}", item.what()));
      problems_.spoil("stages");
      return;
    }
    Draft draft = base_;
    draft.stage.name.clear();
    draft.places[""] = base_layer.place(item);
    const Layer layer = file_layer(draft.places);
    Reader reader(layer, item, "");
    describe_head(reader, draft.stage);
    describe_sections(reader, draft.stage);
    reader.finish();
    check_head(layer, item, draft);
    drafts_.push_back(std::move(draft));
  }

  void check_head(const Layer& layer, const YamlNode& item, const Draft& draft) {
    const auto& name = draft.stage.name;
    const auto* entry = item.find("name");
    if (entry == nullptr)
      problems_.add(layer.place(item),
                    "a stage without a name; give it one, such as name: warm_start");
    else if (!is_name(name))
      problems_.add(layer.place(entry->key),
                    fmt::format("name: {} is no name for a stage; use letters, digits, _ and -",
                                entry->value.what()));
    const bool repeated = std::any_of(drafts_.begin(), drafts_.end(),
                                      [&](const Draft& other) { return other.stage.name == name; });
    if (entry != nullptr && repeated && !name.empty())
      problems_.add(layer.place(entry->key),
                    fmt::format("name: a stage is named '{}' already; names are unique", name));
    if (item.find("method") == nullptr)
      problems_.add(layer.place(item), "a stage without a method; give it one, sft or grpo");
  }

  std::optional<Override> parse_override(const std::string& text, int order) {
    Override set;
    set.text = "--set " + text;
    set.order = order;
    const Place place{order, 1, 1, set.text};
    const auto equals = text.find('=');
    std::vector<std::string> words = split(text.substr(0, equals));
    if (equals == std::string::npos || std::find(words.begin(), words.end(), "") != words.end()) {
      problems_.add(place, "expected KEY=VALUE, such as optim.learning_rate=1e-5");
      return std::nullopt;
    }
    if (words[0] == "stages") {
      if (words.size() < 3 || words[2] == "name") {
        problems_.add(place, "expected a key of a stage, as in stages.NAME.train.max_steps=10");
        return std::nullopt;
      }
      if (!is_stage(words[1], place)) return std::nullopt;
      set.stage = words[1];
      words.erase(words.begin(), words.begin() + 2);
    }
    try {
      set.map = nested(words, value_of(text.substr(equals + 1)));
    } catch (const YamlProblem& problem) {
      problems_.add(place, problem.message);
      return std::nullopt;
    }
    return set;
  }

  bool is_stage(const std::string& name, const Place& place) {
    std::vector<std::string> names;
    for (const auto& draft : drafts_)
      names.push_back(draft.stage.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    const auto near = nearest(name, names);
    problems_.add(place,
                  near.empty()
                      ? fmt::format("no stage is named '{}'; there is {}", name, join_list(names))
                      : fmt::format("no stage is named '{}', the nearest is '{}'", name, near));
    return false;
  }

  static std::vector<std::string> split(const std::string& key) {
    std::vector<std::string> words(1);
    for (const char c : key) {
      if (c == '.')
        words.emplace_back();
      else
        words.back() += c;
    }
    return words;
  }

  static YamlNode value_of(const std::string& text) {
    if (text.find_first_not_of(" \t") == std::string::npos) return {};
    return parse_yaml(text);
  }

  static YamlNode nested(const std::vector<std::string>& words, YamlNode value) {
    for (auto word = words.rbegin(); word != words.rend(); ++word) {
      YamlNode key(YamlNode::Kind::Scalar);
      key.text = *word;
      YamlNode map(YamlNode::Kind::Map);
      map.entries.push_back({std::move(key), std::move(value)});
      value = std::move(map);
    }
    return value;
  }

  /// Overrides of all stages first: those of one stage win wherever they stand.
  void apply(const std::vector<Override>& sets) {
    for (auto& draft : drafts_)
      for (const auto& set : sets)
        if (set.stage.empty()) read_override(set, draft);
    for (auto& draft : drafts_)
      for (const auto& set : sets)
        if (!set.stage.empty() && set.stage == draft.stage.name) read_override(set, draft);
  }

  void read_override(const Override& set, Draft& draft) {
    const Layer layer{name_, set.text, set.order, &problems_, &draft.places};
    Reader reader(layer, set.map, "");
    if (set.stage.empty()) {
      describe_job(reader, config_);
      for (const auto& flat : {"seed", "output_dir", "device", "strict"})
        if (const auto place = draft.places.find(flat); place != draft.places.end())
          base_.places[flat] = place->second;
    } else {
      StageConfig head = draft.stage;
      describe_head(reader, head);
      draft.stage.method = head.method;
    }
    describe_sections(reader, draft.stage);
    reader.finish();
  }

  static void fill_preset(Draft& draft) {
    const std::string section = "objective.";
    std::set<std::string> given;
    for (const auto& [key, place] : draft.places)
      if (key.starts_with(section)) given.insert(key.substr(section.size()));
    apply_preset(draft.stage.objective, given);
  }

  void report(const std::vector<BrokenRule>& rules) {
    for (const auto& rule : rules) {
      if (rests_on_spoiled(rule)) continue;
      const auto draft = std::find_if(drafts_.begin(), drafts_.end(), [&](const Draft& d) {
        return !rule.stage.empty() && d.stage.name == rule.stage;
      });
      const Places& places = draft == drafts_.end() ? base_.places : draft->places;
      problems_.add(place_of(places, rule.key),
                    rule.key.empty() ? rule.message : rule.key + ": " + rule.message);
    }
  }

  bool rests_on_spoiled(const BrokenRule& rule) const {
    return std::any_of(
        problems_.spoiled().begin(), problems_.spoiled().end(), [&](const auto& key) {
          return rule.key == key || rule.key.starts_with(key + ".") ||
                 key.starts_with(rule.key + ".") || rule.message.find(key) != std::string::npos;
        });
  }

  /// Of the key, or of what is given around it.
  Place place_of(const Places& places, std::string key) const {
    for (;;) {
      const auto found = places.find(key);
      if (found != places.end()) return found->second;
      if (key.empty()) return {0, 1, 1, fmt::format("{}:1:1", name_)};
      const auto dot = key.rfind('.');
      key = dot == std::string::npos ? "" : key.substr(0, dot);
    }
  }

  std::string name_;
  YamlNode root_;
  Problems problems_;
  Config config_;
  Draft base_;
  std::vector<Draft> drafts_;
};

}  // namespace

Config parse_config(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides, const StageRules& more) {
  return Loader(text, name).load(overrides, more);
}

Config load_config(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                   const StageRules& more) {
  return parse_config(read_file(path), path.string(), overrides, more);
}

}  // namespace aha
