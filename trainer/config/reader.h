#pragma once
// One layer of a configuration (a section of the file, a stage, a --set) read onto structs that hold the
// layers below it.
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "trainer/config/describe.h"
#include "trainer/config/yaml_tree.h"

namespace aha {

/// Where something stands: in the file, or in an override (then `text` is all of it).
struct Place {
  int order = 0;  ///< 0: the file; 1 and up: overrides in the order of the command line
  int line = 1;
  int column = 1;
  std::string text;  ///< "file:line:col" or "--set KEY=VALUE"

  friend bool operator<(const Place& a, const Place& b) {
    return std::tie(a.order, a.line, a.column, a.text) <
           std::tie(b.order, b.line, b.column, b.text);
  }
};

/// All that is wrong, sorted by place and without repetitions: a base section is read for each stage.
class Problems {
 public:
  void add(const Place& place, const std::string& message) { lines_.insert({place, message}); }
  bool empty() const { return lines_.empty(); }
  /// A line each, "place: message".
  std::string text() const;

  /// A key that was given, but not understood: rules about it would speak of a value nobody wrote.
  void spoil(const std::string& key) { spoiled_.insert(key); }
  const std::set<std::string>& spoiled() const { return spoiled_; }

 private:
  std::set<std::pair<Place, std::string>> lines_;
  std::set<std::string> spoiled_;
};

/// Path of a key that was given ("rollout.top_p") -> the place that counts, the last layer's.
using Places = std::map<std::string, Place>;

/// What a layer is read from and into.
struct Layer {
  std::string file;           ///< name in messages
  std::string override_text;  ///< "--set KEY=VALUE"; empty: the file
  int order = 0;
  Problems* problems = nullptr;
  Places* places = nullptr;

  Place place(const YamlNode& node) const;
};

/// Reads the keys of one map. The caller describes a struct to it, then calls finish().
class Reader : public Visitor {
 public:
  Reader(const Layer& layer, const YamlNode& map, std::string prefix);

  void leaf(const Key& key, Leaf value) override;
  void section(const Key& key, const Parts& parts) override;
  void source(const Key& key, DataSource& source) override;
  void model(const Key& key, ModelConfigSection& model) override;
  void init(const Key& key, std::optional<ModelInit>& init) override;
  void eval_sets(const Key& key, DataSection& data) override;
  void rewards(const Key& key, std::vector<RewardFunction>& functions) override;
  void other_keys(std::map<std::string, std::string>& options) override;

  /// A key that the caller reads itself.
  const YamlNode::Entry* take(const Key& key);
  /// Reports keys that nobody described.
  void finish();

 private:
  const YamlNode::Entry* take_name(const std::string& name);
  /// The value of `entry` when it is a map, or an empty one; else a problem, and nullptr.
  const YamlNode* map_of(const YamlNode::Entry& entry);
  void read_map(const YamlNode& map, const std::string& path, const Parts& parts);
  void report_unknown(const YamlNode& key);
  void read_reward(const std::string& item_path, const YamlNode& item, RewardFunction& function);
  void change_rewards(const std::string& list_path, const YamlNode& changes,
                      std::vector<RewardFunction>& functions);
  std::string path(const std::string& name) const {
    return prefix_.empty() ? name : prefix_ + "." + name;
  }

  const Layer& layer_;
  const YamlNode& map_;
  std::string prefix_;
  std::vector<std::string> known_;
  std::set<std::string> taken_;
};

}  // namespace aha
