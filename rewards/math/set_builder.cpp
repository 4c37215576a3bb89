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

}  // namespace

Ref condition_of(Tree& tree, Ref ref) {
  const auto set = tree[ref];
  if (set.kind != Kind::Set || set.items.size() != 1) return ref;
  auto relation = tree[set.items[0]];
  const auto bar = relation.name.find(sign::kSuchThat);
  if (relation.kind != Kind::Relation || bar == std::string::npos || relation.name.size() < 2)
    return ref;
  const auto head = relation.items[0];
  if (tree[head].kind == Kind::Symbol && tree[head].name.starts_with('#')) return ref;
  // x | x > 3, or x \in \mathbb{R} | x > 3
  const bool of_reals =
      bar == 1 && relation.name[0] == sign::kIn && is_reals(tree, relation.items[1]);
  const auto count = static_cast<std::ptrdiff_t>(bar) + 1;
  if (tree[head].kind == Kind::Symbol && (bar == 0 || of_reals) && relation.name.size() > bar + 1) {
    const auto about = tree[head].name;
    const bool constrained =
        std::any_of(relation.items.begin() + count, relation.items.end(),
                    [&](Ref item) { return unknowns(tree, item).contains(about); });
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
