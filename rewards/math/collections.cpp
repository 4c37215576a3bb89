#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/comparer.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {

Judgement Comparer::in_order(const std::vector<Ref>& a, const std::vector<Ref>& b,
                             const char* why) {
  if (a.size() != b.size()) return different(why);
  bool unjudged = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto item = compare(a[i], b[i]);
    if (item.verdict == Verdict::Different) return different(why);
    unjudged = unjudged || item.verdict == Verdict::Unjudged;
  }
  return unjudged ? Judgement{Verdict::Unjudged, "an item cannot be told apart"} : equal();
}

Judgement Comparer::any_order(const std::vector<Ref>& a, const std::vector<Ref>& b, bool elements) {
  if (a.size() > kMostItems || b.size() > kMostItems) {
    if (a.size() != b.size()) return different("another number of items");
    throw Refusal{"more than 64 items"};
  }
  std::vector<bool> met(b.size(), false);
  bool unjudged = false;
  bool missing = false;
  for (const auto item : a) {
    bool found = false;
    for (std::size_t j = 0; j < b.size(); ++j) {
      // {1} is 1 by itself, and another element than 1
      if (elements && is(item, Kind::Set) != is(b[j], Kind::Set)) continue;
      const auto verdict = compare(item, b[j]).verdict;
      found = found || verdict == Verdict::Equal;
      if (verdict == Verdict::Equal) met[j] = true;
      unjudged = unjudged || verdict == Verdict::Unjudged;
    }
    missing = missing || !found;
  }
  missing = missing || std::find(met.begin(), met.end(), false) != met.end();
  if (!missing) return equal();
  if (unjudged) return {Verdict::Unjudged, "an item cannot be told apart"};
  return different("other items");
}

Judgement Comparer::collections(Ref a, Ref b) {
  if (is(a, Kind::Tuple) || is(b, Kind::Tuple)) {
    const bool first = is(a, Kind::Tuple);
    if (const auto judgement = tuple_and_collection(first ? a : b, first ? b : a))
      return *judgement;
  }
  if (const auto judgement = conditions(a, b)) return *judgement;
  const auto left = items_of(tree_, a);
  const auto right = items_of(tree_, b);
  if (left.size() == 1 && right.size() == 1) {
    if (left[0] == a && right[0] == b) return different("another form");
    // {{1, 2}} is not {1, 2}, as {4} is 4
    if (is_set(left[0]) != is_set(right[0]) ||
        (is_set(left[0]) && is(a, Kind::Set) != is(b, Kind::Set)))
      return different("another form");
    return compare(left[0], right[0]);
  }
  const bool lists = is(a, Kind::List) && is(b, Kind::List);
  if (lists && conventions_.ordered_lists)
    return in_order(left, right, "other items, or another order");
  auto judgement = any_order(left, right, is(a, Kind::Set) && is(b, Kind::Set));
  if (judgement.verdict != Verdict::Equal && real_set_reading(a, b)) return equal();
  return judgement;
}

std::optional<Judgement> Comparer::conditions(Ref a, Ref b) {
  if (!is(a, Kind::List) || !is(b, Kind::List) || tree_[a].name == tree_[b].name)
    return std::nullopt;
  // a comma may be either
  if (tree_[a].name.empty() || tree_[b].name.empty()) return std::nullopt;
  if (is_conjunction(tree_[a].name) == is_conjunction(tree_[b].name)) return std::nullopt;
  const auto all_inequalities = [&](Ref ref) {
    const auto& items = tree_[ref].items;
    return std::all_of(items.begin(), items.end(), [&](Ref item) {
      return is(item, Kind::Relation) &&
             tree_[item].name.find_first_of("<>LG!") != std::string::npos;
    });
  };
  if (all_inequalities(a) && all_inequalities(b)) return sets(a, b);
  // A or C, of which a choice is asked: which of them are right counts
  const auto are_names = [&](Ref ref) {
    const auto& items = tree_[ref].items;
    return std::all_of(items.begin(), items.end(), [&](Ref item) { return names_someone(item); });
  };
  if (are_names(a) && are_names(b)) return different("and beside or");
  const auto of_logic = [&](Ref ref) { return tree_[ref].name.starts_with('l'); };
  if (of_logic(a) && of_logic(b)) return different("and beside or");
  return std::nullopt;
}

bool Comparer::names_someone(Ref ref) const {
  const auto& node = tree_[ref];
  if (node.kind == Kind::Text) return true;
  if (node.kind == Kind::Product) return names_someone(node.items[0]);  // Bob
  return node.kind == Kind::Symbol && node.name[0] >= 'A' && node.name[0] <= 'Z';
}

bool Comparer::real_set_reading(Ref a, Ref b) {
  const auto is_points = [&](Ref ref) {
    return is_collection(ref) && tree_[tree_[ref].items[0]].kind == Kind::Number;
  };
  // {1, 2} \cup {3} is a set of points as well
  if (is_points(a) && !is(b, Kind::SetOperation)) return false;
  if (is_points(b) && !is(a, Kind::SetOperation)) return false;
  return sets(a, b).verdict == Verdict::Equal;
}

std::optional<Judgement> Comparer::tuple_and_collection(Ref tuple, Ref collection) {
  if (!is_collection(collection)) return std::nullopt;
  if (const auto judgement = tuple_and_names(tuple, collection)) return judgement;
  auto items = items_of(tree_, collection);
  const auto elements = tree_[tuple].items;
  if (contains(tree_, tuple, Kind::PlusMinus) || is(items[0], Kind::Tuple)) return std::nullopt;
  if (items.size() == 1 || is(items[0], Kind::Relation)) return std::nullopt;
  // [1, 2] is an interval, and no set of its ends
  if (elements.size() == 2 && tree_[tuple].name != "()") return std::nullopt;
  if (items.size() != elements.size()) return std::nullopt;
  if (in_order(elements, items, "").verdict == Verdict::Equal) return equal();
  // "3, 2" says its order, {3, 2} has none
  if (!is(collection, Kind::Set)) return different("other items, or another order");
  for (const auto item : items) {
    if (!unknowns(tree_, item).empty() || !order_of(tree_, item, item, scope_))
      return different("other items, or another order");
  }
  std::sort(items.begin(), items.end(),
            [&](Ref x, Ref y) { return order_of(tree_, x, y, scope_).value_or(0) < 0; });
  return in_order(elements, items, "other items, or another order");
}

std::optional<Judgement> Comparer::tuple_and_names(Ref tuple, Ref names) {
  const auto named = named_values(tree_, names);
  if (named.size() < 2 || named.size() != tree_[tuple].items.size()) return std::nullopt;
  if (tree_[tuple].name != "()") return std::nullopt;
  return in_order(tree_[tuple].items, coordinates_of(named), "other items, or another order");
}

std::optional<Judgement> Comparer::by_name(Ref a, Ref b) {
  const auto left = named_values(tree_, a);
  const auto right = named_values(tree_, b);
  if (left.size() < 2 || left.size() != right.size()) return std::nullopt;
  const auto named_as = [&](const std::string& name) {
    return std::find_if(right.begin(), right.end(),
                        [&](const auto& of) { return of.first == name; });
  };
  const bool other_names = std::all_of(
      left.begin(), left.end(), [&](const auto& of) { return named_as(of.first) == right.end(); });
  if (other_names)
    return in_order(coordinates_of(left), coordinates_of(right), "other items, or another order");
  bool unjudged = false;
  bool all = true;
  for (const auto& [name, value] : left) {
    const auto other = named_as(name);
    if (other == right.end()) return std::nullopt;
    const auto verdict = compare(value, other->second).verdict;
    all = all && verdict != Verdict::Different;
    unjudged = unjudged || verdict == Verdict::Unjudged;
  }
  if (!all) return different("another value of a name");
  if (unjudged) return Judgement{Verdict::Unjudged, "a value cannot be told apart"};
  return equal();
}

Judgement Comparer::tuples(Ref a, Ref b) {
  if (!is(a, Kind::Tuple) || !is(b, Kind::Tuple)) return different("a tuple beside no tuple");
  const auto left = tree_[a];
  const auto right = tree_[b];
  if (left.items.size() == 2 && left.name != right.name) return different("other brackets");
  return in_order(left.items, right.items, "other items, or another order");
}

}  // namespace aha::math
