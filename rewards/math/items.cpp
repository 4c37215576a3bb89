#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"

namespace aha::math {
namespace {

/// A copy in which every +- has the first sign of its name, or the second: as the bits of `signs` say, from the
/// lowest on.
Ref with_signs(Tree& tree, Ref ref, unsigned& signs) {
  auto node = tree[ref];
  if (!contains(tree, ref, Kind::PlusMinus)) return ref;
  unsigned second = 0;
  if (node.kind == Kind::PlusMinus) {
    second = signs & 1U;
    signs >>= 1U;
  }
  for (auto& item : node.items)
    item = with_signs(tree, item, signs);
  if (node.kind != Kind::PlusMinus) return tree.add(std::move(node));
  return node.name[second] == '-' ? tree.negative(node.items[0]) : node.items[0];
}

struct Signs {
  unsigned count = 0;
  bool linked = false;  ///< by -+, which takes the other sign
};

void count_signs(const Tree& tree, Ref ref, Signs& signs) {
  const auto& node = tree[ref];
  if (node.kind == Kind::PlusMinus) {
    ++signs.count;
    signs.linked = signs.linked || node.name == "-+";
  }
  for (const auto item : node.items)
    count_signs(tree, item, signs);
}

/// The values of an expression with +-: of several ones each has its sign.
void collect_signs(Tree& tree, Ref ref, std::vector<Ref>& items) {
  constexpr unsigned kMostSigns = 4;
  Signs signs;
  count_signs(tree, ref, signs);
  const bool linked = signs.linked || signs.count > kMostSigns;
  const unsigned choices = linked ? 2 : 1U << signs.count;
  for (unsigned choice = 0; choice < choices; ++choice) {
    auto rest = linked && choice == 1 ? ~0U : choice;
    items.push_back(with_signs(tree, ref, rest));
  }
}

void collect(Tree& tree, Ref ref, std::vector<Ref>& items, bool outermost) {
  const auto node = tree[ref];
  // a set in a set is one item
  if (node.kind == Kind::List || (node.kind == Kind::Set && outermost)) {
    for (const auto item : node.items)
      collect(tree, item, items, false);
    return;
  }
  if (const auto value = assigned_value(tree, ref)) return collect(tree, *value, items, true);
  if (contains(tree, ref, Kind::PlusMinus)) return collect_signs(tree, ref, items);
  items.push_back(ref);
}

}  // namespace

std::vector<Ref> items_of(Tree& tree, Ref ref) {
  std::vector<Ref> items;
  collect(tree, ref, items, true);
  std::vector<std::string> seen;
  std::vector<Ref> once;
  for (const auto item : items) {
    auto key = canonical(tree, item);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(std::move(key));
    once.push_back(item);
  }
  return once;
}

}  // namespace aha::math
