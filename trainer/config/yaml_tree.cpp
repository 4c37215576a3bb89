#include "trainer/config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::int64_t kMaxNodes = 100'000;
constexpr std::size_t kMaxDepth = 32;

[[noreturn]] void refuse(const YAML::Mark& mark, std::string message) {
  // yaml-cpp counts from 0, and has -1 where it knows no place
  throw YamlProblem{std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1, std::move(message)};
}

std::int64_t node_count(const YamlNode& node) {
  std::int64_t count = 1;
  for (const auto& item : node.items)
    count += node_count(item);
  for (const auto& entry : node.entries)
    count += 1 + node_count(entry.value);
  return count;
}

/// Builds the tree from the parser's events, so that limits hold before memory is spent.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode take() { return root_ ? std::move(*root_) : YamlNode(YamlNode::Kind::Map); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document; one file holds one configuration");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, node(mark, YamlNode::Kind::Null));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "an alias to a value that it is part of");
    count(mark, known->second.nodes);
    YamlNode copy = known->second.node;
    copy.line = mark.line + 1;
    copy.column = mark.column + 1;
    put(mark, std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode scalar = node(mark, YamlNode::Kind::Scalar);
    scalar.quoted = tag == "!";
    if (!scalar.quoted) refuse_tag(mark, tag);
    scalar.text = value;
    add(mark, anchor, std::move(scalar));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::List);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::Map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<YamlNode> key;  ///< of the entry that waits for its value
  };
  struct Anchored {
    YamlNode node;
    std::int64_t nodes = 0;
  };

  static YamlNode node(const YAML::Mark& mark, YamlNode::Kind kind) {
    return YamlNode(kind, mark.line + 1, mark.column + 1);
  }

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, fmt::format("the tag {} has no meaning here; leave it out", tag));
  }

  void count(const YAML::Mark& mark, std::int64_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes)
      refuse(mark, fmt::format("more than {} values, aliases counted as what they stand for",
                               with_commas(kMaxNodes)));
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    refuse_tag(mark, tag);
    count(mark, 1);
    if (open_.size() >= kMaxDepth) refuse(mark, fmt::format("more than {} levels", kMaxDepth));
    Open opened;
    opened.node = node(mark, kind);
    opened.mark = mark;
    opened.anchor = anchor;
    open_.push_back(std::move(opened));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    remember(done.anchor, done.node);
    put(done.mark, std::move(done.node));
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode value) {
    count(mark, 1);
    remember(anchor, value);
    put(mark, std::move(value));
  }

  void remember(YAML::anchor_t anchor, const YamlNode& value) {
    if (anchor == YAML::NullAnchor) return;
    const auto nodes = node_count(value);
    count({}, nodes);  // the copy that is kept
    anchors_[anchor] = {value, nodes};
  }

  void put(const YAML::Mark& mark, YamlNode value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::List) {
      parent.node.items.push_back(std::move(value));
    } else if (parent.key) {
      parent.node.entries.push_back({std::move(*parent.key), std::move(value)});
      parent.key.reset();
    } else {
      if (value.kind != YamlNode::Kind::Scalar)
        refuse(mark, fmt::format("{} where a key was expected", value.what()));
      parent.key = std::move(value);
    }
  }

  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::optional<YamlNode> root_;
  std::int64_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

const YamlNode::Entry* YamlNode::find(const std::string& key) const {
  for (const auto& entry : entries)
    if (entry.key.text == key) return &entry;
  return nullptr;
}

std::string YamlNode::what() const {
  constexpr std::size_t kShown = 40;
  switch (kind) {
    case Kind::Null:
      return "nothing";
    case Kind::List:
      return "a list";
    case Kind::Map:
      return "a map of keys";
    case Kind::Scalar:
      break;
  }
  std::string shown;
  for (const char c : text.substr(0, kShown))
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (text.size() > kShown) shown += "...";
  return quoted ? fmt::format("the text \"{}\"", shown) : fmt::format("'{}'", shown);
}

YamlNode parse_yaml(const std::string& text) {
  if (text.size() > kMaxBytes)
    throw YamlProblem{1, 1, "larger than 1 MiB; a configuration is a page or two"};
  TreeBuilder builder;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    refuse(error.mark, fmt::format("this is no YAML: {}", error.msg));
  }
  return builder.take();
}

}  // namespace aha
