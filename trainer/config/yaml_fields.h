#pragma once
#include <optional>
#include <string>

#include "trainer/config/describe.h"
#include "trainer/config/yaml_tree.h"

namespace aha {

/// Puts a YAML value into a member. Returns what is wrong and what would be right ("expected a whole
/// number from 1, not 'x'"), and then the member is as it was; nothing when all is well.
std::optional<std::string> read_leaf(const Key& key, const YamlNode& value, Leaf leaf);

/// The member as YAML that read_leaf reads back to the same value. Numbers have the fewest digits
/// that are exact.
std::string leaf_yaml(Leaf leaf);

/// A text as YAML scalar, quoted where it must be.
std::string text_yaml(const std::string& text);

/// "whole number", "list of texts", ...
std::string leaf_type(Leaf leaf);

/// " from 0 to 1", " above 0", or " among a, b and c"; empty: anything of the type.
std::string allowed_text(const Key& key);

}  // namespace aha
