#include "trainer/config/dump.h"

#include <algorithm>

#include "trainer/config/describe.h"
#include "trainer/config/yaml_fields.h"

namespace aha {
namespace {

using Lines = std::vector<std::string>;

/// What the base sections say, by path: what a stage has in common with them it need not repeat.
using Written = std::map<std::string, Lines>;

void append_indented(Lines& lines, const Lines& body, const std::string& first,
                     const std::string& rest) {
  for (std::size_t i = 0; i < body.size(); ++i)
    lines.push_back((i == 0 ? first : rest) + body[i]);
}

/// Turns a struct into lines of block YAML. Parts whose keys depend on each other (a source, the sets,
/// the rewards) are written whole or not at all.
class Writer : public Visitor {
 public:
  /// Keys with the values that `base` has are left out.
  explicit Writer(const Written* base = nullptr) : base_(base) {}
  /// Notes in `written` what it writes.
  explicit Writer(Written& written, bool with_eval) : written_(&written), with_eval_(with_eval) {}

  const Lines& lines() const { return lines_; }

  void leaf(const Key& key, Leaf value) override {
    add(key.name, {text_yaml(key.name) + ": " + leaf_yaml(value)});
  }

  void section(const Key& key, const Parts& parts) override {
    Writer inner = *this;
    inner.lines_.clear();
    inner.prefix_ = prefix_ + key.name + ".";
    parts(inner);
    if (!inner.lines_.empty()) put(key.name, inner.lines_);
  }

  void source(const Key& key, DataSource& source) override {
    Writer whole;
    describe(whole, source);
    add(key.name, block(key.name, whole.lines_));
  }

  void model(const Key& key, ModelConfigSection& model) override {
    section(key, [&](Visitor& v) { describe(v, model); });
  }

  void init(const Key& key, std::optional<ModelInit>& init) override {
    if (init)
      section(key, [&](Visitor& v) { describe(v, *init); });
    else if (base_ != nullptr && base_->contains(prefix_ + key.name + ".hidden_size"))
      lines_.push_back(key.name + ": null");
  }

  void eval_sets(const Key& key, DataSection& data) override {
    if (!with_eval_ || data.eval_order.empty()) return;
    Writer whole;
    for (const auto& name : data.eval_order)
      whole.source(Key(name, ""), data.eval.at(name));
    add(key.name, block(key.name, whole.lines_));
  }

  void rewards(const Key& key, std::vector<RewardFunction>& functions) override {
    Lines body;
    for (auto& function : functions) {
      Writer whole;
      describe(whole, function);
      append_indented(body, whole.lines_, "- ", "  ");
    }
    add(key.name, functions.empty() ? Lines{key.name + ": []"} : block(key.name, body));
  }

  void other_keys(std::map<std::string, std::string>& options) override {
    for (const auto& [name, value] : options) {
      const bool list = name == kListOption && value.starts_with('[') && Json::accept(value);
      lines_.push_back(text_yaml(name) + ": " + (list ? value : text_yaml(value)));
    }
  }

 private:
  static Lines block(const std::string& name, const Lines& body) {
    Lines lines = {text_yaml(name) + ":"};
    append_indented(lines, body, "  ", "  ");
    return lines;
  }

  void put(const std::string& name, const Lines& body) {
    const Lines lines = block(name, body);
    lines_.insert(lines_.end(), lines.begin(), lines.end());
  }

  void add(const std::string& name, const Lines& lines) {
    const std::string path = prefix_ + name;
    if (written_ != nullptr) (*written_)[path] = lines;
    if (base_ != nullptr) {
      const auto known = base_->find(path);
      if (known != base_->end() && known->second == lines) return;
    }
    lines_.insert(lines_.end(), lines.begin(), lines.end());
  }

  Lines lines_;
  const Written* base_ = nullptr;
  Written* written_ = nullptr;
  bool with_eval_ = true;
  std::string prefix_;
};

Lines eval_lines(StageConfig stage) {
  Writer writer;
  writer.eval_sets(Key("eval", ""), stage.data);
  return writer.lines();
}

/// A stage cannot take a set away that the base has, so sets that differ stand in the stages.
bool same_eval(const Config& config) {
  const Lines first = eval_lines(config.stages.front());
  return std::all_of(config.stages.begin(), config.stages.end(),
                     [&](const StageConfig& stage) { return eval_lines(stage) == first; });
}

}  // namespace

std::string resolved_yaml(const Config& config) {
  Config copy = config;
  Written base;
  Writer top(base, same_eval(config));
  describe_job(top, copy);
  describe_sections(top, copy.stages.front());
  Lines lines = top.lines();
  lines.emplace_back("stages:");
  for (auto& stage : copy.stages) {
    Writer head;
    describe_head(head, stage);
    Writer differing(&base);
    describe_sections(differing, stage);
    append_indented(lines, head.lines(), "  - ", "    ");
    append_indented(lines, differing.lines(), "    ", "    ");
  }
  std::string text;
  for (const auto& line : lines)
    text += line + "\n";
  return text;
}

}  // namespace aha
