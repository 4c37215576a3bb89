#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace aha {

/// A YAML value with its place. Maps keep the order of the file and repeated keys.
struct YamlNode {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };
  struct Entry;

  YamlNode() = default;
  explicit YamlNode(Kind of, int at_line = 1, int at_column = 1);

  Kind kind = Kind::Null;
  std::string text;             ///< of a scalar
  bool quoted = false;          ///< a quoted scalar is a text, whatever stands in it
  std::vector<YamlNode> items;  ///< of a list
  std::vector<Entry> entries;   ///< of a map
  int line = 1;
  int column = 1;

  /// The first entry of that name, or nullptr.
  const Entry* find(const std::string& key) const;
  /// "a list", "text 'x'", ... for messages.
  std::string what() const;
};

struct YamlNode::Entry {
  YamlNode key;  ///< a scalar
  YamlNode value;
};

inline YamlNode::YamlNode(Kind of, int at_line, int at_column)
    : kind(of), line(at_line), column(at_column) {}

/// A syntax error, or YAML that no configuration needs: several documents, explicit tags, keys that are
/// no scalars, more than 32 levels, 100,000 values (aliases count as what they stand for) or 1 MiB.
struct YamlProblem {
  int line = 1;
  int column = 1;
  std::string message;
};

/// Parses one document; an empty one is an empty map. Throws YamlProblem.
YamlNode parse_yaml(const std::string& text);

}  // namespace aha
