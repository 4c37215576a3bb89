#include "rewards/math/set_builder.h"

#include <algorithm>
#include <map>

#include "rewards/math/canonical.h"

namespace aha::math {
namespace {

using Names = std::map<std::string, std::string>;

void name_symbols(const Tree& tree, Ref ref, Names& names) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Symbol) names.emplace(node.name, "#" + std::to_string(names.size()));
  for (const auto item : node.items)
    name_symbols(tree, item, names);
}

Ref renamed(Tree& tree, Ref ref, const Names& names) {
  auto node = tree[ref];
  if (node.kind == Kind::Symbol) {
    const auto found = names.find(node.name);
    return found == names.end() ? ref : tree.symbol(found->second);
  }
  for (auto& item : node.items)
    item = renamed(tree, item, names);
  return tree.add(std::move(node));
}

bool is_reals(const Tree& tree, Ref ref) {
  return tree[ref].kind == Kind::Constant && tree[ref].name == "reals";
}

std::size_t bar_of(const Node& node) {
  return node.kind == Kind::Relation ? node.name.find(sign::kSuchThat) : std::string::npos;
}

/// k \in \mathbb{Z}, and of its like the letter; nothing for other items.
std::optional<std::string> counted_letter(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Relation || node.name != std::string(1, sign::kIn)) return std::nullopt;
  const auto& letter = tree[node.items[0]];
  const auto& set = tree[node.items[1]];
  const bool counts = set.kind == Kind::Constant &&
                      (set.name.starts_with("integers") || set.name.starts_with("naturals"));
  return counts && letter.kind == Kind::Symbol ? std::optional(letter.name) : std::nullopt;
}

/// 2k + 1, k \in \mathbb{Z}: any letter would do.
Ref with_letter_renamed(Tree& tree, Ref ref) {
  const auto list = tree[ref];
  const auto letter = counted_letter(tree, list.items.back());
  if (!letter || letter->starts_with('#')) return ref;
  const auto is_value = [&](Ref item) {
    const auto& name = tree[item].name;
    return (tree[item].kind != Kind::Relation || name == "=" || name == "!") &&
           tree[item].kind != Kind::Symbol && unknowns(tree, item).contains(*letter);
  };
  if (!std::any_of(list.items.begin(), list.items.end(), is_value)) return ref;
  return renamed(tree, ref, {{*letter, "#0"}});
}

}  // namespace

std::optional<Ref> set_builder(Tree& tree, Ref list) {
  const auto node = tree[list];
  if (node.kind != Kind::List) return std::nullopt;
  auto relation = tree[node.items[0]];
  const auto bar = bar_of(relation);
  const bool one_bar = std::none_of(node.items.begin() + 1, node.items.end(), [&](Ref item) {
    return bar_of(tree[item]) != std::string::npos;
  });
  if (bar == std::string::npos || !one_bar) return std::nullopt;
  const auto rest = relation.items.begin() + static_cast<std::ptrdiff_t>(bar) + 1;
  auto first = *rest;
  if (relation.name.size() > bar + 1)
    first = tree.add({.kind = Kind::Relation,
                      .name = relation.name.substr(bar + 1),
                      .items = {rest, relation.items.end()}});
  auto conditions = node;
  if (conditions.name.empty()) conditions.name = "and";
  conditions.items[0] = first;
  relation.items.erase(rest, relation.items.end());
  relation.name.resize(bar + 1);
  relation.items.push_back(tree.add(std::move(conditions)));
  return tree.add(std::move(relation));
}

Ref condition_of(Tree& tree, Ref ref) {
  if (tree[ref].kind == Kind::List) return with_letter_renamed(tree, ref);
  const auto set = tree[ref];
  if (set.kind != Kind::Set || set.items.size() != 1) return ref;
  auto relation = tree[set.items[0]];
  const auto bar = bar_of(relation);
  if (bar == std::string::npos) return ref;
  const bool listed = tree[relation.items.back()].kind == Kind::List;
  if (relation.name.size() < 2 && !listed) return ref;
  const auto head = relation.items[0];
  if (tree[head].kind == Kind::Symbol && tree[head].name.starts_with('#')) return ref;
  // x | x > 3, or x \in \mathbb{R} | x > 3
  const bool of_reals =
      bar == 1 && relation.name[0] == sign::kIn && is_reals(tree, relation.items[1]);
  const auto count = static_cast<std::ptrdiff_t>(bar) + 1;
  if (tree[head].kind == Kind::Symbol && (bar == 0 || of_reals) &&
      (relation.name.size() > bar + 1 || listed)) {
    const auto about = tree[head].name;
    const bool constrained =
        std::any_of(relation.items.begin() + count, relation.items.end(),
                    [&](Ref item) { return unknowns(tree, item).contains(about); });
    if (constrained && relation.name.size() == bar + 1)
      return condition_of(tree, relation.items.back());
    if (constrained) {
      relation.name.erase(0, bar + 1);
      relation.items.erase(relation.items.begin(), relation.items.begin() + count);
      return tree.add(std::move(relation));
    }
  }
  Names names;
  name_symbols(tree, head, names);
  if (names.empty() || names.begin()->first.starts_with('#')) return ref;
  return renamed(tree, ref, names);
}

}  // namespace aha::math
