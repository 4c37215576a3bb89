#include "trainer/config/flat_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "trainer/config/yaml_fields.h"

namespace aha {
namespace {

/// Options of rewards that say where and how a scorer outside is asked, and nothing of what it is.
constexpr std::array<std::string_view, 10> kHowAsked = {
    "answer_limit_s", "ca_file",       "concurrency", "copies", "in_flight",
    "retries",        "start_limit_s", "token_env",   "url",    "proxy"};

class Flattener : public Visitor {
 public:
  /// `numbered`: paths of rewards hold their place in the list.
  Flattener(std::vector<FlatKey>& keys, bool numbered) : keys_(keys), numbered_(numbered) {}

  void leaf(const Key& key, Leaf value) override {
    keys_.push_back({prefix_ + key.name, key, leaf_type(value), leaf_yaml(value)});
  }
  void section(const Key& key, const Parts& parts) override {
    keys_.push_back({prefix_ + key.name, key, "", ""});
    within(key.name, parts);
  }
  void source(const Key& key, DataSource& source) override {
    section(key, [&](Visitor& v) { describe(v, source); });
  }
  void model(const Key& key, ModelConfigSection& model) override {
    section(key, [&](Visitor& v) { describe(v, model); });
  }
  void init(const Key& key, std::optional<ModelInit>& init) override {
    keys_.push_back({prefix_ + key.name, key, "", ""});
    if (init) within(key.name, [&](Visitor& v) { describe(v, *init); });
  }
  void eval_sets(const Key& key, DataSection& data) override {
    section(key, [&](Visitor& v) {
      for (const auto& name : data.eval_order)
        v.source(Key(name, "an evaluation set"), data.eval.at(name));
    });
  }
  void rewards(const Key& key, std::vector<RewardFunction>& functions) override {
    keys_.push_back({prefix_ + key.name, key, "", ""});
    for (std::size_t i = 0; i < functions.size(); ++i)
      within(numbered_ ? fmt::format("{}.{}", key.name, i) : key.name,
             [&](Visitor& v) { describe(v, functions[i]); });
  }
  void other_keys(std::map<std::string, std::string>& options) override {
    for (auto& [name, value] : options) {
      Key key(name, "an option of the reward");
      key.free = std::find(kHowAsked.begin(), kHowAsked.end(), name) != kHowAsked.end();
      leaf(key, &value);
    }
  }

 private:
  void within(const std::string& name, const Parts& parts) {
    const std::string outer = prefix_;
    prefix_ += name + ".";
    parts(*this);
    prefix_ = outer;
  }

  std::vector<FlatKey>& keys_;
  bool numbered_;
  std::string prefix_;
};

std::vector<FlatKey> every_key() {
  Config config;
  StageConfig stage;
  stage.model.init.emplace();
  stage.data.eval_order = {"NAME"};
  stage.data.eval["NAME"] = {};
  stage.reward.functions.emplace_back();
  std::vector<FlatKey> keys;
  Flattener flattener(keys, false);
  describe_job(flattener, config);
  describe_sections(flattener, stage);
  flattener.section(stages_key(), [&](Visitor& v) { describe_head(v, stage); });
  return keys;
}

}  // namespace

std::vector<FlatKey> flat_sections(const StageConfig& stage) {
  StageConfig copy = stage;
  std::vector<FlatKey> keys;
  Flattener flattener(keys, true);
  flattener.leaf(Key("method", ""), &copy.method);
  describe_sections(flattener, copy);
  return keys;
}

std::vector<FlatKey> flat_job(const Config& config) {
  Config copy;
  copy.seed = config.seed;
  copy.output_dir = config.output_dir;
  copy.device = config.device;
  copy.strict = config.strict;
  std::vector<FlatKey> keys;
  Flattener flattener(keys, true);
  describe_job(flattener, copy);
  return keys;
}

const std::vector<FlatKey>& all_keys() {
  static const std::vector<FlatKey> keys = every_key();
  return keys;
}

std::vector<std::string> keys_named(const std::string& name) {
  std::vector<std::string> paths;
  for (const auto& flat : all_keys())
    if (flat.key.name == name || (!flat.key.alias.empty() && flat.key.alias == name))
      paths.push_back(flat.path);
  return paths;
}

}  // namespace aha
